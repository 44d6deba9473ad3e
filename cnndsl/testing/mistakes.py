"""Near-misses: a valid program with one known mistake in it, and the expected error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from cnndsl.layers import known
from cnndsl.testing.programs import programs


@dataclass(frozen=True, slots=True)
class Mistake:
    """An invalid program, the code of its one error, and the offset at which the error points."""

    text: str
    code: str
    offset: int


@st.composite
def mistakes(draw: st.DrawFn, ranks: tuple[int, ...] = (1, 2, 3)) -> Mistake:
    """Generate a program with exactly one mistake."""
    text = draw(programs(ranks))
    make = draw(st.sampled_from(_MAKERS))
    return make(draw, text)


def _place(draw: st.DrawFn, text: str) -> int:
    """Choose a position after an arrow of the network itself, where an element can be inserted."""
    first = text.index("\n-> ", text.index("INPUT")) + len("\n-> ")
    level, places = 0, [first]
    for at in range(first, len(text)):
        level += (text[at] in "([{") - (text[at] in ")]}")
        if level == 0 and text.startswith("-> ", at):
            places.append(at + len("-> "))
    return draw(st.sampled_from(places))


def _insert(draw: st.DrawFn, text: str, element: str, code: str, inside: int = 0) -> Mistake:
    """Insert an element that is invalid anywhere. `inside` is the offset in it at which the error points."""
    at = _place(draw, text)
    return Mistake(f"{text[:at]}{element} -> {text[at:]}", code, at + inside)


def _unknown_kind(draw: st.DrawFn, text: str) -> Mistake:
    name = draw(st.from_regex(r"Z[A-Z]{3,6}Q", fullmatch=True).filter(lambda name: name not in known()))
    return _insert(draw, text, name, "E0231")


def _unknown_option(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "RELU(zeal=1)", "E0221", len("RELU("))


def _option_twice(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "DROPOUT(p=0.5, p=0.1)", "E0222", len("DROPOUT(p=0.5, "))


def _unknown_name(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, f"net Given()\n{text}" if "net " not in text else text, "[TANH]*zeal", "E0201", len("[TANH]*"))


def _unknown_reference(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "(ID | @zeal)", "E0232", len("(ID | "))


def _name_twice(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "zeal: TANH -> zeal: RELU", "E0235", len("zeal: TANH -> "))


def _out_of_bounds(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "DROPOUT(2)", "E0227", len("DROPOUT("))


def _second_input(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "INPUT 3x3x3", "E0219")


def _lone_or(draw: st.DrawFn, text: str) -> Mistake:
    return _insert(draw, text, "ID or TANH", "E0313")


def _false_contract(_: st.DrawFn, text: str) -> Mistake:
    return Mistake(f"{text}\nassert params < 0\n", "E0401", len(text) + len("\nassert "))


def _unknown_fact(_: st.DrawFn, text: str) -> Mistake:
    return Mistake(f"{text}\nassert zeal == 0\n", "E0402", len(text) + len("\nassert "))


def _let_twice(_: st.DrawFn, text: str) -> Mistake:
    where = re.search(r"^INPUT", text, re.MULTILINE)
    assert where is not None
    head = f"{text[: where.start()]}let zeal = 1\n"
    return Mistake(f"{head}let zeal = 2\n{text[where.start() :]}", "E0245", len(head) + len("let "))


def _unknown_file(_: st.DrawFn, text: str) -> Mistake:
    return Mistake(f'{text}\nuse "zeal.cnn": Zeal\n', "E0250", len(text) + len("\nuse "))


_MAKERS: tuple[Callable[[st.DrawFn, str], Mistake], ...] = (
    _unknown_kind,
    _unknown_option,
    _option_twice,
    _unknown_name,
    _unknown_reference,
    _name_twice,
    _out_of_bounds,
    _second_input,
    _lone_or,
    _false_contract,
    _unknown_fact,
    _let_twice,
    _unknown_file,
)
