"""Build the message of a syntax error: which tokens could have followed, in terms that a user knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cnndsl.errors import Annotation, Diagnostic, Span
from cnndsl.syntax.brackets import unmatched
from cnndsl.syntax.chain_fixes import CHAIN_FIXES, LAST_FIXES
from cnndsl.syntax.foreign_layers import FOREIGN
from cnndsl.syntax.hints import foreign, fraction, hint, misspelled, unnamed
from cnndsl.syntax.layer_fixes import LAYER_FIXES
from cnndsl.syntax.line_fixes import LINE_FIXES, dotted
from cnndsl.syntax.parse_failure import Stop
from cnndsl.syntax.pasted_fixes import PASTED_FIXES
from cnndsl.syntax.sign_fixes import SIGN_FIXES
from cnndsl.syntax.statement_fixes import STATEMENT_FIXES
from cnndsl.syntax.statement_hints import misplaced
from cnndsl.syntax.value_hints import is_mixed
from cnndsl.syntax.words import LABEL, UNITS

_PLAIN = {
    "ARROW": "`->`",
    "VBAR": "`|`",
    "EQUAL": "`=`",
    "DOTS": "`..`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
}
"""Terminals that are listed whatever else could have followed, in the order of the message."""


_FIXES = (*PASTED_FIXES, *LINE_FIXES, *LAYER_FIXES, *SIGN_FIXES, *CHAIN_FIXES, *STATEMENT_FIXES, dotted)


def describe(stop: Stop) -> Diagnostic:
    """Return the diagnostic for a stop at which something else was expected."""
    whole = _whole_word(stop)
    found = _described(whole)
    is_plain = not found.help or found.help.startswith("an arrow is missing")
    rules = (*_FIXES, *LAST_FIXES) if is_plain else _FIXES
    fix = next((fix for rule in rules if (fix := rule(stop) or rule(whole)) is not None), None)
    if fix is None:
        return found
    if isinstance(fix, Diagnostic):
        rest = replace(fix.fix, otherwise=fix.fix.advice.removesuffix(": {}")) if fix.fix else fix.help
        return fix.advised(rest)
    called = re.fullmatch(
        r"([A-Za-z_]+(?:\.\w+)+|[A-Za-z]\w*[123][dD]\w*|[A-Z]\w*[a-z]\w*)(\(.*\))?",
        fix.place.text if fix.place else "",
        re.DOTALL,
    )
    if called and fix.place is not None and fix.advice == FOREIGN:
        name = called[1]
        place = Span(stop.source, fix.place.start, fix.place.start + len(name))
        return Diagnostic("E0231", f"no layer type or block is called `{name}`", place).advised(fix)
    return found.advised(replace(fix, otherwise=found.help))


def _described(stop: Stop) -> Diagnostic:
    brackets = unmatched(stop)
    if brackets is not None:
        return brackets
    alien = foreign(stop)
    if alien:
        return Diagnostic("E0101", f"unexpected character `{_printable(stop.found)}`", stop.span, help=alien)
    word = misspelled(stop)
    if word is not None:
        span, help = word
        return Diagnostic("E0102", f"expected a statement, found `{span.text}`", span, help=help)
    other = misplaced(stop)
    if other is not None:
        span, said, help = other
        message = said or f"expected {_expectation(stop)}, found `{span.text}`"
        return Diagnostic("E0102", message, span, help=help)
    number = re.match(r"[0-9][0-9_.]*[A-Za-z_][A-Za-z0-9_]*", stop.after)
    place = Span(stop.source, stop.offset, stop.offset + len(number[0])) if number else _whole(stop)
    if number and stop.takes("NUMBER") and not stop.is_adjacent and not is_mixed(stop):
        return Diagnostic("E0104", f"`{number[0]}` is not a number", place, help=UNITS)
    found = "the end of the file" if stop.is_end else f"`{_printable(place.text)}`"
    message = fraction(stop) or unnamed(stop) or f"expected {_expectation(stop)}, found {found}"
    return Diagnostic("E0102", message, place, others=_behind(stop), help=hint(stop))


def _whole(stop: Stop) -> Span:
    """Return the span of what was found: the whole word or arrow if the parser read only a piece of it, such as the `m`
    of `million` or the `>` of `->`."""
    word = re.match(r"[A-Za-z_]\w*", stop.after) if re.fullmatch(r"[A-Za-z_]\w*", stop.found) else None
    is_arrow = stop.found == ">" and stop.before.endswith("-")
    end = stop.offset + len(word[0]) if word else stop.span.end
    return Span(stop.source, stop.span.start - is_arrow, end)


def _whole_word(stop: Stop) -> Stop:
    """Return the stop at the beginning of a label, or of `@2` in `t@2`, if the parser continued into it."""
    if stop.found in (":", ".") and stop.takes("ARROW", "RSQB", "PLUS"):
        found = re.search(rf'[A-Za-z0-9_)\]}}"?]\s+({LABEL})$', stop.end_of_before)
    else:
        found = re.search(r"[A-Za-z0-9_](@[0-9][A-Za-z0-9_.]*)\s*$", stop.end_of_before)
    shift = stop.offset - len(stop.end_of_before)
    if found is None:
        return stop
    offset = shift + found.start(1)
    if stop.found not in (":", "."):
        accepts = frozenset({"AND", "MINUS", "$END"})
        return replace(stop, offset=offset, end=shift + found.end(1), type="REFERENCE", accepts=accepts)
    label = re.compile(LABEL).match(stop.source.text, offset)
    return replace(stop, offset=offset, end=label.end() if label else stop.end, type="QUOTED")


def _behind(stop: Stop) -> tuple[Annotation, ...]:
    """Return the label for the word before the stop, if that is on another line."""
    before = stop.before.rstrip()
    word = re.search(r"\S{1,24}$", before)
    if stop.is_end or word is None or "\n" not in stop.before[len(before) :]:
        return ()
    return (Annotation(Span(stop.source, stop.start + word.start(), stop.start + word.end()), "after this"),)


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape", "surrogatepass").decode()


def _expectation(stop: Stop) -> str:
    *others, last = dict.fromkeys(_expected(stop)) or ("`else`" if stop.takes("ELSE") else "something else",)
    return f"{', '.join(others)} or {last}" if others else last


def _expected(stop: Stop) -> Iterator[str]:
    """Yield what could have followed, each item once, the likeliest first."""
    if stop.takes("STRING"):
        yield "a file name in quotes"
        return
    yield from _beginnings(stop)
    if stop.takes("RSQB", "PLUS") and not stop.takes("LSQB", "MINUS", "ARROW"):
        yield "`->`"
    if stop.takes("PLUS") and not stop.takes("MINUS"):
        yield "`+`"
    yield from (text for terminal, text in _PLAIN.items() if stop.takes(terminal))
    is_label = stop.takes("LSQB", "NAME", "$END")
    if stop.takes("COLON") and not is_label and not stop.takes("ARROW"):
        yield "`:`"
    if stop.takes("IN") and not is_label:
        yield "`in`"
    if stop.takes("LSQB") and not stop.takes("REFERENCE"):
        yield "`[`"
    if stop.takes("LPAR") and not stop.takes("ARROW", "WORD", "NUMBER", "PERCENT"):
        yield "`(`"
    if stop.takes("MINUS", "AND") and not stop.takes("NUMBER"):
        yield "an operator"
    if stop.takes("$END"):
        yield "a new statement" if stop.before.strip() else "a statement"


def _beginnings(stop: Stop) -> Iterator[str]:
    """Yield parts, values and names, which can begin with many different tokens."""
    if stop.takes("REFERENCE") and stop.takes("LSQB"):
        yield "a layer"
    elif stop.takes("NUMBER", "NAME"):
        yield _value(stop)
    elif stop.takes("WORD") and not stop.takes("$END"):
        yield "a name" if stop.word == "tap" else "a layer"


def _value(stop: Stop) -> str:
    if stop.takes("MINUS"):
        return "a value"
    if stop.takes("NUMBER"):
        return "a number, a name or `{…}`" if stop.takes("LBRACE") else "a number"
    return "a name"
