"""Compare an emitted module with the plain evaluation of its graph: outputs, taps, gradients, state.

The expected names of the state are read from the program by `names`, without the elaborator.

Both run in double precision with the same weights, at inference and in training, on batches of one, two and three.
Random layers depend only on the shape of their input (`Running` ensures that), so dropout is compared as well and may
be called in any order. Constructors are compared in `construction`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, NamedTuple

from cnndsl.errors import CnnError
from cnndsl.graph import Graph, Output
from cnndsl.network import loads
from cnndsl.testing.names import name_differences
from cnndsl.testing.reference import BARE, Reference

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCHES = (1, 2, 3)
NEAR = 1e-9
"""Relative to the largest value: kernels add in another order if the memory layout differs."""
FLOOR = 1e-10
"""Below this a value is only rounding, such as the result of normalising a single value."""
ROUNDED = 1e-14
"""Relative to the largest gradient of a network: the rounding error of a gradient that is zero, such as that of a bias
before a batch normalisation, which cancels it."""


class Results(NamedTuple):
    """The results of one run: outputs by the tap's position (-1 for the main one), gradients by name, buffers."""

    outputs: dict[int, torch.Tensor]
    gradients: dict[str, torch.Tensor | None]
    buffers: dict[str, torch.Tensor]


class Failure(Exception):
    """The failure of an emitted module, after which nothing can be compared."""


def differences(text: str, settings: Mapping[str, object] | None = None) -> list[str]:
    """List the differences between the emitted module of a program and its graph; empty if there are none.

    Raises CnnError if the program is invalid.
    """
    network = loads(text, **(settings or {}))
    if found := name_differences(network.graph):
        return found
    try:
        live = emitted(network.module, "module")
        written = emitted(lambda: network_class(network.source())(), "source")
    except Failure as failure:
        return [str(failure)]
    if found := state_differences(network.graph, live, "module"):
        return found
    found = state_differences(network.graph, written, "source")
    state = seeded(network.graph)
    live.load_state_dict(state)
    found += run_differences(network.graph, live, state, BATCHES)
    if not found:
        written.load_state_dict(state)
        found += [f"source, {each}" for each in run_differences(network.graph, written, state, (2,))]
    return found


def emitted(make: Callable[[], Any], what: str) -> nn.Module:
    """Make a module in double precision. Raises Failure if that is impossible, CnnError if it is rejected."""
    try:
        with quiet():
            return make().double()
    except CnnError:
        raise
    except Exception as error:
        raise Failure(f"{what}: {shown(error)}") from error


def network_class(source: str) -> Callable[..., nn.Module]:
    """Return the class of the network itself in an emitted source: the last of those that are modules."""
    from torch import nn

    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), names)
    classes = [each for each in names.values() if isinstance(each, type) and each.__module__ == "emitted"]
    return [each for each in classes if issubclass(each, nn.Module)][-1]


def shown(error: BaseException) -> str:
    """Return an error with the innermost line of cnndsl or of the emitted module."""
    frames = [each for each in extract_tb(error.__traceback__) if "torch" not in each.filename.split("/")]
    place = f" (in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}{place}"


@contextmanager
def quiet() -> Generator[None]:
    """Suppress PyTorch's warning that an even kernel with padding="same" costs a copy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def expected_state(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Return the entries of the state that the graph requires, with their shapes."""
    tensors = ((node, tensor) for node in graph for tensor in graph.tensors(node))
    return {tensor.entry(node.path): tuple(tensor.shape) for node, tensor in tensors if tensor.persistent}


def state_differences(graph: Graph, network: nn.Module, what: str) -> list[str]:
    """Compare the names and shapes of the state with those of the graph, in any order."""
    expected = expected_state(graph)
    found = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    lacking = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    others = [name for name, shape in expected.items() if found.get(name, shape) != shape]
    lists = (("lacks", lacking), ("has too much", surplus), ("has another shape", others))
    return [f"{what}: the state {verb}: {', '.join(names)}" for verb, names in lists if names]


def seeded(graph: Graph) -> dict[str, torch.Tensor]:
    """Return a random state that depends only on the graph, with values large enough that deep activations do not
    vanish."""
    import torch

    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}
    for name, shape in expected_state(graph).items():
        drawn = torch.rand(shape, generator=generator, dtype=torch.float64)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros(shape, dtype=torch.int64)
        else:
            state[name] = drawn + 0.5 if name.endswith("running_var") else (drawn - 0.4) * 0.8
    return state


def run_differences(
    graph: Graph, network: nn.Module, state: Mapping[str, torch.Tensor], batches: Sequence[int]
) -> list[str]:
    """Compare a module with the reference; return the differences in the first mode and batch that has any."""
    reference = Reference(graph)
    for module in reference.modules.values():
        module.double()
    running = Running(graph, state)
    for training in (False, True):
        for batch in batches:
            with quiet():
                try:
                    expected = running.of_reference(reference, training, batch)
                except (ValueError, RuntimeError):
                    continue  # Statistics of a single value: torch rejects them, and the emitted module may too.
                try:
                    found = running.of_module(network, training, batch)
                except Exception as error:
                    return [f"{'training' if training else 'evaluation'}, batch {batch}: {shown(error)}"]
            if told := compared(graph, found, expected):
                return [f"{'training' if training else 'evaluation'}, batch {batch}: {each}" for each in told]
    return []


class Running:
    """Runs modules of one graph, each time from the same state on the same images."""

    def __init__(self, graph: Graph, state: Mapping[str, torch.Tensor]) -> None:
        self.graph, self.state = graph, state
        self.draws = any(node.kind in ("DROPOUT", "DROPPATH") for node in graph)

    def of_reference(self, reference: Reference, training: bool, batch: int) -> Results:
        """Run the plain evaluation of the graph."""
        reference.load(self.state)
        reference.train(training)
        images = self._images(batch)
        with self._repeatable():
            values = reference.values(*images)
        outputs = {place: values[node] for place, node in self._places(training).items()}
        modules = {self.graph.nodes[at].path: module for at, module in reference.own().items()}
        return self._results(images, outputs, modules)

    def of_module(self, network: nn.Module, training: bool, batch: int) -> Results:
        """Run an emitted module. Raises Failure if it returns the wrong number of results."""
        import torch

        network.load_state_dict(self.state)
        network.train(training)
        images = self._images(batch)
        with self._repeatable():
            result = network(*images)
        if not all(map(torch.equal, images, self._images(batch))):
            raise Failure("the input is written over")
        return self._results(images, self.placed(result, training), {"": network})

    def placed(self, result: Any, training: bool) -> dict[int, torch.Tensor]:
        """Return the results by tap: by the field names of a NamedTuple if they identify taps, otherwise by
        position."""
        import torch

        taps = self.graph.taps
        order = [*always(taps), *(at for at, tap in enumerate(taps) if tap.training_only)]
        several: list[Any] = [result] if isinstance(result, torch.Tensor) else list(result)
        fields = getattr(result, "_fields", ())
        named = by_name(taps, fields[1:]) if fields else None
        places = [-1, *(order if named is None else [named[field] for field in fields[1:]])]
        count = len(self._places(training))
        absent = [place for place, each in zip(places, several, strict=False) if each is None]
        if len(several) < count or len(several) > len(places):
            raise Failure(f"gives {len(several)} results in place of {count}")
        if any(training or place == -1 or not taps[place].training_only for place in absent):
            raise Failure("gives None for what it computes")
        given = {place: each for place, each in zip(places, several, strict=False) if each is not None}
        if given.keys() != self._places(training).keys():
            raise Failure("gives in evaluation what exists in training only")
        return given

    def _places(self, training: bool) -> dict[int, int]:
        """Return the node of each expected result."""
        taps = ((at, tap) for at, tap in enumerate(self.graph.taps) if training or not tap.training_only)
        return {-1: self.graph.output, **{at: tap.node for at, tap in taps}}

    def _images(self, batch: int) -> list[torch.Tensor]:
        """Return a batch for each input, all of them different."""
        import torch

        generator = torch.Generator().manual_seed(batch)
        shapes = [(batch, node.shape.channels, *node.shape.spatial) for node in self.graph.inputs]
        drawn = (torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes)
        return [each.sub_(0.4).requires_grad_() for each in drawn]

    def _results(
        self, images: list[torch.Tensor], outputs: dict[int, torch.Tensor], modules: Mapping[str, nn.Module]
    ) -> Results:
        """Run the backward pass from a weighted sum of all results, and collect the values to compare."""
        import torch

        losses: list[torch.Tensor] = []
        for place in sorted(outputs):
            if outputs[place].requires_grad:
                generator = torch.Generator().manual_seed(place + 2)
                weights = torch.rand(outputs[place].shape, generator=generator, dtype=torch.float64)
                losses.append((outputs[place] * weights).sum())
        for module in modules.values():
            module.zero_grad()
        if losses:
            torch.autograd.backward(losses)
        gradients = {f"the input {at}" if at else "the input": x.grad for at, x in enumerate(images)}
        buffers: dict[str, torch.Tensor] = {}
        for path, module in modules.items():
            prefix = f"{path}." if path else ""
            gradients |= {f"{prefix}{name}".removesuffix(BARE): each.grad for name, each in module.named_parameters()}
            buffers |= {prefix + name: each.detach().clone() for name, each in module.named_buffers()}
        return Results(outputs, gradients, buffers)

    @contextmanager
    def _repeatable(self) -> Generator[None]:
        """Reset the seed before every random operation, so that its position among others does not matter."""
        if not self.draws:
            yield
            return
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        class Reseeding(TorchDispatchMode):
            """Resets the seed before every random operation."""

            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                if torch.Tag.nondeterministic_seeded in func.tags:
                    torch.default_generator.manual_seed(1)
                return func(*args, **(kwargs or {}))

        with Reseeding():
            yield


def always(taps: Sequence[Output]) -> list[int]:
    """Return the positions of the taps that always run."""
    return [at for at, tap in enumerate(taps) if not tap.training_only]


def by_name(taps: Sequence[Output], fields: Sequence[str]) -> dict[str, int] | None:
    """Match the fields of a result with taps; None if names are ambiguous, as with two taps of one name."""
    names = [tap.name for tap in taps]
    plain = [field.rstrip("_") if field not in names else field for field in fields]
    if len(set(names)) < len(names) or not set(plain) <= set(names) or len(set(plain)) < len(plain):
        return None
    return {field: names.index(name) for field, name in zip(fields, plain, strict=True)}


def compared(graph: Graph, found: Results, expected: Results) -> list[str]:
    """List the differences between two runs."""
    told: list[str] = []
    for place, value in expected.outputs.items():
        name = "the output" if place < 0 else f"tap {graph.taps[place].name}"
        told += unequal(name, found.outputs[place], value)
    for name, value in expected.buffers.items():
        told += unequal(f"buffer {name} afterwards", found.buffers.get(name), value)
    largest = max((greatest(value) for value in expected.gradients.values() if value is not None), default=0.0)
    for name, value in expected.gradients.items():
        told += unequal(f"the gradient of {name}", found.gradients.get(name), value, max(FLOOR, ROUNDED * largest))
    return told[:3]


def greatest(value: torch.Tensor) -> float:
    """Return the largest finite magnitude in a tensor."""
    return value.detach().nan_to_num(0, 0, 0).abs().max().item() if value.numel() else 0.0


def unequal(name: str, found: torch.Tensor | None, expected: torch.Tensor | None, floor: float = FLOOR) -> list[str]:
    """Return a message if two values differ by more than `floor`; a missing gradient equals one of zeros."""
    import torch

    if expected is None or found is None:
        given = found if expected is None else expected
        return [f"{name} is None"] if given is not None and bool((given != 0).any()) else []
    if found.shape != expected.shape:
        return [f"{name} has the shape {tuple(found.shape)} in place of {tuple(expected.shape)}"]
    scale = greatest(expected)
    near = max(NEAR * scale, floor)
    if torch.allclose(found.double(), expected.double(), rtol=NEAR, atol=near, equal_nan=True):
        return []
    return [f"{name} differs by {(found - expected).abs().max().item():.3g}, of {scale:.3g}"]
