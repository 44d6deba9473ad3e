"""Edits for pasted or foreign source: `model.add(A)`, `$\\times$`, layers of Caffe, counts without braces."""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.errors import Diagnostic, Fix, Source, Span, replacement
from cnndsl.layers import KINDS
from cnndsl.syntax.brackets import partner
from cnndsl.syntax.edits import code, fix, line_of
from cnndsl.syntax.parse_failure import Stop

_ADD = re.compile(r"^[ \t]*(?P<call>(?:\w+\.)*\w+\.(?:add|append)[ \t]*\()", re.MULTILINE)
_TIMES = re.compile(r"[ \t]*(?:\$[ \t]*\\times[ \t]*\$|\\times\b)[ \t]*")
_BEHIND = re.compile(
    r"(?<![\w.@-])(?P<kind>[A-Z][A-Z]+)(?P<rest>[0-9][\w/-]*|-[\w/-]+)[ \t]*:[ \t]*(?P<name>[A-Za-z_]\w*)"
)
_AFTER_LABEL = re.compile(r"[ \t]*(?:->|[\])]|$)", re.MULTILINE)


def added(stop: Stop) -> Fix | None:
    """Fix `model.add(CONV3-32)`, line by line."""
    text = stop.source.text
    if _ADD.search(text) is None:
        return None
    edits: list[tuple[int, int, str]] = []
    line = line_of(stop.source, stop.offset)
    for found in _ADD.finditer(code(stop.source)):
        end = partner(text, found.end() - 1)
        if end < 0 or text[end + 1 :].partition("\n")[0].partition("#")[0].strip(" \t;"):
            return None
        edits += [(found.start("call"), found.end("call"), "-> "), (end, end + 1, "")]
    if not any(line.start <= start < line.end for start, _, _ in edits):
        return None
    return fix(stop.source, edits, "Keras adds layers one by one; here arrows connect them: {}", line)


def times(stop: Stop) -> Fix | None:
    r"""Fix `224$\times$224$\times$3`."""
    text = stop.source.text
    if "\\times" not in text:
        return None
    edits = [(*each.span(), "x") for each in _TIMES.finditer(code(stop.source))]
    if not any(start <= stop.offset < end for start, end, _ in edits):
        return None
    is_extent = all(re.search(r"[0-9}]$", text[:start]) and re.match(r"[0-9{]", text[end:]) for start, end, _ in edits)
    line = line_of(stop.source, stop.offset)
    return fix(stop.source, edits, "separate extents with the letter `x`: {}", line) if is_extent else None


def count(stop: Stop) -> Fix | None:
    """Fix `Unit(32)*n-1`, `[A]*2*n`: a count that is an expression."""
    before = re.search(r"(?<=[\w)\]])[ \t]*\*[ \t]*(?P<first>\w+)[ \t]*$", stop.end_of_before)
    after = re.match(r"[ \t]*[-+*/][ \t]*\w+(?=[ \t]*(?:->|[\])#]|$))", stop.after)
    if before is None or after is None or not stop.takes("ARROW", "RSQB"):
        return None
    start = stop.offset - len(before[0]) + before.start("first") - before.start()
    end = stop.offset + after.end()
    text = stop.source.text[start:end]
    element = re.search(r"[\w)\]][^\s\[]*$", stop.end_of_before)
    place = Span(stop.source, stop.offset - len(element[0]) if element else start, end)
    return fix(stop.source, [(start, end, f"{{{text}}}")], "a count that is an expression goes in braces: {}", place)


def label_behind(source: Source, at: int) -> Fix | None:
    """Return the fix for labels that follow their layers, `CONV3-64 : conv1`, if one begins at an offset."""
    edits: list[tuple[int, int, str]] = []
    place: Span | None = None
    for found in _BEHIND.finditer(code(source)):
        is_label = found["kind"] in KINDS and found["name"].upper() not in KINDS
        if is_label and _AFTER_LABEL.match(source.text, found.end()):
            layer = f"{found['kind']}{found['rest']}"
            edits.append((*found.span(), f"{found['name']}: {layer}"))
            place = Span(source, *found.span()) if found.start() == at else place
    return fix(source, edits, "a label comes before its layer: {}", place) if place else None


def caffe(stop: Stop) -> Diagnostic | None:
    """Return the diagnostic for `layer { name: "conv1" type: "Convolution" … }`."""
    text = stop.source.text
    begun = list(re.finditer(r"\blayers?[ \t]*\{", text[: stop.offset]))[-1:]
    end = partner(text, begun[0].end() - 1) if begun else -1
    if not begun or not begun[0].start() <= stop.offset <= end:
        return None
    fields = {
        name: value.strip('"')
        for name, value in re.findall(r'(\w+)\s*:\s*("[^"\n]*"|[\w.]+)', text[begun[0].end() : end])
    }
    layer = _caffe_layer(fields)
    if not layer:
        return None
    label = f"{fields['name']}: " if re.fullmatch(r"[A-Za-z_]\w*", fields.get("name", "")) else ""
    place = Span(stop.source, begun[0].start(), end + 1)
    arrow = "" if text[: place.start].rstrip().endswith("->") else "-> "
    fix = replacement(place, f"{arrow}{label}{layer}", "this is a Caffe layer; in cnndsl it is {}")
    opening = Span(stop.source, *begun[0].span())
    return Diagnostic("E0102", f"expected a layer or a statement, found `{opening.text}`", opening).advised(fix)


_CAFFE = {"ReLU": "RELU", "Sigmoid": "SIGMOID", "TanH": "TANH", "Softmax": "SOFTMAX"}
_KNOWN = frozenset("name type bottom top num_output kernel_size stride pad group pool".split())


def _caffe_layer(fields: dict[str, str]) -> str:
    """Translate a layer of Caffe; empty if a field has no certain counterpart. Caffe pads by 0 by default."""
    kind, size, width = fields.get("type", ""), fields.get("kernel_size", ""), fields.get("num_output", "")
    if not _KNOWN.issuperset(fields):
        return ""
    stride = f"/{fields['stride']}" if fields.get("stride", "1") != "1" else ""
    if kind == "Convolution" and size and width:
        pad = fields.get("pad", "0")
        options = ["pad=valid" if pad == "0" else f"pad={pad}"] if size != "1" or pad != "0" else []
        options += [f"groups={fields['group']}"] if fields.get("group", "1") != "1" else []
        return f"CONV{size}-{width}{stride}" + (f"({', '.join(options)})" if options else "")
    if kind == "InnerProduct" and width:
        return f"FC-{width}"
    return _CAFFE.get(kind, "")


PASTED_FIXES: tuple[Callable[[Stop], Fix | Diagnostic | None], ...] = (added, times, caffe, count)
