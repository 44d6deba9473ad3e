"""Characters, words and brackets that a text may not have, each with the place at which it is refused."""

# ruff: noqa: RUF001 - letters that look like others are what is tested

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnndsl import loads
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.files import FileError, decode
from cnndsl.limits import Limits, current, limits, of_environment
from cnndsl.syntax.parse import parse

NET = "INPUT 8x8x3 -> RELU\n"


def wrong(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CnnError) as caught:
        loads(text)
    return caught.value.diagnostics


# What cannot be seen stands nowhere, not in comments either: a reader must not be shown another program.
HIDDEN = {
    "null": "\0",
    "backspace": "\b",
    "escape": "\x1b",
    "delete": "\x7f",
    "vertical tab": "\v",
    "C1 control": "\x9b",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "right-to-left override": "\u202e",
    "right-to-left isolate": "\u2067",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "byte order mark inside": "\ufeff",
    "half of a surrogate pair": "\ud800",
    "carriage return alone": "\r",
}


@pytest.mark.parametrize("char", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("before", ["INPUT 8x8x3 -> ", "# "])
def test_what_cannot_be_seen_is_refused_everywhere(before: str, char: str) -> None:
    (diagnostic,) = wrong(f"{NET}{before}{char}RELU")
    assert diagnostic.code == "E0101"
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.span.column) == (2, len(before) + 1)


# Digits are 0-9 and letters A-Z a-z, whatever Python's own `str.isdigit`, `\w` and case folding say.
LOOKALIKES = {
    "Arabic-Indic digits": "INPUT ٨x٨x3 -> RELU",
    "superscript": "INPUT 8x8x3 -> CONV3-4²",
    "full-width letters": "INPUT 8x8x3 -> ＲＥＬＵ",
    "long s": "INPUT 8x8x3 -> ſOFTMAX",
    "Kelvin sign": "INPUT 8x8x3 -> CONV3-2\u212a",
    "Cyrillic letter": "INPUT 8x8x3 -> RЕLU",
    "soft hyphen": "INPUT 8x8x3 -> RE\xadLU",
    "zero-width joiner": "INPUT 8x8x3 -> RE\u200dLU",
    "no-break space": "INPUT 8x8x3\xa0-> RELU",
    "ideographic space": "INPUT 8x8x3\u3000-> RELU",
    "arrow": "INPUT 8x8x3 → RELU",
    "multiplication sign": "INPUT 8×8×3 -> RELU",
    "minus sign": "INPUT 8x8x3 −> RELU",
    "emoji": "INPUT 8x8x3 -> 🙂: RELU",
}


@pytest.mark.parametrize("text", LOOKALIKES.values(), ids=LOOKALIKES)
def test_only_ascii_is_part_of_the_language(text: str) -> None:
    (diagnostic, *_) = wrong(text)
    first = next(at for at, char in enumerate(text) if not char.isascii())
    assert diagnostic.span is not None
    assert diagnostic.span.start <= first < max(diagnostic.span.end, diagnostic.span.start + 1) + 1


def test_comments_may_be_in_any_script() -> None:
    assert len(loads(f"# Ünïcode, 卷积, سلام, 👩‍🔬\n{NET}").graph) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends(end: str) -> None:
    text = end.join(["# first", "INPUT 8x8x3", "  -> RELU  # second", "  -> FC-2", ""])
    assert [node.kind for node in loads(text).graph] == ["INPUT", "RELU", "FC"]


def test_the_mark_in_front_of_utf8_is_dropped_once() -> None:
    assert decode("net.cnn", b"\xef\xbb\xbfINPUT").text == "INPUT"
    with pytest.raises(CnnError, match="U\\+FEFF"):
        parse(decode("net.cnn", b"\xef\xbb\xbf\xef\xbb\xbfINPUT"))


@pytest.mark.parametrize("data", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xff", "# é".encode("latin-1")])
def test_what_is_not_utf8_is_refused(data: bytes) -> None:
    with pytest.raises(CnnError, match="is not UTF-8"):
        decode("net.cnn", data)


def test_utf16_is_refused_by_its_name() -> None:
    with pytest.raises(FileError, match=r"net\.cnn: it is text in UTF-16"):
        decode("net.cnn", NET.encode("utf-16"))


def test_words_are_bounded() -> None:
    for text in (f"{'a' * 1001}: RELU", f"CONV3-{'9' * 2000}", f"(ID + @{'a.' * 501})"):
        (diagnostic,) = wrong(f"INPUT 8x8x3 -> {text}")
        assert (diagnostic.code, len(str(diagnostic)) < 200) == ("E0103", True)
    (diagnostic,) = wrong(f'use "{"a" * 1001}": Block\n{NET}')
    assert diagnostic.code == "E0103"
    assert loads(f"# {'a' * 5000}\n{NET}").graph


def test_brackets_are_bounded() -> None:
    assert loads(f"INPUT 8x8x3 -> {'[' * 50}RELU{']' * 50}").graph
    (diagnostic,) = wrong(f"INPUT 8x8x3 -> {'[' * 51}RELU{']' * 51}")
    assert diagnostic.message == "parentheses and square brackets nest deeper than 50"
    assert diagnostic.span is not None
    assert diagnostic.span.column == len("INPUT 8x8x3 -> ") + 51
    assert loads(f"# {'[' * 60}\n{NET}").graph


def test_errors_are_bounded() -> None:
    assert len(wrong("let a = 1 2\n" * 500)) == 50


def test_the_size_is_bounded() -> None:
    (diagnostic,) = wrong(" " * 4_000_001)
    assert diagnostic.message == "the file has 4,000,001 characters; the limit is 4,000,000"


def test_limits_can_be_changed_for_a_while() -> None:
    with limits(characters=10, errors=3) as chosen:
        assert current() is chosen
        assert wrong(NET)[0].message == "the file has 20 characters; the limit is 10"
        with limits(characters=1000, nesting=60):
            assert loads(f"INPUT 8x8x3 -> {'[' * 55}RELU{']' * 55}").graph
            assert len(wrong("let a = 1 2\n" * 50)) == 3
    assert current() == Limits()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets CNNDSL_LIMITS, which is read once, for a while."""

    def set_to(text: str) -> None:
        monkeypatch.setenv("CNNDSL_LIMITS", text)
        of_environment.cache_clear()

    yield set_to
    monkeypatch.undo()
    of_environment.cache_clear()


def test_limits_of_the_environment(environment: Callable[[str], None]) -> None:
    environment("characters=10, nesting=2")
    assert current() == Limits(characters=10, nesting=2)
    for text, why in [
        ("layer=1", "did you mean `layers`?"),
        ("layers=", "whole number"),
        ("layers=-1", "whole number"),
    ]:
        environment(text)
        assert why in wrong(NET)[0].message


def test_threads_parse_side_by_side() -> None:
    def kinds(number: int) -> list[str]:
        text = "# a comment\n" * number + "INPUT 8x8x3" + " -> RELU -> TANH" * number
        file = parse(Source(f"{number}.cnn", text))
        assert len(file.comments) == number
        return [file.statements[0].chain.items[-1].span.source.name]  # type: ignore[union-attr]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(kinds, range(1, 60))) == [[f"{number}.cnn"] for number in range(1, 60)]
