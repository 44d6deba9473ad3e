"""Recognise values of `--input` and `--set` that are written as in other tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.network import Network
from cnndsl.values import ListValue, Value

_NAMED = re.compile(r"\s*([A-Za-z_]\w*\s*=)?(.*)", re.DOTALL)
_EXTENTS = re.compile(r"\d{1,9}(?:(\s*[,;*×xX:_]\s*|\s+)\d{1,9})(?:\1\d{1,9})*", re.ASCII)
_SEPARATORS = re.compile(r"[^\d]+")
_FEW = 4
"""Images have at most this many channels: grey, RGB, and one more."""
_RANGE = re.compile(r"(-?\d{1,9})\s*(?:-|:|to|\.\.\.)\s*(-?\d{1,9})", re.ASCII)
_PYTHON_RANGE = re.compile(r"range\((-?\d{1,6}),\s*(-?\d{1,6})(?:,\s*(-?\d{1,6}))?\)", re.ASCII)
_MOST_VALUES = 12


def input_meant(text: str) -> str:
    """Return the form in `--input` of a shape whose extents are not joined by `x`; empty for any other text.

    >>> input_meant("224,224,3"), input_meant("(1, 3, 224, 224)"), input_meant("left=64*64*1"), input_meant("8x8x3")
    ('224x224x3', '224x224x3', 'left=64x64x1', '')
    """
    match = _NAMED.fullmatch(text)
    name, shape = ((match[1] or "").replace(" ", ""), match[2].strip("()[]{} \t")) if match else ("", "")
    if not _EXTENTS.fullmatch(shape):
        return ""
    extents = tuple(map(int, _SEPARATORS.split(shape)))
    fixed = next(_orders(extents), extents)
    written = "x".join(map(str, extents))
    return "" if text.strip() == f"{name}{written}" else f"{name}{'x'.join(map(str, fixed))}"


def is_shape(text: str) -> bool:
    """Return whether a text is allowed as `--input`: shapes whose extents are positive, or an expression.

    >>> [is_shape(text) for text in ("8x8x3", "left=8x8x3,16x16x3", "8x8x", "8x8x0", "", "hd")]
    [True, True, False, False, False, False]
    """
    match = _NAMED.fullmatch(text)
    shape = match[2].strip() if match else ""
    if not shape or not any(map(str.isdecimal, shape)) or shape.endswith("x"):
        return False
    return not re.search(r"(?:^|x)\s*(?:-\s*\d|0+(?!\d))", shape)


def _orders(extents: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield a shape without its batch size and with its channels last, if it has them elsewhere."""
    if len(extents) == 4 and extents[0] == 1 and min(extents[2:]) >= 1:
        rest = extents[1:]
        yield next(_orders(rest), rest)
    if len(extents) == 3 and extents[0] <= _FEW < min(extents[1:]):
        yield (*extents[1:], extents[0])


def domain_meant(text: str) -> str:
    """Return the form in `sweep --set` of a parameter's values; empty if the text is not a known foreign notation.

    >>> domain_meant("1-3"), domain_meant("1:3"), domain_meant("[1,2,3]"), domain_meant("1 2 3"), domain_meant("1..3")
    ('1..3', '1..3', '1,2,3', '1,2,3', '')
    >>> domain_meant("range(1, 8, 2)"), domain_meant("range(1, 4)")
    ('1,3,5,7', '1..3')
    """
    text = text.strip()
    if match := _RANGE.fullmatch(text):
        return f"{match[1]}..{match[2]}"
    if match := _PYTHON_RANGE.fullmatch(text):
        step = int(match[3] or 1)
        found = range(int(match[1]), int(match[2]), step) if step else range(0)
        if not found:
            return ""
        return f"{found[0]}..{found[-1]}" if step == 1 else ",".join(map(str, found[:_MOST_VALUES]))
    inner = text[1:-1].strip() if text.startswith("[") and text.endswith("]") else text
    values = [each for each in re.split(r"[\s;|,]+", inner) if each]
    joined = ",".join(values)
    if len(values) < 2 or not all(re.fullmatch(r"-?[\w.]+", each) for each in values):
        return ""
    return "" if joined == re.sub(r"\s+", "", text) else joined


def as_meant(source: Source, settings: Mapping[str, Value], stop: CnnError) -> CnnError:
    """Return the error of a network with settings. If the network compiles with another order of the input's extents,
    or with one of several values, the error says so instead."""
    if given := _given(settings):
        declared = _declared(source, settings)
        for extents in (*_orders(given), *_completed(given, declared)):
            if _compiles(source, {**settings, "input": extents}):
                return _refused(f"input={_shape(given)}", _why(given), f"write --input {_shape(extents)}")
    return next(_several(source, settings), stop)


def _several(source: Source, settings: Mapping[str, Value]) -> Iterator[CnnError]:
    """Yield the error of a parameter with several values, each of which compiles."""
    for name, value in settings.items():
        several = value.items if isinstance(value, ListValue) else value if isinstance(value, tuple) else ()
        if name != "input" and several and all(_compiles(source, {**settings, name: each}) for each in several[:2]):
            text = f"{name}={','.join(map(str, several))}"
            yield _refused(text, f"`{name}` takes one value", f"`cnndsl sweep --set {text}` tries each")


def suspicion(source: Source, settings: Mapping[str, Value], net: Network) -> str:
    """Return the message on an input that is probably not intended, of a network that compiles; empty if there is
    none."""
    given = _given(settings)
    if not given or (len(given) > 2 and given[0] > _FEW):
        return ""
    declared = _declared(source, settings)
    meant = next((each for each in (*_orders(given), *_completed(given, declared)) if each[-1:] == declared[-1:]), ())
    if not meant or given[-1:] == declared[-1:] or len(net.graph.inputs) > 1:
        return ""
    return f"{_why(given)}; --input {_shape(meant)} may be meant"


def _given(settings: Mapping[str, Value]) -> tuple[int, ...]:
    """Return the shape to which the only input is set; empty if it is not set to one."""
    given = settings.get("input")
    if isinstance(given, tuple):
        return given
    return (given,) if isinstance(given, int) and not isinstance(given, bool) else ()


def _why(given: tuple[int, ...]) -> str:
    """Return the meaning of a shape."""
    shown, extents = _shape(given), list(given)
    if len(given) == 4 and extents[0] == 1:
        return f"{shown} is a volume of depth 1, since a shape has no batch size"
    if len(given) > 2:
        return f"{shown} has {extents[-1]} channels, since channels come last"
    if len(given) == 2:
        return f"{shown} is a line of {extents[0]} positions with {extents[1]} channels"
    return f"{shown} is a vector of {extents[0]} values"


def _completed(given: tuple[int, ...], declared: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield shapes of an image of which only the size is given."""
    if len(declared) == 3 and given and len(given) < 3:
        extents = list(given)
        yield (extents[0], extents[-1], declared[-1])


def _declared(source: Source, settings: Mapping[str, Value]) -> tuple[int, ...]:
    """Return the shape of INPUT in the file; empty if the file does not compile or has several."""
    from cnndsl.network import compiled

    try:
        inputs = compiled(source, {name: value for name, value in settings.items() if name != "input"}).graph.inputs
    except CnnError:
        return ()
    shape = inputs[0].shape
    return (*shape.spatial, shape.channels) if len(inputs) == 1 else ()


def _compiles(source: Source, settings: Mapping[str, Value]) -> bool:
    from cnndsl.network import compiled

    try:
        compiled(source, settings)
    except CnnError:
        return False
    return True


def _shape(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


def _refused(setting: str, why: str, help: str) -> CnnError:
    return CnnError(Diagnostic("E0501", f"cannot set `{setting}`: {why}", help=help))
