"""Holds an emitted module against the plain reading of its graph: outputs, taps, gradients, state.

The names of the state are those that the text says, which `names` reads from it without the elaborator.

Both run in double precision with the same weights, in evaluation and in training, on batches of one, two and three.
Whatever random layers draw depends on nothing but its shape (`Running` sees to that), so dropout is compared as well
and may be called in any order. Constructors are compared in `construction`.
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
"""Relative to the largest value: kernels add up in another order where memory lies differently."""
FLOOR = 1e-10
"""Below this a value is nothing but rounding, such as what normalising a single value leaves."""
ROUNDED = 1e-14
"""Of the largest gradient of a network: what rounding leaves of one that is zero, as that of a bias which a batch
normalisation takes away again."""


class Results(NamedTuple):
    """What one run gives: outputs by the tap's place (-1 for the main one), gradients by name, buffers."""

    outputs: dict[int, torch.Tensor]
    gradients: dict[str, torch.Tensor | None]
    buffers: dict[str, torch.Tensor]


class Failure(Exception):
    """Says what went wrong with an emitted module where nothing can be compared any more."""


def differences(text: str, settings: Mapping[str, object] | None = None) -> list[str]:
    """Lists how the emitted module of a program differs from what its graph says; empty where it does not.

    Raises CnnError where the text is not a program.
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
    """Makes a module in double precision. Raises Failure where that cannot be, CnnError where it is refused."""
    try:
        with quiet():
            return make().double()
    except CnnError:
        raise
    except Exception as error:
        raise Failure(f"{what}: {shown(error)}") from error


def network_class(source: str) -> Callable[..., nn.Module]:
    """Finds the class of the network itself in an emitted source: the last of those that are modules."""
    from torch import nn

    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), names)
    classes = [each for each in names.values() if isinstance(each, type) and each.__module__ == "emitted"]
    return [each for each in classes if issubclass(each, nn.Module)][-1]


def shown(error: BaseException) -> str:
    """Shows an error with the innermost line of ours or of the emitted module."""
    frames = [each for each in extract_tb(error.__traceback__) if "torch" not in each.filename.split("/")]
    place = f" (in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}{place}"


@contextmanager
def quiet() -> Generator[None]:
    """Keeps back PyTorch's warning that an even kernel with padding="same" costs a copy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def expected_state(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Lists the entries of the state that the graph asks for, with their shapes."""
    tensors = ((node, tensor) for node in graph for tensor in graph.tensors(node))
    return {tensor.entry(node.path): tuple(tensor.shape) for node, tensor in tensors if tensor.persistent}


def state_differences(graph: Graph, network: nn.Module, what: str) -> list[str]:
    """Compares the names and shapes of the state with those of the graph, in whatever order."""
    expected = expected_state(graph)
    found = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    lacking = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    others = [name for name, shape in expected.items() if found.get(name, shape) != shape]
    lists = (("lacks", lacking), ("has too much", surplus), ("has another shape", others))
    return [f"{what}: the state {verb}: {', '.join(names)}" for verb, names in lists if names]


def seeded(graph: Graph) -> dict[str, torch.Tensor]:
    """Draws a state that depends on the graph alone: large enough that deep values stay alive."""
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
    """Runs a module beside the reference; the first mode and batch at which they differ is told, and how."""
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
                    continue  # Statistics of a single value: torch refuses them, and the emitted module may too.
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
        """Runs the plain reading of the graph."""
        reference.load(self.state)
        reference.train(training)
        images = self._images(batch)
        with self._repeatable():
            values = reference.values(*images)
        outputs = {place: values[node] for place, node in self._places(training).items()}
        modules = {self.graph.nodes[at].path: module for at, module in reference.own().items()}
        return self._results(images, outputs, modules)

    def of_module(self, network: nn.Module, training: bool, batch: int) -> Results:
        """Runs an emitted module. Raises Failure where it gives the wrong number of results."""
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
        """Tells which result is which: by the names of a NamedTuple where they say it, else by place."""
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
        """Maps each result that is due to its node."""
        taps = ((at, tap) for at, tap in enumerate(self.graph.taps) if training or not tap.training_only)
        return {-1: self.graph.output, **{at: tap.node for at, tap in taps}}

    def _images(self, batch: int) -> list[torch.Tensor]:
        """A batch for each input, all of them different."""
        import torch

        generator = torch.Generator().manual_seed(batch)
        shapes = [(batch, node.shape.channels, *node.shape.spatial) for node in self.graph.inputs]
        drawn = (torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes)
        return [each.sub_(0.4).requires_grad_() for each in drawn]

    def _results(
        self, images: list[torch.Tensor], outputs: dict[int, torch.Tensor], modules: Mapping[str, nn.Module]
    ) -> Results:
        """Goes backward from a weighted sum of all results, and gathers what there is to compare."""
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
        """Lets every random operation draw from the same seed, so that its order among others does not matter."""
        if not self.draws:
            yield
            return
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        class Reseeding(TorchDispatchMode):
            """Seeds anew in front of whatever draws."""

            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                if torch.Tag.nondeterministic_seeded in func.tags:
                    torch.default_generator.manual_seed(1)
                return func(*args, **(kwargs or {}))

        with Reseeding():
            yield


def always(taps: Sequence[Output]) -> list[int]:
    """Lists the places of the taps that always run."""
    return [at for at, tap in enumerate(taps) if not tap.training_only]


def by_name(taps: Sequence[Output], fields: Sequence[str]) -> dict[str, int] | None:
    """Matches the fields of a result with taps; None where names do not tell, as with two taps of one name."""
    names = [tap.name for tap in taps]
    plain = [field.rstrip("_") if field not in names else field for field in fields]
    if len(set(names)) < len(names) or not set(plain) <= set(names) or len(set(plain)) < len(plain):
        return None
    return {field: names.index(name) for field, name in zip(fields, plain, strict=True)}


def compared(graph: Graph, found: Results, expected: Results) -> list[str]:
    """Lists what differs between two runs."""
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
    """Returns the largest finite magnitude in a tensor."""
    return value.detach().nan_to_num(0, 0, 0).abs().max().item() if value.numel() else 0.0


def unequal(name: str, found: torch.Tensor | None, expected: torch.Tensor | None, floor: float = FLOOR) -> list[str]:
    """Says how two values differ by more than `floor`; a gradient that was never asked for is one of zeros."""
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
