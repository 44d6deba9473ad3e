"""Edits for lines that are not statements of the language: prose without a `#`, `return a, b`, `if bn: BN`, numbers
with thousands separated by commas."""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.errors import Diagnostic, Fix, Span, replacement
from cnndsl.syntax.brackets import opened_at, partner, split
from cnndsl.syntax.edits import fix, line_of
from cnndsl.syntax.foreign_layers import FOREIGN, activation_kind, translated
from cnndsl.syntax.parse_failure import STATEMENTS, Stop
from cnndsl.syntax.unit_fixes import unit

_GLUE = r"(?:a|an|and|as|by|for|from|in|is|me|my|of|on|the|this|to|with)"
_PROSE = re.compile(rf"(?!(?:{'|'.join(STATEMENTS)}|output)\b)[A-Za-z][\w'-]*[ ,](?=.*\b{_GLUE}\b)[^>=@(\[{{|]*[\w.!]")
_RETURN = re.compile(
    r"(?:return|returns|yield|outputs)[ \t]+(?P<names>@?[A-Za-z_]\w*(?:[ \t]*,[ \t]*@?[A-Za-z_]\w*)*)$"
)
_OUTPUTS = re.compile(
    r"output(?:[ \t]*[=:])?(?P<open>[ \t]*[(\[])?(?P<names>(?:[ \t]*,?[ \t]*@?[A-Za-z_][\w.]*)+)[)\]]?"
)
_OPERATORS = {
    **dict.fromkeys(("add", "sum", "plus"), " + "),
    **dict.fromkeys(("cat", "concat", "concatenate"), " | "),
    **dict.fromkeys(("multiply", "mult", "product", "prod"), "MUL"),
    **dict.fromkeys(("subtract", "difference"), "SUB"),
    **dict.fromkeys(("maximum",), "MAX"),
    **dict.fromkeys(("average", "avg"), "MEAN"),
}
ADVICE = {
    " + ": "branches are added with `+` in parentheses: {}",
    " | ": "branches are concatenated with `|` in parentheses: {}",
}
"""The advice for a merge that is written as a call, by its operator in cnndsl."""
_CHANNELS = r"(?:dim|axis)[ \t]*=[ \t]*(?:-1|1|3)"
_AXIS = r",[ \t]*(?:(?:dim|axis)[ \t]*=[ \t]*)?(?:-1|1|3)"
_IF = re.compile(
    r"(?:(?<=->)|(?<=[\[(+|=]))[ \t]*\bif[ \t]+(?P<test>[^:\n\[\]]+?)[ \t]*:[ \t]*"
    r"(?P<element>[A-Za-z_][\w{}/.-]*(?<![-/.])(?:\([^()]*\))?)"
)


def prose(stop: Stop) -> Fix | None:
    """Fix `Network for CIFAR-10 by me`, on a line of its own."""
    line = line_of(stop.source, stop.offset)
    if not _PROSE.fullmatch(line.text) or "->" in line.text or re.search(r"[ \t]for[ \t]\w+[ \t]in\b", line.text):
        return None
    return fix(stop.source, [(line.start, line.start, "# ")], "a comment begins with `#`: {}", line)


def returned(stop: Stop) -> Fix | None:
    """Fix `return a, b`."""
    line = line_of(stop.source, stop.offset)
    code = Span(stop.source, line.start, line.start + len(line.text.partition("#")[0].rstrip()))
    found = _RETURN.fullmatch(code.text)
    if found is None:
        return None
    return replacement(
        code, f"output {found['names'].replace('@', '')}", "name the outputs of a network with `output`: {}"
    )


def outputs(stop: Stop) -> Fix | None:
    """Fix `output a b`, `output = @a, @b`."""
    line = line_of(stop.source, stop.offset)
    found = _OUTPUTS.fullmatch(line.text.partition("#")[0].rstrip())
    if found is None:
        return None
    names = ", ".join(re.findall(r"[A-Za-z_][\w.]*", found["names"]))
    if "," not in names and "=" not in line.text and not found["open"]:
        return None
    place = Span(stop.source, line.start, line.start + found.end())
    signs = [sign for sign in ("=", ":", "@") if sign in place.text]
    if not signs:
        return replacement(place, f"output {names}", "list the outputs with commas between them: {}")
    listed = " and ".join(f"`{sign}`" for sign in signs)
    return replacement(place, f"output {names}", f"`output` is followed by names, without {listed}: {{}}")


def number_in_name(stop: Stop) -> Diagnostic | None:
    """Return the diagnostic for `LEAKYRELU0.2`."""
    found = re.search(r"(?<![\w.])(?P<name>[A-Z]+)(?P<number>[0-9]+\.[0-9]+)[ \t\n]*$", stop.end_of_before)
    if found is None:
        return None
    start = stop.offset - len(found[0])
    place = Span(stop.source, start, start + found.end("number") - found.start())
    fix = replacement(place, f"{found['name']}({found['number']})", "a decimal goes in parentheses: {}")
    return Diagnostic("E0231", f"no layer type or block is called `{place.text}`", place).advised(fix)


def listed(stop: Stop) -> Fix | None:
    """Fix `let widths = 32, 64, 128`."""
    line = line_of(stop.source, stop.offset)
    found = re.match(
        r"let[ \t]+[A-Za-z_]\w*[ \t]*=[ \t]*(?P<values>[\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)(?=[ \t]*(?:#|$))", line.text
    )
    if found is None or stop.found != ",":
        return None
    place = Span(stop.source, line.start + found.start("values"), line.start + found.end("values"))
    return replacement(place, f"({place.text})", "a list goes in parentheses: {}")


def choices(stop: Stop) -> Diagnostic | None:
    """Return the diagnostic for `net N(k in (3, 5, 7) = 3)`."""
    found = re.search(r"\bin[ \t]+(?P<values>\([^(){}]*\)|\[[^\[\]{}]*\])[ \t]*$", stop.end_of_before)
    if found is None or not re.search(r"(?:^|\n)[ \t]*net\b[^\n]*$", stop.end_of_before):
        return None
    start = stop.offset - len(found[0]) + found.start("values") - found.start()
    place = Span(stop.source, start, start + len(found["values"]))
    fix = replacement(place, f"{{{found['values'][1:-1]}}}", "the values of a parameter go in braces: {}")
    return Diagnostic("E0102", f"expected `{{`, found `{place.text[0]}`", place).advised(fix)


def spaced(stop: Stop) -> Fix | None:
    """Fix `conv 64 3x3`."""
    line = line_of(stop.source, stop.offset)
    for found in re.finditer(r"\b(?i:conv)[ \t]+(?P<width>[0-9]+)[ \t]+(?P<size>[0-9]+)x(?P=size)\b(?!x)", line.text):
        place = Span(stop.source, line.start + found.start(), line.start + found.end())
        if place.start <= stop.offset <= place.end:
            return replacement(place, f"CONV{found['size']}-{found['width']}", "a layer has no spaces: {}")
    return None


def condition(stop: Stop) -> Fix | None:
    """Fix `-> if bn: BN`."""
    line = line_of(stop.source, stop.offset)
    for found in _IF.finditer(line.text):
        start = line.start + found.start() + len(found[0]) - len(found[0].lstrip())
        place = Span(stop.source, start, line.start + found.end())
        if place.start <= stop.offset <= place.end:
            return replacement(place, f"{found['element']} if {found['test']}", "a condition follows its layer: {}")
    return None


def thousands(stop: Stop) -> Fix | None:
    """Fix `79,510`."""
    first = re.search(r"(?<![\w.,])[0-9]{1,3}$", stop.end_of_before)
    rest = re.match(r"(?:,[0-9]{3})+(?![\w.])", stop.after)
    if first is None or rest is None or stop.takes("COMMA"):
        return None
    place = Span(stop.source, stop.offset - len(first[0]), stop.offset + rest.end())
    return replacement(place, place.text.replace(",", "_"), "group digits with `_`: {}")


def domain(stop: Stop) -> Fix | None:
    """Fix `net N(k=3 in {3, 5, 7})`."""
    begun = re.search(r"(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?P<value>[^,()={}]+?)[ \t]*$", stop.end_of_before)
    values = re.match(r"in[ \t]+(?P<values>\{[^{}]*\}|[0-9]+\.\.[0-9]+)", stop.after)
    if begun is None or values is None:
        return None
    place = Span(stop.source, stop.offset - len(begun[0]), stop.offset + values.end())
    written = f"{begun['name']} in {values['values']} = {begun['value']}"
    return replacement(place, written, "the values of a parameter come before its default: {}")


def combined(stop: Stop) -> Diagnostic | None:
    """Return the diagnostic for `ADD(A -> B, ID)`, `concat(A, B -> C)`, `torch.cat([A, B])`."""
    opened = opened_at(stop)
    at = stop.offset if stop.found == "(" else opened[-1] if opened else -1
    text = stop.source.text
    word = re.search(r"(?<![\w.])(?:[a-z]+\.)*([A-Za-z]+)$", text[max(0, at - 80) : max(at, 0)])
    operator = _OPERATORS.get(word[1].lower()) if word else None
    end = partner(text, at) if operator else -1
    if stop.found == "(" and text[at : end + 1] == "()" and text[end + 1 : end + 2] == "(":
        at, end = end + 1, partner(text, end + 1)
    if operator is None or word is None or end < 0 or stop.found not in ("->", ">", "[", "+", ",", "|", "("):
        return None
    start = at + 1 + len(text[at + 1 : end]) - len(text[at + 1 : end].lstrip())
    rest = text[partner(text, start) + 1 : end].strip() if text[start] in "[(" else ")"
    is_list = (not rest or re.fullmatch(_AXIS, rest)) and "," in text[start : partner(text, start)]
    inside = text[start + 1 : partner(text, start)] if is_list else text[start:end]
    branches = [each.strip() for each in split(inside, ",")]
    if re.fullmatch(_CHANNELS, branches[-1]):
        branches.pop()
    if not branches or not all(branches) or re.match(r"(?:dim|axis)\b", branches[-1]):
        return None
    advice = ADVICE.get(operator, "in cnndsl this is {}")
    if len(branches) == 1:
        branches, advice = ["ID", *branches], "the other branch is missing; `ID` passes its input on: {}"
    joined = f"({operator.join(branches)})" if operator[0] == " " else f"{operator}({', '.join(branches)})"
    place = Span(stop.source, at - len(word[0]) - 2 * text[:at].endswith("()"), at)
    fix = replacement(Span(stop.source, place.start, end + 1), joined, advice)
    return Diagnostic("E0231", f"no layer type or block is called `{place.text}`", place).advised(fix)


def _ours(layer: str) -> str:
    """Return a layer of PyTorch or Keras in cnndsl's notation; any other text unchanged."""
    call = re.fullmatch(r"([\w.]+)\((.*)\)", layer)
    return " -> ".join(translated(call[1].rpartition(".")[2], call[2])) or layer if call else layer


def dotted(stop: Stop) -> Diagnostic | None:
    """Return the diagnostic for a library call used as a layer: `nn.Sequential(A, B)`, `F.relu(x)`, `torch.flip(x)`."""
    name = re.search(r"(?<![\w.@])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$", stop.end_of_before)
    if stop.found != "(" or name is None or not stop.takes("COLON") or stop.takes("ARROW"):
        return None
    place = Span(stop.source, stop.offset - len(name[0]), stop.offset)
    found = Diagnostic("E0231", f"no layer type or block is called `{name[0]}`", place)
    end = partner(stop.source.text, stop.offset)
    if end < 0:
        return found
    inside = stop.source.text[stop.offset + 1 : end].strip()
    whole = Span(stop.source, place.start, end + 1)
    layers = [_ours(" ".join(each.split())) for each in split(inside, ",") if each.strip()]
    if name[0].endswith("Sequential") and layers:
        written = f"[{' -> '.join(layers)}]"
        return found.advised(replacement(whole, written, "layers follow each other with arrows: {}"))
    kind = activation_kind(name[0])
    if kind and re.fullmatch(r"\w*", inside) and stop.before[: -len(name[0])].rstrip().endswith("->"):
        return found.advised(replacement(whole, kind, FOREIGN))
    if (
        kind
        and re.fullmatch(r"@[\w.]+", inside)
        and re.search(r"\w[ \t]*=[ \t]*$", stop.end_of_before[: -len(name[0])])
    ):
        return found.advised(replacement(whole, f"{inside} -> {kind}", FOREIGN))
    return found


LINE_FIXES: tuple[Callable[[Stop], Fix | Diagnostic | None], ...] = (
    returned,
    outputs,
    condition,
    thousands,
    unit,
    domain,
    choices,
    listed,
    number_in_name,
    spaced,
    combined,
    prose,
)
