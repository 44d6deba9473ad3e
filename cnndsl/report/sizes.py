"""Format the input sizes with which a network works: rules, where other sizes fail, and requested sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from cnndsl.analysis.size_rule import SizeRule
from cnndsl.errors import listed
from cnndsl.graph import Graph
from cnndsl.report.columns import extents
from cnndsl.report.data_formats import Json, plain
from cnndsl.report.summary import aligned
from cnndsl.shape import Shape
from cnndsl.sweeping.input_sizes import AskedSize, FailurePlace, InputSizes, SizeLine, map_sizes

FORMATS = ("table", "json", "csv")
_MOST_PLACES = 5
"""The most failure locations that the table describes; for the others only their number is stated."""
_MOST_LAYERS = 3
"""The most layers with weights for one size that the table names."""
_MERGED = {
    "+": "sum",
    "|": "concatenation",
    "MUL": "product",
    "SUB": "difference",
    "MAX": "maximum",
    "MEAN": "mean",
}
_ALONG = {"H": "rows", "W": "columns"}


def render(sizes: InputSizes, asked: Sequence[AskedSize], format: str) -> str:
    """Format input sizes in one of `FORMATS`; `asked` are the requested sizes, which a table shows in place of the
    rules. Raises KeyError for another format."""
    return {"table": _table, "json": _json, "csv": _csv}[format](sizes, asked)


def _table(sizes: InputSizes, asked: Sequence[AskedSize]) -> str:
    if asked:
        return "\n".join(_answer(sizes, each) for each in asked)
    failing = list(_failing(sizes))
    return "\n".join([_heading(sizes), "", *aligned(list(_terms(sizes))), *([""] if failing else []), *failing])


def _heading(sizes: InputSizes) -> str:
    """Return the network's name and the axes that vary."""
    whose = f" of {' and '.join(sizes.varied)}" if sizes.fixed else ""
    fixed = ", ".join(f"{name} {shape}" for name, shape in sizes.fixed.items())
    return f"{sizes.name}: input sizes{whose} up to {sizes.up_to}{f', with {fixed}' if fixed else ''}"


def _terms(sizes: InputSizes) -> Iterator[tuple[str, str]]:
    """Yield the rules, then the properties of the base."""
    for lines in _alike(sizes):
        yield sizes.title("".join(line.axes for line in lines)), f"{lines[0].works.text}{_examples(lines[0])}"
    if sizes.as_written is not None:
        where, reason = _where(sizes.as_written), _reason(sizes, sizes.as_written)
        yield "as written", f"{sizes.written} fails at {where}: {reason}"
    if sizes.graph is None:
        return
    yield "weights", _weights(sizes)
    yield from _properties(sizes, sizes.graph)
    if sizes.names_axis is not None:
        yield "note", f"each size was compiled, since {sizes.names_axis} names {sizes.names_axis.text}"
    if not sizes.is_separate:
        asking = "x".join(str(each) for each in (*sizes.base[:-1], sizes.base[-1] * 2))
        yield "note", f"the axes cannot be chosen one by one; --at {asking} asks about another size"


def _properties(sizes: InputSizes, graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the outputs with their strides, and the receptive field, for the base."""
    maps, seen, is_bound = map_sizes(graph)
    for each in maps:
        at = f" at `{each.name}`" if each.name else ""
        yield "output", f"{each.shape}{at}, stride {extents(each.stride)}, for {sizes.input}"
    if not maps:
        yield "output", f"{graph.nodes[graph.output].shape} for {sizes.input}"
    if seen:
        yield "receptive field", f"{'at most ' if is_bound else ''}{extents(seen)}"


def _alike(sizes: InputSizes) -> Iterator[list[SizeLine]]:
    """Yield the lines, with axes that have the same rule combined."""
    found: dict[tuple[str, int], list[SizeLine]] = {}
    for at, line in enumerate(sizes.lines):
        found.setdefault((line.works.text, 0 if sizes.is_separate else at), []).append(line)
    yield from found.values()


def _examples(line: SizeLine) -> str:
    """Return some sizes near the base, for a rule that is a sum."""
    if "+" not in line.works.text and "-" not in line.works.text:
        return ""
    near = sorted(line.works, key=lambda size: abs(size - line.base[line.varied[0]]))[:5]
    return f" (as {', '.join(map(str, sorted(near)))})"


def _weights(sizes: InputSizes) -> str:
    if all(line.works.ranges == line.same_weights.ranges for line in sizes.lines):
        return "the same for all of these"
    layers = [f"`{each}`" for each in sizes.sized_weights()]
    fitting = ", ".join(
        f"{sizes.title(line.axes)} {line.same_weights.text}" if len(sizes.lines) > 1 else line.same_weights.text
        for line in sizes.lines
    )
    whose = f"those of {listed(layers, _MOST_LAYERS)}" if layers else "those"
    return f"{whose} for {sizes.input} fit {fitting} only"


def _failing(sizes: InputSizes) -> Iterator[str]:
    """Yield the locations at which sizes fail, each with an example; axes with the same sizes are combined."""
    places: dict[tuple[object, ...], list[FailurePlace]] = {}
    for place in sizes.failures:
        axes = "" if sizes.is_separate else place.axes
        places.setdefault((place.path, place.span, place.sizes, axes), []).append(place)
    for several in list(places.values())[:_MOST_PLACES]:
        place = several[0]
        axes = "".join(sorted(each.axes for each in several))
        what = f"{sizes.title(axes)}: " if len(sizes.lines) > 1 else ""
        yield f"{what}{_count(len(place.sizes))} at {_where(place)}"
        yield f"    {place.size}: {_reason(sizes, place)}"
    further = list(places.values())[_MOST_PLACES:]
    if further:
        noun = "place" if len(further) == 1 else "places"
        yield f"{_count(sum(len(each[0].sizes) for each in further))} at {len(further)} more {noun}: see --format json"


def _count(number: int) -> str:
    return f"{number} {'size fails' if number == 1 else 'sizes fail'}"


def _where(place: FailurePlace) -> str:
    path = f"`{place.path}`" if place.path else ""
    line = f"{place.span.source.name}:{place.span.line}" if place.span is not None else ""
    return ", ".join(each for each in (path, line) if each) or "the program"


def _reason(sizes: InputSizes, place: FailurePlace) -> str:
    """Return `28 and 29 rows meet at the concatenation`, or the message of the layer."""
    meeting, merged = place.meeting, _MERGED.get(place.operator, "merge")
    if meeting is None:
        return f"{' and '.join(map(str, place.entering))} meet at the {merged}" if place.operator else place.message
    axis, one, other = meeting
    letter = "DHW"[3 - len(sizes.base) :][axis] if axis < len(sizes.base) else ""
    what = _ALONG.get(letter, "") if len(sizes.base) > 1 else ""
    return f"{one} and {other} {what or 'positions'} meet at the {merged}"


def _answer(sizes: InputSizes, asked: AskedSize) -> str:
    if asked.place is None:
        weights = "the weights of" if asked.row["same_weights"] else "other weights than"
        compared = f", {weights} {sizes.input}" if asked.point != sizes.base else ""
        return f"{asked.text} works: output {asked.row['output']}{compared}"
    nearest = ["x".join(map(str, each)) if "x" in asked.text else str(each[0]) for each in asked.nearest]
    near = f"; nearest that work: {', '.join(nearest)}" if nearest else ""
    return f"{asked.text} fails at {_where(asked.place)}: {_reason(sizes, asked.place)}{near}"


def _csv(sizes: InputSizes, asked: Sequence[AskedSize]) -> str:
    import csv
    from io import StringIO

    rows = [each.row for each in asked] if asked else list(sizes)
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def _json(sizes: InputSizes, asked: Sequence[AskedSize]) -> str:
    """Return the rules, the failure locations with the compiler's message, and the requested sizes."""
    graph = sizes.graph
    maps, seen, is_bound = map_sizes(graph) if graph is not None else ((), (), False)
    data: dict[str, Json] = {
        "net": sizes.name,
        "input": list(sizes.written.hwc),
        "base": list(sizes.input.hwc),
        "varied": list(sizes.varied),
        "up_to": sizes.up_to,
        "axes_are_separate": sizes.is_separate,
        "rules": [_line(line) for line in sizes.lines],
        "sized_weights": list(sizes.sized_weights()),
        "failures": [_failure(sizes, place) for place in sizes.failures],
        "outputs": [{"name": each.name, "shape": list(each.shape.hwc), "stride": plain(each.stride)} for each in maps],
        "receptive_field": plain(seen),
        "each_compiled": sizes.names_axis is not None,
    }
    if is_bound:
        data["receptive_field_at_most"] = True
    if asked:
        data["at"] = [_asked(sizes, each) for each in asked]
    return json.dumps(data, indent=2)


def _line(line: SizeLine) -> dict[str, Json]:
    return {
        "axes": list(line.axes),
        "sizes": _rule(line.works),
        "same_weights": _rule(line.same_weights),
    }


def _rule(rule: SizeRule) -> dict[str, Json]:
    return {
        "text": rule.text,
        "count": len(rule),
        "modulus": rule.modulus or None,
        "remainders": list(rule.remainders),
        "minimum": rule.minimum or None,
        "also": list(rule.also),
        "ranges": [list(each) for each in rule.ranges],
    }


def _failure(sizes: InputSizes, place: FailurePlace) -> dict[str, Json]:
    return {"axes": list(place.axes), "count": len(place.sizes), "example": place.size, **_place(sizes, place)}


def _place(sizes: InputSizes, place: FailurePlace) -> dict[str, Json]:
    error = sizes.error(place)
    span = place.span
    return {
        "path": place.path or None,
        "file": span.source.name if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "entering": [_shape(each) for each in place.entering],
        "reason": _reason(sizes, place),
        "code": error.code if error else None,
        "message": error.message if error else None,
    }


def _asked(sizes: InputSizes, asked: AskedSize) -> dict[str, Json]:
    return {
        **asked.row,
        "nearest": [list(each) for each in asked.nearest],
        "failure": _place(sizes, asked.place) if asked.place is not None else None,
    }


def _shape(shape: Shape) -> list[Json]:
    return list(shape.hwc)
