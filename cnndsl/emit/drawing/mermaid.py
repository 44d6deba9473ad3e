"""Writes the folded drawing as Mermaid for GitHub's Markdown: the spine, a subgraph for each opened block, a legend.

The syntax follows Mermaid's documentation of flowcharts. Labels are in quotes; characters that Mermaid or the Markdown
in its labels would interpret are written as entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cnndsl.emit.drawing.cards.legend import with_shown
from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    CardLine,
    CardTable,
    DrawingModel,
    FusedRow,
    InsetBox,
    NetCard,
    PanelElement,
    RepeatFrame,
    SkipLink,
    SpineRow,
    SpineStep,
)
from cnndsl.emit.drawing.cards.shared import edge_text
from cnndsl.emit.drawing.cards.words import TIMES, growth_text
from cnndsl.terminal import clean

_ESCAPED = {each: f"#{ord(each)};" for each in '#&<>"`\\[](){}|*_~;%'}
"""The characters that Mermaid, or the Markdown in its labels, would interpret."""
_LIST = re.compile(r"[-+](?=\s|$)|(?<=\d)\.(?=\s)")
"""A Markdown list marker at the start of a label."""
_CLASSES = {
    "optional": "stroke-dasharray:4 3",
    "training": "stroke-dasharray:4 3",
    "note": "fill:none,stroke:none",
}
"""Looks of nodes and subgraphs."""
_ARROW, _DASHED = "-->", "-.->"
_BOX, _PILL, _CIRCLE, _CLOSED = ("[", "]"), ("([", "])"), ("((", "))"), ("[[", "]]")


@dataclass(eq=False)
class _Flowchart:
    """The lines of a chart, the numbers of its nodes and subgraphs, its labels, and the classes that they have."""

    lines: list[str] = field(default_factory=list[str])
    count: int = 0
    labels: list[str] = field(default_factory=list[str])
    edges: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    classes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def node(self, lines: str | Sequence[str], form: tuple[str, str] = _BOX, kind: str = "") -> str:
        """Add a node with lines of text and return its id."""
        self.count += 1
        texts = [lines] if isinstance(lines, str) else [each for each in lines if each]
        self.labels += texts
        label = "<br/>".join(map(_escaped, texts)) or " "
        self.lines.append(f'  n{self.count}{form[0]}"{label}"{form[1]}')
        if kind:
            self.classes.setdefault(kind, []).append(f"n{self.count}")
        return f"n{self.count}"

    def edge(self, source: str, target: str, label: str = "", *, is_dashed: bool = False) -> None:
        """Add an edge unless it already exists."""
        if (source, target) in self.edges and not label:
            return
        self.edges.add((source, target))
        told = f'|"{_escaped(label)}"|' if label else ""
        self.lines.append(f"  {source} {_DASHED if is_dashed else _ARROW}{told} {target}")

    def open(self, title: str, kind: str = "") -> None:
        """Start a subgraph."""
        self.count += 1
        self.labels.append(title)
        self.lines.append(f'  subgraph g{self.count}["{_escaped(title)}"]')
        if kind:
            self.classes.setdefault(kind, []).append(f"g{self.count}")

    def close(self) -> None:
        """End a subgraph."""
        self.lines.append("  end")

    def looks(self) -> Iterator[str]:
        """Yield the lines that style the nodes and subgraphs."""
        for kind, members in self.classes.items():
            yield f"  classDef {kind} {_CLASSES[kind]}"
            yield f"  class {','.join(members)} {kind}"


def mermaid(drawing: DrawingModel) -> str:
    """Return a drawing as a Mermaid flowchart."""
    chart = _Flowchart()
    names = [_step(chart, step) for step in drawing.steps]
    for at, joined in enumerate(drawing.is_joined):
        if joined and at:
            chart.edge(names[at - 1][1], names[at][0], _shape(drawing.steps, at - 1))
    for source, target, is_dashed in dict.fromkeys(
        (each.source, each.target, each.is_dashed) for each in drawing.links
    ):
        if source >= 0:
            chart.edge(names[source][1], names[target][0], is_dashed=is_dashed)
    _outputs(chart, drawing, names)
    for panel in drawing.panels:
        _panel(chart, panel, names)
    _legend(chart, drawing)
    title, description = _comment(drawing.name), _comment(drawing.description)
    head = [f"%% {title}", "flowchart TB", f"  accTitle: {title}", f"  accDescr: {description}"]
    return "\n".join([*head, *chart.lines, *chart.looks(), ""])


def _comment(text: str) -> str:
    """Return a text as a comment line, without characters that would end it."""
    return "".join(each if each not in "{}#%" else " " for each in clean(text).replace("; ", " · ").replace(";", ","))


def _escaped(text: str) -> str:
    r"""Return a text escaped for a label.

    >>> _escaped('a "b" #1'), _escaped("+"), _escaped("up-conv + 1")
    ('a #34;b#34; #35;1', '#43;', 'up-conv + 1')
    """
    text = clean(text)
    sign = _LIST.match(text) or re.match(r"\d+\.(?=\s)", text)
    start = "".join(each if each.isdigit() else f"#{ord(each)};" for each in sign[0]) if sign else ""
    return start + "".join(_ESCAPED.get(each, each) for each in text[sign.end() if sign else 0 :])


def _shape(steps: Sequence[SpineStep], at: int) -> str:
    """Return the shape after a step if the step changes it."""
    step = steps[at]
    is_input = isinstance(step, SpineRow) and step.is_input
    return "" if is_input or (at and steps[at - 1].shape == edge_text(step)) else edge_text(step)


def _outputs(chart: _Flowchart, drawing: DrawingModel, names: Sequence[tuple[str, str]]) -> None:
    """Add all outputs of the network, with their names if they have any."""
    if drawing.output >= 0:
        chart.edge(names[drawing.output][1], chart.node(drawing.steps[drawing.output].shape, _PILL))
    for end in drawing.ends:
        lines = [f"{end.name}: {end.shape}", "in training only" if end.training_only else ""]
        node = chart.node(lines, _PILL, "training" if end.training_only else "")
        chart.edge(names[end.step][1], node, is_dashed=end.training_only)


def _panel(chart: _Flowchart, panel: BlockPanel, names: Sequence[tuple[str, str]]) -> None:
    """Add a block as a subgraph, with its notes, and the edges that lead to one beside the spine."""
    title = " ".join(filter(None, (panel.key, panel.title)))
    training = panel.kind == "training"
    chart.open(f"{title}: {panel.caption}" if panel.caption else title, "training" if training else "")
    if panel.elements:
        inputs = panel.inputs if len(panel.inputs) > 1 else ("",)
        entries = [chart.node(each or panel.entering or "input", _PILL) for each in inputs]
        end = _elements(chart, panel.elements, entries, panel.joined, panel.links, panel.outputs)
        if panel.leaving and not panel.outputs:
            chart.edge(end, chart.node(panel.leaving, _PILL))
        for step in panel.steps:
            chart.edge(names[step][1], entries[0], is_dashed=training)
    if panel.notes:
        chart.node(panel.notes, kind="note")
    chart.close()


def _legend(chart: _Flowchart, drawing: DrawingModel) -> None:
    """Add the meanings of the letters and signs in the chart."""
    lines: list[str] = []
    for entry in drawing.legend:
        if entry.kind in ("letters", "widths"):
            found = with_shown(entry, drawing.panels, drawing.steps, chart.labels) if entry.names else entry
            lines += [f"{found.symbol}: {found.text}"] if found else []
        elif entry.kind == "box" and entry.beside:
            lines.append(f"{entry.beside}: {entry.text}")
        elif entry.kind == "join" and "|" in chart.labels:
            lines.append(f"|: {entry.text}")
    if lines:
        chart.open("Legend")
        chart.node(lines, kind="note")
        chart.close()


def _step(chart: _Flowchart, step: SpineStep) -> tuple[str, str]:
    """Add a step of the spine, and return the ids of its first and last node."""
    if isinstance(step, NetCard):
        title = f"{step.name or step.title} {TIMES}{step.times}" if step.times > 1 else step.name or step.title
        rows = _table(step.table) if step.table else map(_line, step.lines)
        title = ", ".join(filter(None, (title, step.weights)))
        name = chart.node([title, *([growth_text(step.growth)] if step.growth else []), *rows])
        return name, name
    if isinstance(step, SpineRow):
        row = ", ".join(cell.text for cell in step.row.cells)
        name = chart.node([step.stage, row], _PILL if step.is_input else _BOX)
        return name, name
    if not step.element.branches:
        name = chart.node(step.element.sign or step.element.word, _CIRCLE)
        return name, name
    entry = chart.node("", _CIRCLE)
    return entry, _branches(chart, step.element, entry)


def _line(line: CardLine) -> str:
    if line.row is not None:
        text = ", ".join(cell.text for cell in line.row.cells)
    else:
        text = " ".join(filter(None, (line.key, line.text or line.title)))
    return f"{text} {TIMES}{line.times}" if line.times > 1 else text


def _table(table: CardTable) -> Iterator[str]:
    """Yield the rows of a table, each with the names of its cells, after the size of the map if that changes."""
    for row, size, times in zip(table.rows, table.sizes, table.times, strict=True):
        cells = [
            head if kind == "flag" else cell if kind == "stride" else f"{head} {cell}"
            for head, kind, cell in zip(table.heads, table.kinds, row, strict=True)
            if cell
        ]
        text = ", ".join(cells) or "1"
        text = f"{size}: {text}" if size else text
        yield f"{text} {TIMES}{times}" if times > 1 else text


def _elements(
    chart: _Flowchart,
    elements: Sequence[PanelElement],
    entries: Sequence[str],
    joined: Sequence[bool] = (),
    links: Sequence[SkipLink] = (),
    outputs: Sequence[tuple[int, str]] = (),
    *,
    is_dashed: bool = False,
) -> str:
    """Add consecutive elements, with their named outputs, and return the id of the last node. Links from -1, -2, …
    come from the first, the second, … of the `entries`; the incoming edge is dashed if its target is optional."""
    ends: list[tuple[str, str]] = []
    for at, element in enumerate(elements):
        before = ends[-1][1] if ends else entries[0]
        is_joined = not joined or joined[at]
        ends.append(_element(chart, element, before if is_joined else "", is_dashed=is_dashed and not at))
    for link in links:
        source = entries[-1 - link.source] if link.source < 0 else ends[link.source][1]
        if 0 <= link.target < len(ends):
            chart.edge(source, ends[link.target][0])
    for at, name in outputs:
        chart.edge(ends[at][1], chart.node(name or "output", _PILL))
    return ends[-1][1] if ends else entries[0]


def _element(chart: _Flowchart, element: PanelElement, before: str, *, is_dashed: bool) -> tuple[str, str]:
    """Add an element after a node, and return the ids of its first and last node."""
    match element:
        case FusedRow():
            is_optional = any(cell.is_optional for cell in element.cells)
            text = ", ".join(cell.text for cell in element.cells)
            name = chart.node(text, kind="optional" if is_optional else "")
        case InsetBox():
            title = " ".join(filter(None, (element.key, element.title)))
            name = chart.node(title, _CLOSED, "optional" if element.is_optional else "")
        case RepeatFrame():
            chart.open(element.text or f"{TIMES}{element.times}")
            start = chart.node("", _CIRCLE)
            end = _elements(chart, element.elements, [start])
            chart.close()
            if before:
                chart.edge(before, start, is_dashed=is_dashed)
            return start, end
        case Branching():
            if element.branches:
                start = before or chart.node("", _CIRCLE)
                return start, _branches(chart, element, start)
            name = chart.node(element.sign or element.word, _CIRCLE)
    if before:
        chart.edge(before, name, is_dashed=is_dashed)
    return name, name


def _branches(chart: _Flowchart, element: Branching, entry: str) -> str:
    """Add branches between a node and the one that merges them, and return the latter."""
    ends = list(_ends(chart, element, entry))
    merge = chart.node(element.sign or element.word, _CIRCLE)
    for end, label, is_dashed in ends:
        chart.edge(end, merge, label, is_dashed=is_dashed)
    return merge


def _ends(chart: _Flowchart, element: Branching, entry: str) -> Iterator[tuple[str, str, bool]]:
    """Add each branch; yield the id of its last node, the number of equal branches, and whether it is optional."""
    for at, branch in enumerate(element.branches):
        start = entry
        if at < len(element.sources) and element.sources[at] >= 0:
            named = element.names[at] if at < len(element.names) else ""
            start = chart.node(named or "earlier", _PILL)
        times = element.counts[at] if at < len(element.counts) else 1
        is_optional = at < len(element.optional) and element.optional[at]
        end = _elements(chart, branch, [start], is_dashed=is_optional)
        yield end, f"{TIMES}{times}" if times > 1 else "", is_optional
