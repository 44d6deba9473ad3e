"""The table docs/imports.tsv: one row for each network that was tried, with what became of it and at which commit.

`tools/imports.py` goes on from it, and docs/imports.md is made of it. Rows are sorted by network, and each is one line,
so that git merges two such tables by taking all lines of both. Of two rows for one network the later counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "docs" / "imports.tsv"
OUTCOMES = ("imported", "not raised", "refused", "failed")
"""From the best to the worst. A network has failed where the tool itself stopped."""


@dataclass(frozen=True)
class ImportResult:
    """What became of a network. Counts are those of its program (see `measures`), or None if it has no program.

    `commit` is the last one that changed cnndsl/. `seconds` is the processor time of the import, without loading
    torch and building the module. `checked` is that of all checks after the import, and `failing` has what the failing
    ones print. `reason` says why there is no program.
    """

    network: str
    family: str
    commit: str
    outcome: str
    words: int | None = None
    blocks: int | None = None
    references: int | None = None
    layers: int | None = None
    merges: int | None = None
    wide: int | None = None
    joined: int | None = None
    seconds: float | None = None
    checked: float | None = None
    failing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def has_program(self) -> bool:
        return self.outcome in OUTCOMES[:2]

    def is_worse_than(self, other: ImportResult) -> bool:
        """Tell whether less became of a network than earlier: a worse outcome, or a command that fails now."""
        now, then = OUTCOMES.index(self.outcome), OUTCOMES.index(other.outcome)
        return now > then or (now == then and len(self.failing) > len(other.failing))


COLUMNS = tuple(each.name for each in fields(ImportResult))


def result(network: str, family: str, commit: str, found: Mapping[str, Any]) -> ImportResult:
    """Return what became of a network as a row, from what its process found."""
    counts = {name: found[name] for name in COLUMNS if name in found}
    if "text" in found:
        return ImportResult(network, family, commit, "imported" if is_raised(found) else "not raised", **counts)
    outcome = "refused" if "refused" in found else "failed"
    return ImportResult(network, family, commit, outcome, reason=_one_line(found[outcome]), **counts)


def is_raised(found: Mapping[str, Any]) -> bool:
    """Tell whether a program reads as one: at most one reference for each merge, those of many earlier values aside."""
    return found["references"] - found["joined"] <= max(found["merges"] - found["wide"], 1)


def read_results(table: Path = TABLE) -> dict[str, ImportResult]:
    """Return the rows of the table by network; none where there is no table."""
    if not table.is_file():
        return {}
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    assert tuple(head.split("\t")) == COLUMNS, f"{table} has other columns than {', '.join(COLUMNS)}"
    return {row.network: row for row in map(_row, rows)}


def write_results(rows: Iterable[ImportResult], table: Path = TABLE) -> None:
    """Write the table anew, sorted. A run that is stopped meanwhile leaves the earlier one."""
    lines = ["\t".join(COLUMNS), *map(_line, sorted(rows, key=lambda row: row.network))]
    unfinished = table.with_suffix(".part")
    unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
    unfinished.replace(table)


def keep(row: ImportResult, table: Path = TABLE) -> None:
    """Write a row to the table, in the place of an earlier one for the same network."""
    write_results(({**read_results(table), row.network: row}).values(), table)


def _line(row: ImportResult) -> str:
    return "\t".join(map(_cell, (getattr(row, name) for name in COLUMNS)))


def _cell(value: object) -> str:
    if value is None or value == ():
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else str(value)


def _row(line: str) -> ImportResult:
    cells = dict(zip(COLUMNS, line.split("\t"), strict=True))
    return ImportResult(**{name: _READ.get(name, str)(cell) for name, cell in cells.items()})


def _count(cell: str) -> int | None:
    return int(cell) if cell else None


def _seconds(cell: str) -> float | None:
    return float(cell) if cell else None


def _several(cell: str) -> tuple[str, ...]:
    return tuple(json.loads(cell)) if cell else ()


_READ: Mapping[str, Any] = {
    **dict.fromkeys(("words", "blocks", "references", "layers", "merges", "wide", "joined"), _count),
    **dict.fromkeys(("seconds", "checked"), _seconds),
    "failing": _several,
}


def _one_line(text: str) -> str:
    """A text without line breaks, folders, and the place in the emitted source."""
    short = re.sub(r"; emitted: [^()]*\)", ")", " ".join(text.split()))
    return re.sub(r"(?:/[^\s/]+)+/([^\s/]+\.py)", r"\1", short)[:300]
