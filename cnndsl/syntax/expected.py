"""What a syntax error says: which words could have stood there, in terms that a user knows."""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.errors import Diagnostic, Span

_WORDS: dict[str, str] = {
    "__ANON_ARROW": "`->`",
    "WORD": "a layer",
    "RSQB": "`]`",
    "RPAR": "`)`",
    "RBRACE": "`}`",
    "NAME": "a name",
    "NUMBER": "a number",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "LSQB": "`[`",
    "STRING": 'a file name in quotes, "resnet.cnn"',
    "LPAR": "`(`",
    "IN": "`in`",
    "DIMS": "a volume such as 224x224x3",
}
_STATEMENTS = frozenset({"NET", "USE", "LET", "DEFAULT", "BLOCK", "ASSERT", "CNN", "$END"})
_MOST = 4


def describe(span: Span, found: str | None, expected: Iterable[str]) -> Diagnostic:
    """The diagnostic for what was found (None: the end of the file) where something else was expected."""
    names = set(expected)
    what = "the file ends too early" if found is None else f"`{_printable(found)}` cannot stand here"
    code = (
        "E0101"
        if found is not None and len(found) == 1 and found not in "()[]{}->*+|:,=?@" and not found.isalnum()
        else "E0102"
    )
    return Diagnostic(code, what, span, label=_expectation(names), help=_hint(found, names))


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _expectation(names: set[str]) -> str:
    known = [text for name, text in _ordered() if name in names]
    if names >= {"NET", "BLOCK"}:
        known = [text for text in known if text != "a layer"] + ["a new statement"]
    shown = known[:_MOST]
    if not shown:
        return ""
    return "expected " + (shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}")


def _ordered() -> list[tuple[str, str]]:
    return [("__ANON_0", "`->`") if name == "__ANON_ARROW" else (name, text) for name, text in _WORDS.items()]


def _hint(found: str | None, names: set[str]) -> str:
    if found == "-" and "__ANON_0" in names:
        return "an arrow is `->`; a width follows its kind without blanks: `CONV3-64`"
    if found in {"=", "=="} and "COLON" in names:
        return "a label is written `name: LAYER`"
    if found == "→":
        return "write the arrow as `->`"
    if found == ";":
        return "statements need no separator"
    if found in {"×", "·"}:  # noqa: RUF001
        return "write `x` between extents and `*` before a count"
    return ""
