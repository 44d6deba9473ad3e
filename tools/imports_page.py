"""The page docs/imports.md: what became of each network, in tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "imports.md"

HEAD = """# Imported networks

What became of the convolutional networks of timm and torchvision when `cnndsl import` read them. `make imports` writes
this page; small networks are tried first, and those that were not tried yet say nothing. Words, blocks and seconds are
those of one network in the median, the seconds beyond loading torch and building the module; refs are references. A
text with more than one reference for each merge counts as *not raised*; merges of more than two earlier values are left out
on both sides. Every program then goes through `stats`, `rf`, `fit`, `lint`, `fmt`, `diff`, `compile` and `render`, and
its parameters and multiply-adds are compared with PyTorch's FlopCounterMode: a second table lists what fails, if any.

"""


def is_raised(found: Mapping[str, Any]) -> bool:
    """Whether a text reads as one: at most one reference for each merge, those of many earlier values aside."""
    return found["references"] - found["joined"] <= max(found["merges"] - found["wide"], 1)


def outcome(found: Mapping[str, Any]) -> str:
    """What became of a network, in a word or two."""
    if "text" in found:
        return "imported" if is_raised(found) else "not raised"
    return "refused" if "refused" in found else "broken"


def write(nets: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the page of what is known of networks, given with their families."""
    PAGE.write_text(HEAD + "\n".join([*_families(nets, found), *_faults(found), *_checks(found)]) + "\n", "utf-8")


def _families(nets: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    families: dict[str, list[str]] = defaultdict(list)
    for net, family in nets.items():
        families[f"tv.{family}" if net.startswith("torchvision") and "." not in family else family].append(net)
    rows = [_family(name, several, found) for name, several in [*sorted(families.items()), ("**all**", [*nets])]]
    return [
        "| family | networks | tried | imported | not raised | refused | words | blocks | refs / 100 layers | s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
    ]


def _family(name: str, nets: Sequence[str], found: Mapping[str, Mapping[str, Any]]) -> str:
    tried = [each for each in nets if each in found]
    ways = [outcome(found[each]) for each in tried]
    texts = [found[each] for each in tried if "text" in found[each]]
    cells = [len(nets), len(tried), *(ways.count(each) for each in ("imported", "not raised"))]
    cells += [ways.count("refused") + ways.count("broken")]
    cells += [_middle(texts, "words"), _middle(texts, "blocks"), _references(texts), _middle(texts, "seconds")]
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _middle(texts: Sequence[Mapping[str, Any]], name: str) -> str:
    return f"{median(each[name] for each in texts):g}" if texts else ""


def _references(texts: Sequence[Mapping[str, Any]]) -> str:
    layers = sum(each["layers"] for each in texts)
    return f"{100 * sum(each['references'] for each in texts) / layers:.1f}" if layers else ""


def _faults(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for net, each in found.items():
        if "text" not in each:
            first = each["refused"][0] if each.get("refused") else each["broken"].splitlines()[-1]
            reasons[_reason(first)].append(net)
    return _counted("what was refused, or went wrong, the first of each network", reasons.items())


def _checks(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for net, each in found.items():
        for command, told in each.get("failed", {}).items():
            lines = [line for line in told.splitlines() if line.strip()] or [""]
            reasons[f"`{command}`: {_reason(lines[0])}"].append(net)
        for told in each.get("counted", []):
            reasons["PyTorch counts other " + told.split()[0]].append(net)
    return _counted("what failed after the import", reasons.items())


def _counted(title: str, reasons: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    rows = [(len(nets), reason, nets[0]) for reason, nets in reasons]
    lines = [f"| {reason} | {often} | `{net}` |" for often, reason, net in sorted(rows, key=lambda row: (-row[0], row))]
    return ["", f"| {title} | networks | for one |", "|---|---:|---|", *lines] if lines else []


def _reason(told: str) -> str:
    plain = re.sub(r"^in evaluation: |, \d+ times?, first in.*| \(original.*", "", told).replace("|", "\\|")
    return re.sub(r"[\w.]+\.\d+[\w.]*", "…", plain)[:140]
