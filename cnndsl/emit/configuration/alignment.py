"""Stages of several networks in rows: aligned by the size of what they give, then by name, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import prod

from cnndsl.emit.configuration.model import ConfigurationRow, NetworkStage, StageBlock
from cnndsl.records import record


@record(slots=True)
class _Aligned:
    """A row as far as it is known: its names and sizes in the order of the networks, and its cells."""

    names: tuple[str, ...]
    outputs: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[StageBlock, ...], ...]


def aligned(networks: Sequence[Sequence[NetworkStage]], *, by_name: bool) -> tuple[ConfigurationRow, ...]:
    """Return the rows of a table. With `by_name` stages of one name are aligned even if they have other sizes."""
    rows: list[_Aligned] = []
    for number, stages in enumerate(networks):
        pairs = _pairs(rows, stages, by_name=by_name)
        rows = [_with(rows[at] if at is not None else None, stage, number) for at, stage in pairs]
    return tuple(part for row in rows for part in _split(row))


def _split(row: _Aligned) -> Iterator[ConfigurationRow]:
    """The row in two, if all networks begin it with the same blocks and go on differently."""
    name, outputs = _one(row.names), tuple(dict.fromkeys(row.outputs))
    pairs = zip(*row.cells, strict=False)
    shared = sum(1 for _ in takewhile(lambda blocks: all(each == blocks[0] for each in blocks), pairs))
    rest = tuple(cell[shared:] for cell in row.cells)
    if shared == 0 or not any(rest) or len(row.cells) == 1:
        yield ConfigurationRow(name, outputs, row.cells)
    else:
        yield ConfigurationRow(name, outputs, tuple(cell[:shared] for cell in row.cells))
        yield ConfigurationRow(name, outputs, rest, is_continued=True)


def _with(row: _Aligned | None, stage: NetworkStage | None, number: int) -> _Aligned:
    """A row with the cell of one more network, which is empty where that has no such stage."""
    known = row or _Aligned((), (), ((),) * number)
    if stage is None:
        return _Aligned(known.names, known.outputs, (*known.cells, ()))
    return _Aligned((*known.names, stage.name), (*known.outputs, stage.output), (*known.cells, stage.blocks))


def _one(texts: Sequence[str]) -> str:
    """What stands for several texts: each that is not empty, once."""
    return " / ".join(dict.fromkeys(filter(None, texts)))


def _pairs(
    rows: Sequence[_Aligned], stages: Sequence[NetworkStage], *, by_name: bool
) -> list[tuple[int | None, NetworkStage | None]]:
    """The alignment of the greatest worth: rows and stages in order, None where one has no partner."""
    best = [[0] * (len(stages) + 1) for _ in range(len(rows) + 1)]
    for at in range(len(rows) - 1, -1, -1):
        for to in range(len(stages) - 1, -1, -1):
            worth = _worth(rows[at], stages[to], by_name=by_name)
            both = best[at + 1][to + 1] + worth if worth else 0
            best[at][to] = max(best[at + 1][to], best[at][to + 1], both)
    found: list[tuple[int | None, NetworkStage | None]] = []
    at = to = 0
    while at < len(rows) and to < len(stages):
        worth = _worth(rows[at], stages[to], by_name=by_name)
        if worth and best[at][to] == best[at + 1][to + 1] + worth:
            found.append((at, stages[to]))
            at, to = at + 1, to + 1
        elif _is_row_next(rows[at], stages[to], best[at + 1][to], best[at][to + 1]):
            found.append((at, None))
            at += 1
        else:
            found.append((None, stages[to]))
            to += 1
    return [*found, *((each, None) for each in range(at, len(rows))), *((None, each) for each in stages[to:])]


def _is_row_next(row: _Aligned, stage: NetworkStage, without_row: int, without_stage: int) -> bool:
    """Whether a row comes before a stage that does not fit it: by what is then possible, and the larger map first."""
    if without_row != without_stage:
        return without_row > without_stage
    return max(map(prod, row.outputs)) >= prod(stage.output)


def _worth(row: _Aligned, stage: NetworkStage, *, by_name: bool) -> int:
    """How well a stage fits a row, the most if both size and name agree; 0 for not at all."""
    has_size = stage.output in row.outputs
    has_name = bool(stage.name) and stage.name in row.names
    if has_size:
        return 5 if has_name or not stage.name or not any(row.names) else 3
    return 4 if by_name and has_name else 0
