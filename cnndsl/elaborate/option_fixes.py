"""Edits for options: names from other languages, numbers that belong in the head here, and truth values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.elaborate.foreign_heads import head_of
from cnndsl.errors import Edit, Fix, Help, Span, meant, replacement, unmistakable
from cnndsl.layers.base import Layer, Option
from cnndsl.syntax import ast
from cnndsl.syntax.foreign_layers import activation_kind, chained

_SYNONYMS = {
    "padding": "pad",
    "padding_mode": "border",
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "size": "kernel",
    "out_channels": "filters",
    "channels": "filters",
    "width": "filters",
    "out_features": "features",
    "units": "features",
    "strides": "stride",
    "dilation_rate": "dilation",
    "dilate": "dilation",
    "use_bias": "bias",
    "ceil_mode": "ceil",
    "count_include_pad": "countpad",
    "align_corners": "align",
    "scale_factor": "scale",
    "interpolation": "mode",
    "output_padding": "out_pad",
    "num_groups": "groups",
    "group": "groups",
    "negative_slope": "slope",
    "rate": "p",
    "epsilon": "eps",
    "prob": "p",
    "output_size": "out",
}
"""Options under the names of other languages."""
_INPUTS = frozenset(("in", "in_channels", "in_features", "num_features", "input_shape", "inplace", "dim", "axis"))
"""Options of other languages that follow from the input, or make no difference to a network."""
_TRUTHS = {
    **dict.fromkeys(("True", "true", "on", "Yes", "YES", "1"), "yes"),
    **dict.fromkeys(("False", "false", "off", "No", "NO", "None", "none", "0"), "no"),
}


def for_option(kind: type[Layer], written: ast.WrittenLayer, argument: ast.Argument, otherwise: str) -> Help:
    """Return what to write for an option that a layer type does not have."""
    name = argument.name or ""
    if name in ("activation", "act", "nonlinearity"):
        return _activation(written, argument) or otherwise
    place = Span(argument.span.source, argument.span.start, argument.span.start + len(name))
    options = kind.options()
    known = [*options, *(alias for rule in options.values() for alias in rule.aliases)]
    likely = unmistakable(name, known) if len(name) > 1 else ""
    if name in ("p", "s") and name.upper() in known:
        likely = name.upper()
    elif name == "bias" and "k" in options:
        likely = "k"
    elif name in ("local_size", "n") and kind.ROLE == "normalisation" and "size" in options:
        likely = "size"
    elif name == "rate" and "dilation" in options:
        likely = "dilation"
    elif _SYNONYMS.get(name) in options:
        likely = _SYNONYMS[name]
    if likely:
        fix = meant(place, likely)
        value = _meant_value(argument.value.span.text, options.get(likely))
        more = (Edit(argument.value.span, value),) if value else ()
        return Fix((*fix.edits, *more), fix.advice, argument.span if value else place, otherwise)
    if name in _INPUTS:
        advice = f"{kind.kind()} takes what comes in" if name != "inplace" else "the compiler works this out"
        return Fix((without(written, argument),), f"{advice}: {{}}", written.span, otherwise)
    return otherwise


def _meant_value(text: str, rule: Option | None) -> str:
    """Return the equivalent of another language's value; empty if it stays the same."""
    if rule is not None and rule.type == "flag":
        return truth_of(text)
    return text.lower() if rule is not None and text not in rule.words and text.lower() in rule.words else ""


def truth_of(text: str) -> str:
    """Return `yes` or `no` for the truth values of other languages; empty for anything else."""
    return _TRUTHS.get(text, "")


def without(written: ast.WrittenLayer, argument: ast.Argument) -> Edit:
    """Return the edit that removes an argument, with its comma, or with the parentheses around it."""
    arguments, span = list(written.arguments or ()), written.span
    at = arguments.index(argument)
    if len(arguments) == 1:
        return Edit(Span(span.source, head_of(written).end, span.end), "")
    if at == 0:
        return Edit(Span(span.source, argument.span.start, arguments[1].span.start), "")
    return Edit(Span(span.source, arguments[at - 1].span.end, argument.span.end), "")


def _activation(written: ast.WrittenLayer, argument: ast.Argument) -> Fix | None:
    """Return the fix that turns the activation of `CONV3-64(activation=relu)` into a separate layer."""
    kind = activation_kind(argument.value.span.text)
    if not kind:
        return None
    span = written.span
    edit = without(written, argument)
    kept = span.text[: edit.span.start - span.start] + span.text[edit.span.end - span.start :]
    text = chained([kept, kind], span.source.text, span.end)
    return replacement(span, text, "an activation is a layer of its own: {}")


def rounded(span: Span) -> Help:
    """Return how to turn a fraction into an integer: `n//2`, `ceil(n/2)`."""
    text = span.text
    otherwise = f"use `floor({text})`, `ceil({text})` or `round({text})`"
    if text.count("/") != 1 or set("+-%*(").intersection(text):
        return otherwise
    advice = f"round it down, {{}}, or use `ceil({text})` or `round({text})`"
    return replacement(span, text.replace("/", "//"), advice, otherwise)


def named_choice(span: Span) -> str:
    """Return how to name an optional part: `POOL2?pool`."""
    body = span.text.rpartition("?")[0]
    word = re.match(r"[A-Za-z]+", body)
    help = "give the choice another name"
    return f"{help}: `{body}?{word[0].lower()}`" if word is not None and len(body) <= 24 else help


def in_the_head(kind: type[Layer], written: ast.WrittenLayer) -> Fix | None:
    """Return the fix for a layer with its numbers in parentheses: `CONV3(64)`, `POOL(3, 2)`, `FC(10)`; None if it is
    unclear which number is which."""
    arguments = written.arguments or ()
    given = [each.value.span.text for each in arguments if each.name is None]
    if kind.ROLE == "normalisation" and (found := _normalisation(kind, written, given)):
        return found
    named = [each.span.text for each in arguments if each.name is not None]
    if not all(re.fullmatch(r"[0-9]+(?:x[0-9]+)?", each) for each in given) or written.stride is not None:
        return None
    head = head_of(written)
    has_size = bool(written.size) or bool(re.search(r"[0-9]$", head.text.partition("-")[0]))
    signs = _signs(kind, given, has_size, written.width is not None)
    if signs is None:
        return None
    options = f"({', '.join(named)})" if named else ""
    return replacement(written.span, f"{head.text}{signs}{options}", "its numbers come right after the name: {}")


def _normalisation(kind: type[Layer], written: ast.WrittenLayer, given: Sequence[str]) -> Fix | None:
    """Return the fix for channels in `BN(64)`, `GN(32, 64)` and for PyTorch's order in `LRN(5, 1e-4, 0.75)`."""
    head, options = head_of(written), list(kind.options())
    named = [each.span.text for each in written.arguments or () if each.name is not None]
    if written.size or head.text.upper() not in kind.NAMES or not re.fullmatch(r"[0-9]+", given[0]):
        return None
    size = given[0] if kind.SIZE else ""
    if options[0] == kind.SIZE:
        if not all(re.fullmatch(r"[0-9]*\.?[0-9]+(?:e-?[0-9]+)?", each) for each in given):
            return None
        named = [*map("=".join, zip(options[1:], given[1:], strict=False)), *named]
        advice = "its size comes right after the name, and options have names: {}"
    elif len(given) == 1 + bool(size):
        advice = f"{kind.kind()} takes as many channels as come in: {{}}"
    else:
        return None
    text = f"{head.text}{size}" + (f"({', '.join(named)})" if named else "")
    return replacement(written.span, text, advice)


def _signs(kind: type[Layer], given: Sequence[str], has_size: bool, has_width: bool) -> str | None:
    """Return size, width and stride as they are written after a name."""
    parts: list[str] = []
    rest = list(given)
    if kind.SIZE and kind.WIDTH and not has_size and not has_width:
        if len(rest) == 1:
            is_size = int(rest[0].partition("x")[0]) < 8
            return rest[0] if is_size else f"-{rest[0]}"
        if len(rest) > 1 and "x" not in rest[1] and "x" not in rest[0] and int(rest[0]) > int(rest[1]):
            rest[:2] = rest[1::-1]
    if kind.SIZE and not has_size and not has_width and rest:
        parts.append(rest.pop(0))
    if kind.WIDTH and not has_width and rest:
        parts.append(f"-{rest.pop(0)}")
    if kind.STRIDE and rest:
        parts.append(f"/{rest.pop(0)}")
    return "".join(parts) if parts and not rest else None


def share(text: str) -> str:
    """Return a fraction as a decimal, for a percentage, `50`, or for a number without its point, `5`, `05`.

    >>> share("50"), share("5"), share("25"), share("7")
    ('0.5', '0.5', '0.25', '0.7')
    """
    digits = text.lstrip("0")
    return f"{int(digits) / 10 ** len(digits):g}" if re.fullmatch(r"[1-9][0-9]?", digits) else ""
