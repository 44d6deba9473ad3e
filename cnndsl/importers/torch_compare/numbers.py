"""Run two modules with the same random weights in double precision; compare their outputs and updated statistics.

Every parameter and buffer of the `state_dict` gets random values, so that no zero hides a difference: matrices such
that signals keep their scale (He, Zhang, Ren and Sun 2015, section 2.2), factors and variances between 0.5 and 1.5,
biases and means around 0.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from cnndsl.records import record
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 2
RELATIVE = 1e-9
"""The largest difference attributed to rounding, relative to the largest value."""


@record(slots=True)
class NumericDifference:
    """An output or buffer that differs, the mode, and the difference relative to its largest value."""

    what: str
    mode: str
    error: float

    def __str__(self) -> str:
        return f"in {self.mode} {self.what} differs by {self.error:.1e} of its largest value"


def numeric_difference(
    original: nn.Module, emitted: nn.Module, shapes: Sequence[Shape], seed: int = 0
) -> list[NumericDifference]:
    """List how the results of two modules differ beyond rounding, in evaluation and in training without dropout.

    Afterwards both modules hold the random weights, in float64. They may be on the meta device if all of their tensors
    are in the `state_dict`.

    Raises ValueError if the names or shapes of weights differ, if a tensor that is not in the `state_dict` has no
    values, or if a result is not finite.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    _assign(original, emitted, generator)
    images = [
        torch.randn(BATCH, each.channels, *each.spatial, generator=generator, dtype=torch.float64) for each in shapes
    ]
    found: list[NumericDifference] = []
    with torch.no_grad(), _certain():
        for mode in ("evaluation", "training"):
            one, other = (_results(each.train(mode == "training"), images) for each in (original, emitted))
            found += _unlike(one, other, mode)
    return found


def _assign(original: nn.Module, emitted: nn.Module, generator: Any) -> None:
    from torch import float64

    state, other = original.state_dict(), emitted.state_dict()
    shapes = [{key: tuple(each.shape) for key, each in given.items()} for given in (state, other)]
    if shapes[0] != shapes[1]:
        names = [key for key in {**state, **other} if shapes[0].get(key) != shapes[1].get(key)]
        raise ValueError(f"{len(names)} weights have other names or shapes: {', '.join(names[:3])}")
    drawn = {key: _drawn(key, each, generator) for key, each in state.items()}
    buffers = {name for name, _ in original.named_buffers()}
    copied = {key: each.clone() if key in buffers else each for key, each in drawn.items()}
    for module, weights in ((original, drawn), (emitted, copied)):
        module.load_state_dict(_with_versions(weights, module), strict=True, assign=True)
        module.to(float64)
        held = (*module.named_parameters(), *module.named_buffers())
        if lost := [name for name, each in held if each.is_meta]:
            raise ValueError(f"{lost[0]} has no values")


def _with_versions(weights: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Return the weights with each module's version as metadata: without it, torch converts them like old weights."""
    from collections import OrderedDict

    made: Any = OrderedDict(weights)
    made._metadata = getattr(module.state_dict(), "_metadata", None)
    return made


def _drawn(key: str, like: Tensor, generator: Any) -> Tensor:
    import torch

    if not like.dtype.is_floating_point:
        return torch.ones(like.shape, dtype=like.dtype)
    extents = tuple(like.shape)
    if len(extents) > 1 and prod(extents[1:]) > 1:
        return torch.randn(extents, generator=generator, dtype=torch.float64) * (2 / prod(extents[1:])) ** 0.5
    if key.endswith(("bias", "running_mean", "beta")):
        return torch.randn(extents, generator=generator, dtype=torch.float64) * 0.3
    return torch.rand(extents, generator=generator, dtype=torch.float64) + 0.5


@contextmanager
def _certain() -> Generator[None]:
    """Disable dropout and stochastic depth: two networks may draw their random numbers in a different order.

    Conversions to float32 keep float64, the type of the network here.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class CertainMode(TorchDispatchMode):
        """Makes random draws 1 wherever possible, and skips conversions to float32."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name, options = func._schema.name, dict(kwargs or {})
            if name == "aten::bernoulli_":
                return args[0].fill_(1.0)
            if name == "aten::rand":  # stochastic depth computes `floor(keep + rand)`
                return func(*args, **options).fill_(1 - 2**-20)
            if name == "aten::bernoulli":
                return args[0].clone()
            if name == "aten::_to_copy" and args[0].dtype == torch.float64 and options.get("dtype") == torch.float32:
                options["dtype"] = torch.float64
            if name == "aten::native_dropout":
                return args[0].clone(), torch.ones_like(args[0], dtype=torch.bool)
            return func(*args, **options)

    with CertainMode():
        yield


def _results(module: nn.Module, images: Sequence[Tensor]) -> dict[str, Tensor]:
    given: Any = module(*[each.clone() for each in images])
    outputs = [given] if hasattr(given, "shape") else [*given.values()] if hasattr(given, "values") else [*given]
    found = {f"output {at}": each for at, each in enumerate(each for each in outputs if each is not None)}
    return found | {name: each for name, each in module.named_buffers() if each.dtype.is_floating_point}


def _unlike(one: dict[str, Tensor], other: dict[str, Tensor], mode: str) -> Iterator[NumericDifference]:
    for what, mine in one.items():
        its = other.get(what)
        if its is None:
            continue
        if its.shape != mine.shape:
            yield NumericDifference(what, mode, float("inf"))
            continue
        scale = float(mine.abs().max()) or 1.0
        error = float((mine - its).abs().max()) / scale
        if not isfinite(error):
            raise ValueError(f"{what} is not finite in {mode}")
        if error > RELATIVE:
            yield NumericDifference(what, mode, error)
