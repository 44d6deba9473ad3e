"""Writes configuration tables as JSON, in the format of docs/render.schema.json, and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cnndsl.emit.configuration.model import ConfigurationTable, StageBlock
from cnndsl.emit.configuration.titles import name_of
from cnndsl.emit.configuration.totals import totals
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.report.data_formats import Json, markdown
from cnndsl.terminal import clean


def as_json(table: ConfigurationTable) -> str:
    """Return the table as JSON: sizes and strides as in the cells, exact counts."""
    networks: list[Json] = [
        {
            "name": head,
            "params": each.params,
            "macs": each.macs,
            "receptive_field": list(each.receptive_field),
            **({"receptive_field_at_most": True} if each.receptive_field_at_most else {}),
        }
        for head, each in zip(table.heads, table.totals, strict=True)
    ]
    rows: list[Json] = [
        {
            "name": row.name,
            "outputs": [list(output) for output in row.outputs],
            "cells": [[_block(block) for block in cell] for cell in row.cells],
        }
        for row in table.rows
    ]
    data: dict[str, Json] = {"title": table.title, "networks": networks, "rows": rows, "notes": list(table.notes)}
    return json.dumps(data, indent=2, ensure_ascii=False)


def _block(block: StageBlock) -> Json:
    lines: list[Json] = [{"text": line.text, "stride": line.stride, "role": line.role} for line in block.lines]
    return {"lines": lines, "times": block.times, "only_first_strided": block.is_first_strided}


def as_markdown(table: ConfigurationTable) -> str:
    """Return the table as Markdown for GitHub: the lines of a block one below the other in square brackets."""
    lines = [f"## {_escaped(name_of(table))}", "", _pipes(["stage", "output", *map(_escaped, table.heads)])]
    lines.append(_pipes(["---", "---", *[":---:"] * len(table.heads)]))
    for row in table.rows:
        names = ["", ""] if row.is_continued else [_escaped(row.name), _escaped(row.output)]
        lines.append(_pipes([*names, *("<br>".join(map(_text, cell)) for cell in row.cells)]))
    lines += (_pipes([row.title, "", *row.texts]) for row in totals(table))
    return "\n".join([*lines, *(("", _escaped(" ".join(table.notes))) if table.notes else ())])


def _text(block: StageBlock) -> str:
    text = "<br>".join(map(_escaped, block.texts))
    times = f" {TIMES}{block.times}" if block.times > 1 else ""
    return f"\\[{text}\\]{times}" if block.has_brackets else text


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return markdown(clean(text))
