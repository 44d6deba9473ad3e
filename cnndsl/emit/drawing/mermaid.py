"""The folded drawing as Mermaid, which GitHub draws in Markdown: the spine, and a subgraph for each opened block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cnndsl.emit.drawing.cards.model import (
    Branching,
    CardLine,
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
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.terminal import clean

_ESCAPED = {each: f"#{ord(each)};" for each in '#&<>"`\\[](){}|*_~;%'}
"""What Mermaid, or the Markdown in its labels, would take as more than a character."""


@dataclass(eq=False)
class _Flowchart:
    """The lines of a chart, and how many nodes and subgraphs it has."""

    lines: list[str] = field(default_factory=list[str])
    count: int = 0

    def node(self, text: str, form: tuple[str, str] = ("[", "]")) -> str:
        """Add a node and return its id."""
        self.count += 1
        self.lines.append(f'  n{self.count}{form[0]}"{text}"{form[1]}')
        return f"n{self.count}"

    def edge(self, source: str, target: str, label: str = "", arrow: str = "-->") -> None:
        """Add an edge."""
        told = f'|"{label}"|' if label else ""
        self.lines.append(f"  {source} {arrow}{told} {target}")

    def open(self, title: str) -> None:
        """Begin a subgraph."""
        self.count += 1
        self.lines.append(f'  subgraph g{self.count}["{title}"]')

    def close(self) -> None:
        """End a subgraph."""
        self.lines.append("  end")


def mermaid(drawing: DrawingModel) -> str:
    """Return a drawing as a Mermaid flowchart."""
    chart = _Flowchart()
    names = [_step(chart, step) for step in drawing.steps]
    for at, joined in enumerate(drawing.is_joined):
        if joined and at:
            chart.edge(names[at - 1][1], names[at][0], _escaped(_shape(drawing.steps, at - 1)))
    _links(chart, drawing.links, names)
    if drawing.steps:
        out = chart.node(_escaped(drawing.steps[-1].shape), ("([", "])"))
        chart.edge(names[-1][1], out)
    for panel in drawing.panels:
        if not panel.elements:
            continue
        title = " ".join(filter(None, (panel.key, panel.title)))
        chart.open(_escaped(f"{title}: {panel.caption}" if panel.caption else title))
        inputs = [each or panel.entering for each in panel.inputs] if len(panel.inputs) > 1 else [panel.entering]
        entries = [chart.node(_escaped(each or "input"), ("([", "])")) for each in inputs]
        ends = _elements(chart, panel.elements, entries, panel.joined, panel.links)
        for at, name in panel.outputs:
            chart.edge(ends[at], chart.node(_escaped(name or "output"), ("([", "])")))
        chart.close()
        for step in panel.steps:
            chart.edge(names[step][1], entries[0], arrow="-.->")
    head = [f"%% {_comment(drawing.name)}", "flowchart TB", f"  accTitle: {_comment(drawing.name)}"]
    return "\n".join([*head, f"  accDescr: {_comment(drawing.description)}", *chart.lines, ""])


def _comment(text: str) -> str:
    return "".join(each if each not in "{};#%" else " " for each in clean(text))


def _escaped(text: str) -> str:
    r"""Return a text as a label has it.

    >>> _escaped('a "b" #1')
    'a #34;b#34; #35;1'
    """
    return "".join(_ESCAPED.get(each, each) for each in clean(text))


def _shape(steps: Sequence[SpineStep], at: int) -> str:
    """The shape behind a step, where it changed there."""
    step = steps[at]
    is_input = isinstance(step, SpineRow) and step.is_input
    return "" if is_input or (at and steps[at - 1].shape == step.shape) else step.shape


def _links(chart: _Flowchart, links: Sequence[SkipLink], names: Sequence[tuple[str, str]]) -> None:
    for source, target, is_dashed in dict.fromkeys((each.source, each.target, each.is_dashed) for each in links):
        if source >= 0:
            chart.edge(names[source][1], names[target][0], arrow="-.->" if is_dashed else "-->")


def _step(chart: _Flowchart, step: SpineStep) -> tuple[str, str]:
    """Add a step of the spine, and return the ids at which it is entered and left."""
    if isinstance(step, NetCard):
        title = f"{step.name or step.title} {TIMES}{step.times}" if step.times > 1 else step.name or step.title
        lines = [_escaped(title), *(_escaped(text) for line in step.lines if (text := _line(line)))]
        name = chart.node("<br/>".join(filter(None, lines)) or " ")
        return name, name
    if isinstance(step, SpineRow):
        name = chart.node(_row(step.row), ("([", "])") if step.is_input else ("[", "]"))
        return name, name
    if not step.element.branches:
        name = chart.node(_escaped(step.element.sign or step.element.word), ("((", "))"))
        return name, name
    entry = chart.node(" ", ("((", "))"))
    return entry, _branches(chart, step.element, entry)


def _line(line: CardLine) -> str:
    if line.row is not None:
        text = ", ".join(cell.text for cell in line.row.cells)
    else:
        text = " ".join(filter(None, (line.key, line.text or line.title)))
    return f"{text} {TIMES}{line.times}" if line.times > 1 else text


def _row(row: FusedRow) -> str:
    return _escaped(", ".join(cell.text for cell in row.cells)) or " "


def _elements(
    chart: _Flowchart,
    elements: Sequence[PanelElement],
    entries: Sequence[str],
    joined: Sequence[bool] = (),
    links: Sequence[SkipLink] = (),
) -> list[str]:
    """Add elements that follow one another, and return the ids at which each is left."""
    ends: list[tuple[str, str]] = []
    targets = {link.target for link in links}
    for at, element in enumerate(elements):
        before = ends[-1][1] if ends else entries[0]
        is_joined = joined[at] if at and joined else at not in targets
        ends.append(_element(chart, element, before if is_joined else ""))
    for link in links:
        source = entries[-1 - link.source] if link.source < 0 else ends[link.source][1]
        chart.edge(source, ends[link.target][0])
    return [end for _, end in ends]


def _chain(chart: _Flowchart, elements: Sequence[PanelElement], entry: str) -> str:
    """Add elements that follow one another, and return the id at which the last one is left."""
    return _elements(chart, elements, [entry])[-1] if elements else entry


def _element(chart: _Flowchart, element: PanelElement, before: str) -> tuple[str, str]:
    """Add an element behind a node, and return the ids at which it is entered and left."""
    match element:
        case FusedRow():
            name = chart.node(_row(element))
        case InsetBox():
            name = chart.node(_escaped(element.title) or " ", ("[[", "]]"))
        case RepeatFrame():
            chart.open(element.text or f"{TIMES}{element.times}")
            start = chart.node(" ", ("((", "))"))
            end = _chain(chart, element.elements, start)
            chart.close()
            if before:
                chart.edge(before, start)
            return start, end
        case Branching():
            if element.branches:
                start = before or chart.node(" ", ("((", "))"))
                return start, _branches(chart, element, start)
            name = chart.node(_escaped(element.sign or element.word), ("((", "))"))
    if before:
        chart.edge(before, name)
    return name, name


def _branches(chart: _Flowchart, element: Branching, entry: str) -> str:
    """Add branches between a node and the one that merges them, and return the latter."""
    ends = list(_ends(chart, element, entry))
    merge = chart.node(_escaped(element.sign or element.word), ("((", "))"))
    for end, label in ends:
        chart.edge(end, merge, label)
    return merge


def _ends(chart: _Flowchart, element: Branching, entry: str) -> Iterator[tuple[str, str]]:
    """Add each branch; yield the id at which it is left, and how many equal ones it stands for."""
    for at, branch in enumerate(element.branches):
        start = entry
        if at < len(element.sources) and element.sources[at] >= 0:
            named = element.names[at] if at < len(element.names) else ""
            start = chart.node(_escaped(named or "earlier"), ("([", "])"))
        times = element.counts[at] if at < len(element.counts) else 1
        yield _chain(chart, branch, start), f"{TIMES}{times}" if times > 1 else ""
