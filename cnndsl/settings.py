"""Parameter values from outside: `--set N=2` on the command line, `load(..., N=2)` in Python.

A text is parsed by the rules of the language, never by Python's `eval`. `elaborate` checks that the network has such
a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from operator import index
from typing import cast

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.expr import error, given
from cnndsl.expressions import Name, ReferenceExpr
from cnndsl.values import ListValue, NameSymbol, Symbol, Value, as_shape

_GROUPED = re.compile(r"\(.*\)|\{.*\}", re.DOTALL)
_OTHER_PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*(?::=?|\s)\s*(\S.*)")
_SEVERAL = re.compile(r"\s*\w+\s*=[^=,(){}]+(?:,\s*[A-Za-z_]\w*\s*=[^=,(){}]+)+")
_DOMAIN = re.compile(r"\s*-?\d+\s*\.\.\s*-?\d+\s*")
_SETTING = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)\s*=(.*)", re.DOTALL)


def parse_settings(texts: Iterable[str]) -> dict[str, Value]:
    """Parse texts `name=value`. Raises CnnError for an invalid one or a repeated name.

    >>> parse_settings(["classes=10", "bn=yes", "input=32x32x3"])
    {'classes': 10, 'bn': True, 'input': (32, 32, 3)}
    >>> parse_settings(["input.left=32x32x3"])
    {'input.left': (32, 32, 3)}
    >>> parse_settings(["widths=32,64", "depths=(2,)"])
    {'widths': ListValue(items=(32, 64)), 'depths': ListValue(items=(2,))}
    """
    settings: dict[str, Value] = {}
    for text in texts:
        match = _SETTING.fullmatch(text)
        if match is None:
            raise _refused(text, "it is not of the form name=value", help=_pair(text))
        name = match[1]
        if name in settings:
            raise _refused(text, f"`{name}` is set already")
        if not match[2].strip():
            raise _refused(text, "there is no value after the `=`")
        if match[2].startswith("="):
            raise _refused(text, "a parameter is set by one `=`", help=f"write --set {name}={match[2].strip(' =')}")
        if _SEVERAL.fullmatch(text):
            pairs = (each.strip() for each in text.split(","))
            raise _refused(text, "each parameter has its own option", help=" ".join(f"--set {each}" for each in pairs))
        if _DOMAIN.fullmatch(match[2]):
            raise _refused(text, f"`{name}` takes one value", help=f"`cnndsl sweep --set {text.strip()}` tries several")
        settings[name] = _read(text, match[2].strip())
    return settings


def _pair(text: str) -> str:
    """Return the help for a setting without `=`."""
    other = _OTHER_PAIR.fullmatch(text)
    return f"write --set {other[1]}={other[2].strip()}" if other else ""


def values(parameters: Mapping[str, object]) -> dict[str, Value]:
    """Convert Python values. For `input`, a mapping gives the shape of each of several inputs. Integers in a tuple are
    a shape, until a parameter whose default is a list converts them to a list.

    Raises TypeError for a type that the language lacks, CnnError for a text that is not a value.

    >>> values({"classes": 10, "rate": 0.5, "act": "yes"})
    {'classes': 10, 'rate': Fraction(1, 2), 'act': True}
    >>> values({"input": {"left": (32, 32, 3)}})
    {'input.left': (32, 32, 3)}
    >>> values({"rates": [0.5, 2]})
    {'rates': ListValue(items=(Fraction(1, 2), 2))}
    """
    found: dict[str, Value] = {}
    for name, value in parameters.items():
        if name == "input" and isinstance(value, Mapping) and value:
            named = cast("Mapping[str, object]", value)
            found.update({f"{name}.{each}": _value(f"{name}.{each}", inner) for each, inner in named.items()})
            continue
        found[name] = _value(name, cast("object", value))
    return found


def _value(name: str, value: object) -> Value:
    if isinstance(value, bool | Symbol):
        return value
    if isinstance(value, str):
        return _read(f"{name}={value}", value)
    if isinstance(value, float):
        exact = Fraction(str(value)) if value - value == 0 else None
        if exact is None:
            raise TypeError(f"{name}={value} is not a number that the language has")
        return exact.numerator if exact.denominator == 1 else exact
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    if isinstance(value, tuple | list):
        return _listed(name, cast("Sequence[object]", value))
    try:
        return index(cast("int", value))
    except TypeError:
        message = f"{name}={value!r} is not a value of the language; numbers, yes and no, shapes, lists and names are"
        raise TypeError(message) from None


def _listed(name: str, several: Sequence[object]) -> Value:
    """Return integers as a shape, which a parameter with a list as default converts to a list; all else as a list."""
    found = as_shape(ListValue(tuple(_value(name, each) for each in several)))
    if not isinstance(found, ListValue):
        return found
    return ListValue(tuple(ListValue(each) if isinstance(each, tuple) else each for each in found.items))


def _read(setting: str, text: str) -> Value:
    """Parse a value as in a program, or a list without its parentheses. A name stands for itself: a layer type, a
    block, a label."""
    from cnndsl.syntax import ast
    from cnndsl.syntax.parse import parse

    try:
        written = f"({text})" if "," in _GROUPED.sub("", text) else text
        statements = parse(Source("--set", f"let it = {written}")).statements
        if len(statements) != 1 or not isinstance(statements[0], ast.Let):
            raise _refused(setting, f"`{text}` is not one value")
        return given(statements[0].value, {}, _word)
    except CnnError as stop:
        first = stop.diagnostics[0]
        raise stop if first.span is None else _refused(setting, first.message, first.code, first.help) from None


def _word(written: Name | ReferenceExpr) -> Value:
    if isinstance(written, Name):
        return NameSymbol(written.name)
    raise error("E0205", "a parameter cannot be set to an output", written.span)


def _refused(setting: str, why: str, code: str = "E0501", help: str = "") -> CnnError:
    help = help or "for example, `--set classes=10`"
    return CnnError(Diagnostic(code, f"cannot set `{setting}`: {why}", help=help))
