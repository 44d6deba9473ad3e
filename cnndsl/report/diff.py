"""Format a comparison of two networks as text and data: `cnndsl diff`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.analysis.compare import Comparison, Figure, Pair, Verdict
from cnndsl.analysis.metric_table import METRICS, Metric
from cnndsl.graph import Graph, Node
from cnndsl.report.columns import extents
from cnndsl.report.data_formats import Json, markdown
from cnndsl.report.number_format import common_scale, exact, human
from cnndsl.report.summary import graph_title
from cnndsl.report.table import in_columns
from cnndsl.terminal import Paint

if TYPE_CHECKING:
    from cnndsl.report.latex_table import TableWidth

FORMATS = ("table", "json", "markdown", "latex")
_MARKS = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
_TINTS = {"same": "dim", "changed": "yellow", "removed": "red", "added": "green"}
_HEAD = ("metric", "before", "after", "change")

Nets: TypeAlias = "tuple[Graph, Graph]"


def render(
    nets: Nets,
    found: Comparison,
    format: str,
    *,
    every: bool = False,
    colour: bool = False,
    made_for: TableWidth = "page",
) -> str:
    """Format a comparison in one of `FORMATS`. `every` also lists the layers that are the same; `made_for` is the width
    that a LaTeX table must fit. Raises KeyError for another format."""
    if format == "latex":
        return _latex(nets, found, every, made_for)
    if format == "json":
        return _json(nets, found, every)
    if format == "markdown":
        return _markdown(nets, found, every)
    if format == "table":
        return _table(nets, found, every, Paint(colour))
    raise KeyError(format)


def differences(found: Comparison) -> list[tuple[Verdict, str]]:
    """Return each layer or block that differs: its name, its text, and the changes."""
    entries = _gathered(_shown(found, every=False), every=False)
    lines = (": ".join(filter(None, row[1:])) for row in _rows(entries))
    return [(pairs[0].verdict, line) for pairs, line in zip(entries, lines, strict=True)]


def _table(nets: Nets, found: Comparison, every: bool, paint: Paint) -> str:
    entries = _gathered(_shown(found, every), every)
    rows = _rows(entries)
    lines = in_columns(rows, left={0, 1, 2, 3}) if rows else []
    colours = [_TINTS[pairs[0].verdict] for pairs in entries]
    layers = [paint(line, tint) for line, tint in zip(lines, colours, strict=True)]
    figures = in_columns([_HEAD, *map(_figure, found.figures)], left={0})
    return "\n".join([_title(nets), "", *layers, *([""] if layers else []), *_count(found), "", *figures])


def _rows(entries: Sequence[Sequence[Pair]]) -> list[list[str]]:
    """Return a line for each layer or block: a mark, the name, the text, and the changes."""
    return [_row(pairs[0]) if len(pairs) == 1 else _block(pairs) for pairs in entries]


def _shown(found: Comparison, every: bool) -> list[Pair]:
    return [pair for pair in found.pairs if every or pair.verdict != "same"]


def _gathered(pairs: Sequence[Pair], every: bool) -> list[list[Pair]]:
    """Combine the layers of a block without a counterpart into one entry, unless `every` layer is listed."""
    entries: list[list[Pair]] = []
    for pair in pairs:
        if entries and not every and pair.block is not None and pair.block is entries[-1][0].block:
            entries[-1].append(pair)
        else:
            entries.append([pair])
    return entries


def _block(pairs: Sequence[Pair]) -> list[str]:
    """Return a mark, the block's name and text, its layers and their cost."""
    block, is_new = pairs[0].block, pairs[0].verdict == "added"
    assert block is not None, "only the layers of one block are gathered"
    sign = 1 if is_new else -1
    costs = [pair.cost_after if is_new else pair.cost_before for pair in pairs]
    changes = [f"{len(pairs)} layers"]
    for name, number in (("params", sum(each.params for each in costs)), ("macs", sum(each.macs for each in costs))):
        changes += [f"{name} {_signed(sign * number)}"] if number else []
    text = "" if block.title == block.name.rpartition(".")[2] else block.title
    return [_MARKS[pairs[0].verdict], block.name, text, ", ".join(changes)]


def _title(nets: Nets) -> str:
    return " -> ".join(map(graph_title, nets))


def _row(pair: Pair) -> list[str]:
    """Return a mark, the layer's name and text, and the changes."""
    return [_MARKS[pair.verdict], _both(*_names(pair)), _both(*_texts(pair)), ", ".join(_changes(pair))]


def _names(pair: Pair) -> tuple[str, str]:
    return pair.before.path if pair.before else "", pair.after.path if pair.after else ""


def _texts(pair: Pair) -> tuple[str, str]:
    return pair.before.text if pair.before else "", pair.after.text if pair.after else ""


def _both(before: str, after: str) -> str:
    return f"{before} -> {after}" if before and after and before != after else before or after


def _changes(pair: Pair) -> list[str]:
    """Return the differences, beginning with the layer type and without the layer's own text, and the change in
    cost."""
    changes = [f"{what} {before or '-'} -> {after or '-'}" for what, before, after in pair.changes if what != "kind"]
    if pair.verdict in ("added", "removed") and (node := pair.after or pair.before):
        changes.append(f"output {node.shape}")
    for name, before, after in (
        ("params", pair.cost_before.params, pair.cost_after.params),
        ("macs", pair.cost_before.macs, pair.cost_after.macs),
    ):
        if before != after:
            changes.append(f"{name} {_signed(after - before)}")
    return changes


def _signed(number: int) -> str:
    return f"{'+' if number > 0 else ''}{human(number)}"


def _count(found: Comparison) -> list[str]:
    """Return the number of layers of each verdict, and whether only names changed, since weights are found by name."""
    counts = [(sum(pair.verdict == verdict for pair in found.pairs), verdict) for verdict in _MARKS]
    said = ", ".join(f"{number} {verdict}" for number, verdict in counts if number)
    lines = [f"layers: {said}"]
    if renamed := found.renamed:
        tensors = "1 layer" if renamed == 1 else f"{renamed} layers"
        lines.append(
            f"{tensors} with weights or buffers under another name: those of one net do not load into the other"
        )
    return lines


def _figure(figure: Figure) -> tuple[str, str, str, str]:
    metric, both = METRICS[figure.name], (figure.before, figure.after)
    before, after = (_value(metric, value, bound) for value, bound in zip(both, figure.at_most, strict=True))
    return metric.title, before, after, _change(figure)


def _value(metric: Metric, value: int | tuple[int, ...], at_most: bool) -> str:
    if isinstance(value, int):
        return exact(value) + (" B" if metric.unit == "bytes" else "")
    text = "x".join(map(str, value)) if metric.unit == "extents" else extents(value)
    return f"at most {text}" if at_most else text or "-"


def _change(figure: Figure) -> str:
    """Return the difference of two numbers, and its share of the first; no share if a bound leaves it open."""
    if any(figure.at_most):
        return ""
    before, after = _number(figure.before), _number(figure.after)
    if before == after:
        return ""
    if isinstance(before, tuple) or isinstance(after, tuple):
        return "changed"
    share = f" ({_percent(100 * (after - before) / before)})" if before else ""
    return f"{after - before:+,}{share}"


def _percent(share: float) -> str:
    """Return a change with three significant digits, never with a power of ten.

    >>> _percent(300.0), _percent(-2.764), _percent(8758.3), _percent(0.00001)
    ('+300%', '-2.76%', '+8,760%', '+0.00001%')
    """
    return f"{Decimal(f'{share:.3g}'):+,f}%"


def _number(value: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """Return one number if all sizes agree."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def _markdown(nets: Nets, found: Comparison, every: bool) -> str:
    lines = [f"## {markdown(_title(nets))}", ""]
    if rows := _rows(_gathered(_shown(found, every), every)):
        lines += [*_pipes([["", "name", "layer", "what changed"], *rows], "| --- | --- | --- | --- |"), ""]
    lines += [markdown(line) for line in _count(found)]
    lines += ["", *_pipes([_HEAD, *map(_figure, found.figures)], "| --- | ---: | ---: | ---: |")]
    return "\n".join(lines)


def _pipes(rows: Sequence[Sequence[str]], ruler: str) -> list[str]:
    head, *others = [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return [head, ruler, *others]


def _latex(nets: Nets, found: Comparison, every: bool, made_for: TableWidth) -> str:
    """Return the table of metrics, each in one unit, and the table of layers if any differ."""
    from cnndsl.report.latex_table import LatexColumn, LatexTable, label_of, write

    names, both = [net.title for net in nets], " and ".join(map(graph_title, nets))
    heads = names if names[0] != names[1] and max(map(len, names)) < 16 else ["before", "after"]
    columns = (LatexColumn("metric"), *(LatexColumn(head, is_number=True) for head in (*heads, "change", "%")))
    rows = tuple(map(_latex_metric, found.figures))
    label = label_of(*map(graph_title, nets))
    caption = f"Metrics of {both}, for one input."
    tables = [LatexTable(columns, (rows,), caption, label, (_title(nets), *_count(found)))]
    if layers := _rows(_gathered(_shown(found, every), every)):
        texts = tuple(LatexColumn(title) for title in ("", "name", "layer", "what changed"))
        caption = f"Layers of {both}: removed (-), added (+) and changed (~)."
        tables.append(LatexTable(texts, (tuple(map(tuple, layers)),), caption, f"{label}-layers"))
    return "\n\n".join(write(table, made_for) for table in tables)


def _latex_metric(figure: Figure) -> tuple[str, ...]:
    """Return a metric with its unit, both values, the difference and its percentage."""
    from cnndsl.report.latex_text import in_symbols, signed, unit_of

    metric, before, after = METRICS[figure.name], _number(figure.before), _number(figure.after)
    if isinstance(before, tuple) or isinstance(after, tuple) or metric.unit in ("positions", "extents"):
        both = zip((figure.before, figure.after), figure.at_most, strict=True)
        texts = (in_symbols(_value(metric, value, bound)) for value, bound in both)
        change = after - before if isinstance(before, int) and isinstance(after, int) else 0
        return metric.title, *texts, signed(str(change)) if change else _change(figure), ""
    scale = common_scale([before, after, after - before])
    change = signed(scale.show(after - before)) if before != after else ""
    share = signed(f"{100 * (after - before) / before:.1f}") if before and before != after else ""
    title = f"{metric.title} {unit_of(scale.unit, is_size=metric.unit == 'bytes')}".rstrip()
    return title, scale.show(before), scale.show(after), change, share


def _json(nets: Nets, found: Comparison, every: bool) -> str:
    data: dict[str, Json] = {
        "before": nets[0].title,
        "after": nets[1].title,
        "differs": found.differs,
        "counts": {verdict: sum(pair.verdict == verdict for pair in found.pairs) for verdict in _MARKS},
        "renamed": found.renamed,
        "figures": {figure.name: _data(figure) for figure in found.figures},
        "layers": [_pair(pair) for pair in _shown(found, every)],
    }
    return json.dumps(data, indent=2)


def _data(figure: Figure) -> Json:
    before, after = figure.before, figure.after
    change: Json = after - before if isinstance(before, int) and isinstance(after, int) else None
    bounds = zip(("before_at_most", "after_at_most"), figure.at_most, strict=True)
    data: dict[str, Json] = {"before": _plain(before), "after": _plain(after), "change": change}
    return data | {key: True for key, bound in bounds if bound}


def _plain(value: int | tuple[int, ...]) -> Json:
    return value if isinstance(value, int) else list(value)


def _extents(node: Node | None) -> Json:
    return list(node.shape.hwc) if node else None


def _pair(pair: Pair) -> Json:
    names, texts = _names(pair), _texts(pair)
    return {
        "verdict": pair.verdict,
        "path": {"before": names[0] or None, "after": names[1] or None},
        "text": {"before": texts[0] or None, "after": texts[1] or None},
        "block": pair.block.name if pair.block else None,
        "output": {"before": _extents(pair.before), "after": _extents(pair.after)},
        "changes": [{"what": what, "before": before, "after": after} for what, before, after in pair.changes],
        "params": {"before": pair.cost_before.params, "after": pair.cost_after.params},
        "macs": {"before": pair.cost_before.macs, "after": pair.cost_after.macs},
    }
