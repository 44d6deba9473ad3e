"""The model of a drawing as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.emit.drawing.cards.account import inner_chains
from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    CardLine,
    DrawingModel,
    FusedRow,
    InsetBox,
    NetCard,
    PanelElement,
    RepeatFrame,
    SpineBranching,
    SpineRow,
    SpineStep,
)


def dump(drawing: DrawingModel) -> str:
    """Return a model as lines of text: the spine, the links over its steps, the panels."""
    lines: list[str] = [drawing.name]
    for at, (step, is_joined) in enumerate(zip(drawing.steps, drawing.is_joined, strict=True)):
        lines += [f"{at:3} {'|' if is_joined else ' '} {text}" for text in _step(step)]
    for link in drawing.links:
        lines.append(f"link {link.source} -> {link.target}" + (f" branch {link.branch}" if link.branch >= 0 else ""))
    for end in drawing.ends:
        lines.append(f"output {end.name} of {end.step}" + (", training only" if end.training_only else ""))
    for panel in drawing.panels:
        lines += _panel(panel)
    return "\n".join(lines)


def _step(step: SpineStep) -> Iterator[str]:
    match step:
        case SpineRow():
            yield f"{_row(step.row)} -> {step.shape}"
        case SpineBranching():
            yield from _element(step.element)
        case NetCard():
            times = f" ×{step.times}" if step.times > 1 else ""
            yield f"card {step.name!r}{times} -> {step.shape}"
            if step.heads:
                yield f"  heads {' | '.join(step.heads)}"
            if step.growth:
                yield f"  growth {step.growth.entering} + {step.growth.layers}*{step.growth.growth}"
            if step.table:
                yield f"  table {' '.join(step.table.heads)} ({' '.join(step.table.kinds)})"
                for size, row, count in zip(step.table.sizes, step.table.rows, step.table.times, strict=True):
                    yield f"    {size or '-'}: {' | '.join(row)} x{count}"
            else:
                yield from (f"  {_line(line)}" for line in step.lines)


def _line(line: CardLine) -> str:
    if line.row is not None:
        return f"{_row(line.row)} x{line.times}"
    first = " 1st" if line.is_first else ""
    columns = f" [{' | '.join(line.columns)}]" if line.columns else ""
    return f"{line.key or '-'} {line.title} {line.text} x{line.times}{first}{columns}"


def _row(row: FusedRow) -> str:
    return "[" + " | ".join(cell.text + ("?" if cell.is_optional else "") for cell in row.cells) + "]"


def _panel(panel: BlockPanel) -> Iterator[str]:
    yield f"panel {panel.key or '-'} {panel.title} ({panel.caption}) x{panel.times} {panel.kind}"
    if panel.steps:
        yield f"  from {', '.join(map(str, panel.steps))}"
    yield f"  enters {panel.entering}"
    for element in panel.elements:
        yield from (f"  {text}" for text in _element(element))
    yield f"  leaves {panel.leaving}"


def _element(element: PanelElement) -> Iterator[str]:
    yield _head(element)
    for at, chain in enumerate(inner_chains(element)):
        indent = ""
        if isinstance(element, Branching):
            source = f" from {element.names[at]}" if element.sources and element.sources[at] >= 0 else ""
            yield f"  branch{source}" + ("" if chain else " (identity)")
            indent = "  "
        yield from (f"{indent}{text}" for text in _inner(chain))


def _head(element: PanelElement) -> str:
    match element:
        case FusedRow():
            return _row(element)
        case InsetBox():
            return f"<{element.title}>" + ("?" if element.is_optional else "")
        case RepeatFrame():
            return f"repeat x{element.times}"
        case Branching():
            return f"{element.word} {' + '.join(map(str, element.widths))}".rstrip()


def _inner(elements: Sequence[PanelElement]) -> Iterator[str]:
    for each in elements:
        yield from (f"  {text}" for text in _element(each))
