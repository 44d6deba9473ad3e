"""A network in Python: what `cnndsl.load` gives."""

from __future__ import annotations

from dataclasses import field, fields, replace
from functools import cached_property
from os import fspath
from typing import TYPE_CHECKING, Any, Literal, cast

from cnndsl import files
from cnndsl.errors import CnnError, Source
from cnndsl.finding import find, used
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.settings import values

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    import networkx as nx
    from torch import nn

    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.execution import Executions
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.emit.drawing.layout.page import WidthName
    from cnndsl.emit.drawing.themes import ThemeName
    from cnndsl.report.stats import Stats
    from cnndsl.sweeping.input_sizes import InputSizes
    from cnndsl.sweeping.running import SweepRow
    from cnndsl.values import Value


@record
class Network:
    """A checked, immutable network. `graph` holds its layers and shapes; everything else is computed from that."""

    graph: Graph = field(repr=False)

    @property
    def name(self) -> str:
        """Return the name of the network, or that of its file if it has no name."""
        return self.graph.title

    def stats(
        self,
        batch: int | None = None,
        *,
        dtype: Dtype | None = None,
        optimizer: Optimizer | None = None,
        device: Device | None = None,
        gpu: str | Card | None = None,
    ) -> Stats:
        """Return parameters, multiply-adds, output shapes and receptive fields, per layer and in total. Needs no torch.

        Any of `batch`, `dtype`, `optimizer` and `device` adds the memory for inference and for training, in bytes. The
        defaults are 1 image, fp32, SGD, and a CPU, or CUDA if `gpu` is given. `gpu` is the name of a card; it adds the
        least time of each layer in a forward pass of the batch, in seconds.

        Raises ValueError for a batch below 1, for an unknown type, optimizer, device or card, and for a card that does
        not support the type.

        >>> network = loads("INPUT 8x8x3 -> CONV3-4 -> RELU")
        >>> network.stats().totals.params
        112
        >>> found = network.stats(64, dtype="bf16", gpu="h100").roofline
        >>> found.card.name, found.batch, found.dtype, found.total.bound
        ('H100-SXM', 64, 'bf16', 'bandwidth')
        """
        stats = self._stats
        if batch is not None or dtype or optimizer or device:
            from cnndsl.report.memory import BatchSetup, footprint

            plan = BatchSetup(
                1 if batch is None else batch, dtype or "fp32", optimizer or "sgd", device or ("cuda" if gpu else "cpu")
            )
            plan.check()
            stats = replace(stats, memory=footprint(self.graph, plan, executions))
        if gpu is None:
            return stats
        from cnndsl.analysis.cards import card_of
        from cnndsl.analysis.roofline import roofline

        card = card_of(gpu) if isinstance(gpu, str) else gpu
        return replace(stats, roofline=roofline(self.graph, card, batch or 1, dtype or "fp32"))

    def networkx(self, batch: int = 1) -> nx.DiGraph[int]:
        """Return the graph as a new `networkx.DiGraph` with all metrics on its nodes. Memory is that of the batch.

        >>> graph = loads("INPUT 8x8x3 -> CONV3-4 -> (ID + ID)").networkx()
        >>> graph.nodes[1]["params"], graph.edges[1, 2]["operands"]
        (112, [0, 1])
        """
        from cnndsl.report.annotated import annotated

        return annotated(self.stats(batch))

    def source(self) -> str:
        """Return Python source with the network as a `torch.nn.Module`, which needs torch and nothing else."""
        from cnndsl.emit.torch.verified import verified_source

        return verified_source(self.graph)

    def module(self) -> nn.Module:
        """Return the network as a `torch.nn.Module` with initialised weights. Needs torch."""
        from cnndsl.runtime.live import module

        return module(self.graph)

    def render(
        self,
        path: str | PathLike[str] | None = None,
        *,
        width: WidthName | None = None,
        theme: ThemeName = "paper",
        layout: Literal["cards", "dot"] = "cards",
        fold: bool = False,
        force: bool = True,
        format: Literal["dot", "mermaid"] | None = None,
    ) -> str:
        """Draw the network to a .svg, .png, .pdf, .tex, .mmd or .gv file, and return the drawing as text.

        Each repeat is drawn once, labelled with its number of iterations. `width` is "column", "page" or "slide", by
        default whichever fits; `theme` is "paper", "dark" or "mono". With `layout="dot"` Graphviz draws every layer,
        or each repeat once with `fold`. The returned text is DOT, or Mermaid, which GitHub draws in Markdown, for a
        .mmd file and with `format="mermaid"`. Raises FileError if the drawing cannot be made or written.

        >>> print(loads("net Two\\nINPUT 8x8x3 -> FC-2").render(format="mermaid").splitlines()[:2])
        ['%% Two', 'flowchart TB']
        """
        from cnndsl.emit.drawing.dot import dot
        from cnndsl.emit.drawing.draw import DOT_ENDINGS, draw

        target = None if path is None else fspath(path)
        is_chart = target is not None and target.lower().endswith(".mmd")
        text = self._mermaid() if is_chart or format == "mermaid" else dot(self.graph, fold_repeats=fold)
        if target is None:
            return text
        if is_chart:
            files.write(target, text.encode(), force=force)
            return text
        if layout == "dot" or target.lower().endswith(DOT_ENDINGS):
            files.write(target, draw(dot(self.graph, fold_repeats=fold), target), force=force)
            return text
        from cnndsl.emit.drawing.diagram import diagram, links_from
        from cnndsl.emit.drawing.formats import PictureOptions, as_bytes, picture_format

        kind = picture_format(target)
        picture = diagram(self.graph, width, link=links_from(target))
        files.write(target, as_bytes(picture, kind, PictureOptions(theme)), force=force)
        return text

    def _mermaid(self) -> str:
        from cnndsl.emit.drawing.cards.fold import model
        from cnndsl.emit.drawing.mermaid import mermaid

        return mermaid(model(self.graph))

    def __repr__(self) -> str:
        totals = self._stats.totals
        figures = f"{totals.params:,} parameters, {totals.macs:,} multiply-adds"
        inputs = self.graph.inputs
        entering = ", ".join(f"{node.path} {node.shape}" if len(inputs) > 1 else str(node.shape) for node in inputs)
        return f"Network({self.name}, input{'s' * (len(inputs) > 1)} {entering}, {figures})"

    def _repr_svg_(self) -> str:
        """The picture, for notebooks, which would take an HTML table instead if there was one: `stats()` has that."""
        from cnndsl.emit.drawing.diagram import diagram
        from cnndsl.emit.drawing.svg import svg
        from cnndsl.emit.drawing.themes import theme

        return svg(diagram(self.graph), theme("paper"))

    @cached_property
    def _stats(self) -> Stats:
        from cnndsl.report.metrics import metrics
        from cnndsl.report.stats import Stats

        found = metrics(self.graph, executions)
        return Stats(**{each.name: getattr(found, each.name) for each in fields(found)})


def load(path: str | PathLike[str], /, **parameters: object) -> Network:
    """Load a network from a file or, if there is no such file, the bundled network of that name.

    Set parameters of the network by name: `load("vgg16", classes=10)`. `input` replaces the shape of the input,
    `load("vgg16", input=(160, 160, 3))`, or of one of several, `input={"left": (64, 64, 1)}`; assertions are then not
    checked. Raises FileError if there is neither a file nor a bundled network, CnnError if the program is invalid.
    """
    return compiled(find(fspath(path)), values(parameters))


def loads(text: str, /, **parameters: object) -> Network:
    """Compile the text of a program. Raises CnnError if it is invalid."""
    return compiled(Source("<text>", text), values(parameters))


def compiled(source: Source, settings: Mapping[str, Value]) -> Network:
    """The network of a program, its contracts checked. Raises CnnError where it is not one."""
    from cnndsl.analysis.assertions import check

    try:
        graph = graph_of(source, settings)
    except CnnError as stop:
        from cnndsl.elaborate.nearby_inputs import with_inputs
        from cnndsl.fixes import tried
        from cnndsl.recovery import with_more

        for more in (with_inputs, with_more, tried):
            stop = more(stop, source, settings, used)
        raise stop from None
    if broken := check(graph, executions):
        from cnndsl.fixes import tried

        raise tried(CnnError(broken), source, settings, used)
    return Network(graph)


def executions(graph: Graph) -> Executions | None:
    """How the module of a graph runs, on which its memory depends; None where that is not known."""
    from cnndsl.emit.torch.execution import executions

    return executions(graph)


def graph_of(source: Source, settings: Mapping[str, Value]) -> Graph:
    """The graph of a program, its contracts not looked at. Raises CnnError where it is not a network."""
    from cnndsl.elaborate.program import elaborate
    from cnndsl.syntax.parse import parse

    return elaborate(parse(source), settings, used)


def sizes(
    net: Network | str | PathLike[str], /, *, up_to: int | None = None, of: str | None = None, **parameters: object
) -> InputSizes:
    """Return the input sizes with which a network compiles, as rules, and a row for each size that was tried.

    Args:
        net: The network, the path of its file, or the name of a bundled one. A file need not compile as it is.
        up_to: The largest size to try; by default 512, or more if the input is larger.
        of: Of several inputs the one that varies; by default all that are as large as the first one with axes.
        parameters: Those of a file, as for `load`.

    Rows are plain data: `pandas.DataFrame(cnndsl.sizes("alexnet_2012"))`. Assertions, which are about the written
    input, are not checked. Raises FileError and CnnError as `load` does, and ValueError where no input has axes or is
    called `of`.

    >>> found = sizes(loads("INPUT 224x224x3 -> [CONV3-8 -> POOL2]*5 -> FC-10"))
    >>> found
    InputSizes(text, H and W: at least 32)
    >>> found.lines[0].same_weights.text, found[30]["path"], found[31]["output"]
    ('224 to 255', '9', '10')
    """
    from os import fspath

    from cnndsl.sweeping.size_search import SizeSearch
    from cnndsl.sweeping.size_survey import input_sizes
    from cnndsl.syntax.parse import parse

    if isinstance(net, Network):
        graph = net.graph
        file = parse(graph.source) if graph.is_program else None
        return input_sizes(SizeSearch(file, graph.settings, used, graph, of), up_to)
    return input_sizes(SizeSearch(parse(find(fspath(net))), values(parameters), used, of=of), up_to)


def from_module(module: nn.Module, *shapes: Sequence[int]) -> Network:
    """Convert a PyTorch module into a network; `net.graph.source.text` is the program.

    This runs the module's code on tensors without values and leaves the module unchanged. The program keeps the
    module's names, so its weights load: `net.module().load_state_dict(module.state_dict())`. Before it is returned, it
    is compared with the module, first operator by operator, then in numbers.

    Args:
        module: The module.
        shapes: The shape of each input, without the batch and in torch's order: channels, then the extents.

    Raises CnnError if the module cannot be written as a program; the message lists every reason.

    >>> from torch import nn
    >>> print(from_module(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 16, 16)).graph.source.text)
    # Imported from Sequential.
    INPUT 16x16x3
    -> CONV3-8(pad=valid) -> RELU
    <BLANKLINE>
    assert params == 224
    assert output == 14x14x8
    <BLANKLINE>
    """
    from cnndsl.runtime.importing.imported import text_of_module
    from cnndsl.shape import Shape

    entering = [Shape(channels, tuple(extents)) for channels, *extents in shapes]
    return compiled(Source("<import>", text_of_module(module, entering, type(module).__name__)), {})


def from_networkx(graph: nx.Graph[Any], *, name: str = "", output: Hashable = None) -> Network:
    """Convert a networkx graph into a network.

    Each node has a layer as in a program, `layer="CONV3-64"`, or a merge, `layer="+"`. The names of the nodes become
    keys of the module's `state_dict`, reduced to letters, digits and `_`. Each edge is a value that a node reads; if
    their order matters, edges have an `operand`, counted from 0. For `x + x` use a MultiDiGraph, or one edge with
    `operands=(0, 1)`. Nodes that nothing reads are the output and, with an attribute `tap="name"`, further outputs;
    `output` names the node that is the output.

    Raises CnnError if the graph is not a network; each error names the node.

    >>> import networkx as nx
    >>> graph = nx.DiGraph([("x", "a"), ("a", "sum"), ("x", "sum")])
    >>> nx.set_node_attributes(graph, {"x": "INPUT 8x8x4", "a": "CONV3-4", "sum": "+"}, "layer")
    >>> from_networkx(graph).stats().totals.params
    148
    """
    from cnndsl.importers.from_networkx import graph_from_networkx

    return Network(graph_from_networkx(graph, name, output))


def sweep(
    path: str | PathLike[str],
    parameters: Mapping[str, object] | None = None,
    *,
    metrics: Sequence[str] = ("params", "macs", "depth", "output"),
    where: str = "",
    sample: int | None = None,
    seed: int = 0,
    jobs: int = 1,
) -> Iterator[SweepRow]:
    """Yield the configurations of a network one by one, the last parameter changing fastest.

    Args:
        path: A file, or the name of a bundled network.
        parameters: The values to try in place of a parameter's domain: a list of them, or a text as `--set` takes,
            `"1..3"`. Values are those that `load` takes.
        metrics: The metrics of docs/figures.md. Without inference, saved, training and receptive_field a sweep is
            many times faster.
        where: A test that valid configurations must pass, as `--where` takes: `"params < 5M"`.
        sample: So many configurations, chosen at random with the `seed`; None for all.
        seed: The seed of `sample`.
        jobs: The most processes.

    Raises CnnError for a family that is invalid as a whole, or a test that is; FileError for a file that cannot be
    read; KeyError for an unknown metric.

    >>> rows = list(sweep("recipe", {"N": [1, 2], "M": [1], "K": [0], "pool": "yes"}, metrics=["params", "depth"]))
    >>> [(row.settings["N"], row.metrics["params"]) for row in rows]
    [(1, 165642), (2, 202570)]
    """
    from cnndsl.analysis.metric_table import OF_NETWORKS
    from cnndsl.finding import used
    from cnndsl.sweeping import running
    from cnndsl.sweeping import sweep as family
    from cnndsl.sweeping.where import Vocabulary, condition, mentioned

    unknown = [name for name in metrics if name not in OF_NETWORKS]
    if unknown:
        raise KeyError(unknown[0])
    domains: dict[str, Sequence[Value]] = {}
    for name, given in (parameters or {}).items():
        if isinstance(given, str):
            domains[name] = family.values(given)
        else:
            domains[name] = [values({name: each})[name] for each in cast("Iterable[object]", given)]
    walked = family.family(find(fspath(path)), domains, used)
    words = family.name_values(walked)
    known = Vocabulary(tuple(dict.fromkeys((*walked.domains, *OF_NETWORKS))), tuple(words))
    test = condition(where) if where else None
    asked = mentioned(test, known) - set(walked.domains) if test is not None else set[str]()
    numbers = range(walked.size) if sample is None else walked.drawn(sample, seed)
    needed = [name for name in OF_NETWORKS if name in {*metrics, *asked}]
    for member in running.measured(walked, numbers, executions, needed, jobs):
        if test is None or member.figures is None or family.holds(test, member, words):
            yield running.as_row(member, metrics)
