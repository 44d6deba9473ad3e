"""Aligns the stages of several networks in rows, by output size, then by name, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import prod

from cnndsl.emit.configuration.model import ConfigurationRow, NetworkStage, StageBlock
from cnndsl.records import record


@record(slots=True)
class _Aligned:
    """An unfinished row: its names and sizes in the order of the networks, and its cells."""

    names: tuple[str, ...]
    outputs: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[StageBlock, ...], ...]


def aligned(networks: Sequence[Sequence[NetworkStage]], *, by_name: bool) -> tuple[ConfigurationRow, ...]:
    """Return the rows of a table. With `by_name`, stages with the same name are aligned even if their sizes differ."""
    rows: list[_Aligned] = []
    for number, stages in enumerate(networks):
        pairs = _pairs(rows, stages, by_name=by_name)
        rows = [_with(rows[at] if at is not None else None, stage, number) for at, stage in pairs]
    return tuple(part for row in rows for part in _split(row))


def _split(row: _Aligned) -> Iterator[ConfigurationRow]:
    """Yield the row, split in two if all networks start it with the same blocks and continue differently."""
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
    """Return a row with the cell of one more network, which is empty if that network has no such stage."""
    known = row or _Aligned((), (), ((),) * number)
    if stage is None:
        return _Aligned(known.names, known.outputs, (*known.cells, ()))
    return _Aligned((*known.names, stage.name), (*known.outputs, stage.output), (*known.cells, stage.blocks))


def _one(texts: Sequence[str]) -> str:
    """Return the distinct texts that are not empty, joined by slashes."""
    return " / ".join(dict.fromkeys(filter(None, texts)))


def _pairs(
    rows: Sequence[_Aligned], stages: Sequence[NetworkStage], *, by_name: bool
) -> list[tuple[int | None, NetworkStage | None]]:
    """Return the best alignment: rows and stages in order, None for one without a partner."""
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
    """Return whether a row precedes a stage that does not fit it: for the better alignment, else the larger map."""
    if without_row != without_stage:
        return without_row > without_stage
    return max(map(prod, row.outputs)) >= prod(stage.output)


def _worth(row: _Aligned, stage: NetworkStage, *, by_name: bool) -> int:
    """Return how well a stage fits a row, the maximum if both size and name agree; 0 if it does not fit."""
    has_size = stage.output in row.outputs
    has_name = bool(stage.name) and stage.name in row.names
    if has_size:
        return 5 if has_name or not stage.name or not any(row.names) else 3
    return 4 if by_name and has_name else 0
