"""The page docs/imports.md: what became of each network, in tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from tools.imports_results import OUTCOMES, ImportResult

PAGE = Path(__file__).resolve().parents[1] / "docs" / "imports.md"

HEAD = """# Imported networks

This page lists the result of `cnndsl import` for the convolutional networks of timm and torchvision. `make imports`
tries the networks of each family in turn, small ones first, and writes this page. Its results are kept in
[imports.tsv](imports.tsv), with one row for each network.

{totals}

`import` verifies each program against the original. Each program then passes through `stats`, `rf`, `fit`, `lint`,
`fmt`, `diff`, `compile` and `render`, and its parameters and multiply-adds are compared with PyTorch's FlopCounterMode.
Further tables list refused networks and failing commands, if there are any.

Words, blocks and seconds are medians over the imported networks of a family. Seconds are processor time, without
loading torch and building the module. A program counts as *not raised* if it has more references than merges; merges of
more than two earlier values, and their references, are not counted for this. `failed` counts internal errors and
timeouts.

"""


def write(nets: Mapping[str, str], found: Mapping[str, ImportResult], page: Path = PAGE) -> None:
    """Write the page of what is known of networks, given with their families."""
    rows = [found[net] for net in nets if net in found]
    parts = [_families(nets, found), _reasons(rows), _refused(rows), _checks(rows)]
    head = HEAD.format(totals=_totals(len(nets), rows))
    page.write_text(head + "\n\n".join("\n".join(part) for part in parts if part) + "\n", "utf-8")


def _totals(networks: int, rows: Sequence[ImportResult]) -> str:
    often = [sum(row.outcome == each for row in rows) for each in OUTCOMES]
    told = ", ".join(f"{count} {each}" for count, each in zip(often, OUTCOMES, strict=True))
    return f"{len(rows)} of {networks} networks were tried: {told}."


def _families(nets: Mapping[str, str], found: Mapping[str, ImportResult]) -> list[str]:
    families: dict[str, list[str]] = defaultdict(list)
    for net, family in nets.items():
        families[family].append(net)
    return [
        f"| family | networks | tried | {' | '.join(OUTCOMES)} | words | blocks | refs / 100 layers | s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_family(name, several, found) for name, several in [*sorted(families.items()), ("**all**", [*nets])]),
    ]


def _family(name: str, nets: Sequence[str], found: Mapping[str, ImportResult]) -> str:
    tried = [found[each] for each in nets if each in found]
    programs = [each for each in tried if each.has_program]
    cells: list[object] = [len(nets), len(tried), *(sum(row.outcome == each for row in tried) for each in OUTCOMES)]
    cells += [_middle(each.words for each in programs), _middle(each.blocks for each in programs)]
    cells += [_references(programs), _middle(each.seconds for each in programs)]
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _middle(counts: Iterable[float | None]) -> str:
    known = [each for each in counts if each is not None]
    return f"{median(known):g}" if known else ""


def _references(programs: Sequence[ImportResult]) -> str:
    layers = sum(each.layers or 0 for each in programs)
    return f"{100 * sum(each.references or 0 for each in programs) / layers:.1f}" if layers else ""


def _reasons(rows: Sequence[ImportResult]) -> list[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if not row.has_program:
            reasons[_reason(row.reason)].append(row.network)
    return _counted("reason", reasons)


def _refused(rows: Sequence[ImportResult]) -> list[str]:
    several = sorted((row for row in rows if not row.has_program), key=lambda row: (row.family, row.network))
    lines = [f"| `{row.network}` | {row.outcome} | {row.commit} | {_cell(row.reason)} |" for row in several]
    return ["| network without a program | outcome | commit | reason |", "|---|---|---|---|", *lines] if lines else []


def _checks(rows: Sequence[ImportResult]) -> list[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for told in row.failing:
            reasons[re.sub(r"\d{3,}", "…", _reason(told))].append(row.network)
    return _counted("failure after the import", reasons)


def _counted(title: str, reasons: Mapping[str, Sequence[str]]) -> list[str]:
    rows = sorted((-len(nets), reason, nets[0]) for reason, nets in reasons.items())
    lines = [f"| {reason} | {-often} | `{net}` |" for often, reason, net in rows]
    return [f"| {title} | networks | for one |", "|---|---:|---|", *lines] if lines else []


def _reason(told: str) -> str:
    plain = re.sub(r"^in (?:evaluation|training): |, \d+ times?, first in.*| \(original.*", "", told)
    return _cell(re.sub(r"\w+(?:\.\w+)+", "…", plain))[:140]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
