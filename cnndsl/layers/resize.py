"""Layers that make a map larger without weights: `UNPOOL` and `UPSAMPLE`."""

from __future__ import annotations

from dataclasses import replace
from math import gcd
from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    Layer,
    LayerError,
    Saved,
    Slot,
    TorchCall,
    TorchFunction,
    Window,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.formulas import further
from cnndsl.layers.pool import MaxPool
from cnndsl.layers.sized import Sized
from cnndsl.layers.steps import LayerStep
from cnndsl.layers.window import Reach, resampled
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Unpool(Layer):
    """`UNPOOL2(@pool1)`: puts each value where the named max-pool found its maximum, and zeros elsewhere.

    The output has the size of that pool's input. The second input is the pool, whose indices are the switches. Sources:
    Zeiler et al. 2011, Section 3; Badrinarayanan et al. 2017 (SegNet).
    """

    INDICES_OF: ClassVar = 1
    NAMES: ClassVar = ("UNPOOL",)
    ROLE: ClassVar = "resize"
    SIZE: ClassVar = "kernel"
    STRIDE: ClassVar = "stride"
    DEFAULTS: ClassVar = (("stride", "kernel"),)
    POSITIONAL: ClassVar = ("switches",)
    INPUTS: ClassVar = (2, 2)

    kernel: Dims = option("dims", (), "F", minimum=1)
    stride: Dims = option("dims", (), "S", minimum=1)
    switches: str = option("reference", "", required=True)
    padding: Dims = (0,)
    """The padding of the named pool."""
    entering: Dims = ()
    """The size of the named pool's input."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernel", self.kernel or (2,))
        object.__setattr__(self, "stride", self.stride or self.kernel)

    def referring(self, target: Layer, *entering: Shape) -> Unpool:
        if not isinstance(target, MaxPool) or target.out or target.like:
            message = f"UNPOOL needs the switches of a POOL, but this is {target.kind()}"
            raise LayerError("E0306", message, "UPSAMPLE and CONVT enlarge a map without switches")
        (x,) = entering
        padding = target.even_padding(x)
        if padding is None or any(step != 1 for step in target.dilation):
            message = "a POOL that pads unevenly or is dilated cannot be undone by UNPOOL"
            raise LayerError("E0306", message, "pad both sides equally, as in `pad=1`, by at most half the size")
        for name, mine, its in (("size", self.kernel, target.kernel), ("stride", self.stride, target.stride)):
            if each_axis(mine, x.rank, name) != each_axis(its, x.rank, name):
                message = f"the {name} {squeeze(mine)} of UNPOOL differs from the {name} {squeeze(its)} of its POOL"
                raise LayerError("E0306", message, "give both the same size and stride")
        return replace(self, padding=padding, entering=x.spatial)

    def _usual(self, x: Shape) -> Dims:
        """Return the size of the pool's input if nothing was left over."""
        kernel, stride = each_axis(self.kernel, x.rank, "kernel"), each_axis(self.stride, x.rank, "stride")
        padding = each_axis(self.padding, x.rank, "padding")
        return tuple(
            (size - 1) * s - 2 * p + k for size, k, s, p in zip(x.spatial, kernel, stride, padding, strict=True)
        )

    def output(self, *inputs: Shape) -> Shape:
        x, pooled = inputs
        need_spatial(self.kind(), x)
        if x != pooled:
            message = f"the output of the pooling that `switches` refers to is {pooled}, but the input here is {x}"
            raise LayerError("E0306", message, f"bring the input to {pooled} first")
        return Shape(x.channels, self.entering or self._usual(x))

    def output_size(self, x: Shape) -> Dims | None:
        """Return the size that the call has to name: if the pool left something over; else None."""
        return self.entering if self.entering and self.entering != self._usual(x) else None

    def window(self, *inputs: Shape) -> Window | None:
        rank = inputs[0].rank
        kernel, stride = each_axis(self.kernel, rank, "kernel"), each_axis(self.stride, rank, "stride")
        numbers = zip(kernel, stride, each_axis(self.padding, rank, "padding"), strict=True)
        return resampled(tuple(Reach(-pad, extent - 1 - pad, 1, step) for extent, step, pad in numbers))

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        """Return the inverse of the pool's formula, plus what the pool left over."""
        x, _ = inputs
        kernel, stride = each_axis(self.kernel, x.rank, "kernel"), each_axis(self.stride, x.rank, "stride")
        padding, wanted, usual = (
            each_axis(self.padding, x.rank, "padding"),
            self.output(*inputs).spatial,
            self._usual(x),
        )
        numbers = zip(x.spatial, kernel, stride, padding, wanted, usual, strict=True)
        return tuple(f"({n} - 1)*{s} - 2*{p} + {k}{further(to - by)}" for n, k, s, p, to, by in numbers)

    def saved(self, *inputs: Shape) -> Saved:
        """Return nothing: the pool made the indices."""
        return Saved()

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one operation on the first input; it reads only the indices of the second. Autocast on the CPU runs it
        in fp32."""
        return (self.single_step(*inputs, reads=(0,), switches=True, autocast="full"),)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x, _) = inputs
        kernel = Slot(squeeze(self.kernel), "kernel")
        keywords: list[tuple[str, Slot]] = []
        if each_axis(self.stride, x.rank, "stride") != each_axis(self.kernel, x.rank, "kernel"):
            keywords.append(("stride", Slot(squeeze(self.stride), "stride")))
        if any(self.padding):
            keywords.append(("padding", Slot(squeeze(self.padding), "padding")))
        return TorchCall(f"nn.MaxUnpool{x.rank}d", (kernel,), tuple(keywords))


_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@record
class Upsample(Sized):
    """`UPSAMPLE2(mode=nearest, align=no)`, `UPSAMPLE(out=28x28)`: resizes a map, as torch.nn.Upsample.

    With `out=@x` the second input is x, and the output has its size at run time. `mode=linear` is linear, bilinear or
    trilinear, depending on the input's number of axes. Bare `UPSAMPLE` doubles.
    """

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    NAMES: ClassVar = ("UPSAMPLE",)
    ROLE: ClassVar = "resize"
    SIZE: ClassVar = "scale"

    scale: Dims = option("dims", (), minimum=1)
    mode: str = option("word", "nearest", words=("nearest", "linear", "bilinear", "trilinear", "bicubic"))
    align: bool = option("flag", False)

    def __post_init__(self) -> None:
        if not self._is_adaptive():
            object.__setattr__(self, "scale", self.scale or (2,))

    def output(self, *inputs: Shape) -> Shape:
        x, *others = inputs
        need_spatial(self.kind(), x)
        self._mode(x)
        if self.align and self.mode == "nearest":
            raise LayerError("E0310", "`align` has no effect with mode=nearest", "remove it, or write mode=bilinear")
        if others and not self.like:
            raise LayerError("E0310", "UPSAMPLE takes one input, or two to copy the size of the second", "say `out=@x`")
        if not self._is_adaptive():
            scale = each_axis(self.scale, x.rank, "scale")
            return Shape(x.channels, tuple(size * by for size, by in zip(x.spatial, scale, strict=True)))
        if self.scale:
            raise LayerError("E0310", "UPSAMPLE takes either a factor or `out`", "remove one of them")
        return Shape(x.channels, each_axis(self._wanted(*inputs), x.rank, "output"))

    def _mode(self, x: Shape) -> str:
        """Return PyTorch's name of the mode. Raises LayerError if the mode is for other inputs."""
        if self.mode == "nearest":
            return self.mode
        mode = _LINEAR[x.rank] if self.mode == "linear" else self.mode
        if mode not in (_LINEAR[x.rank], "bicubic") or (mode == "bicubic" and x.rank != 2):
            message = f"mode={mode} does not take an input with {x.rank} spatial {'axis' if x.rank == 1 else 'axes'}"
            raise LayerError("E0310", message, "mode=linear fits any number of axes")
        return mode

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        x = inputs[0]
        if self._is_adaptive():
            return ()
        return tuple(f"{size}*{by}" for size, by in zip(x.spatial, each_axis(self.scale, x.rank, "scale"), strict=True))

    def operations(self, *inputs: Shape) -> int:
        """Return one operation per value that an output value is made of: 1, 2^n, or 16 with mode=bicubic."""
        far = {"nearest": 0.5, "bicubic": 2}.get(self.mode, 1)
        return int(2 * far) ** inputs[0].rank * self.output(*inputs).numel

    def window(self, *inputs: Shape) -> Window | None:
        spatial = zip(inputs[0].spatial, self.output(*inputs).spatial, strict=True)
        return resampled(tuple(self._reach(*each) for each in spatial))

    def _reach(self, size: int, out: int) -> Reach:
        """Return the reach of an output position: p lies at p*(size-1)/(out-1) if aligned, else at (p+1/2)*size/out -
        1/2, and reads what is less than one position away (two, if cubic) on both sides."""
        aligned = self.align and size > 1 and out > 1
        a, b = (size - 1, out - 1) if aligned else (size, out)
        step, grow = a // gcd(a, b), b // gcd(a, b)
        if self.mode == "nearest" or (self.align and not aligned):
            return Reach(0, grow - 1, step, grow)
        far = 2 if self.mode == "bicubic" else 1
        shift = 0 if aligned else grow - step
        return Reach((shift - 2 * far * grow) // 2 + 1, -((-shift - 2 * far * grow) // 2) - 1, step, grow)

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction:
        x = inputs[0]
        if self.like:
            mode = "" if self.mode == "nearest" else f', mode="{self._mode(x)}"'
            align = ", align_corners=True" if self.align else ""
            return TorchFunction(f"F.interpolate({{0}}, size={{1}}.shape[2:]{mode}{align})")
        size = (
            ("size", Slot(squeeze(self.out), "out"))
            if self.out
            else ("scale_factor", Slot(squeeze(self.scale), "scale"))
        )
        mode = () if self.mode == "nearest" else (("mode", Slot(self._mode(x))),)
        align = (("align_corners", Slot(True)),) if self.align else ()
        return TorchCall("nn.Upsample", (), (size, *mode, *align))
