"""After a syntax error the rest of the file is looked at, and nothing is said that follows from the error."""

from __future__ import annotations

import pytest

from cnndsl import CnnError, loads


def found(text: str) -> list[tuple[str, str]]:
    """The code of each error, and what it points at."""
    with pytest.raises(CnnError) as caught:
        loads(text)
    return [(each.code, each.span.text if each.span else "") for each in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "further"),
    [
        ("INPUT 32x32x3 -> CONV3-4 => FOO", ("E0231", "FOO")),
        ("INPUT 32x32x3 -> CONV3-4 => POOL99", ("E0301", "POOL99")),
        ("INPUT 32, 32, 3 -> CONV3-4(foo=1)", ("E0221", "foo")),
        ("INPUT 32x32x3 -> CONV3-4 -> tap (train): FC-3 -> FOO", ("E0231", "FOO")),
        ("INPUT 32x32x3 -> [CONV3-4 -> FOO", ("E0231", "FOO")),
        ("block A = CONV3-4 ->\nblock B = CONV3-4(foo=1)\nINPUT 32x32x3 -> A -> B", ("E0221", "foo")),
        ("block A = FOO\nINPUT 32x32x3 -> (A + ", ("E0231", "FOO")),
        ("INPUT 32x32x3 -> a: CONV3-4 => (ID | @b)", ("E0232", "@b")),
    ],
)
def test_the_rest_is_looked_at(text: str, further: tuple[str, str]) -> None:
    errors = found(text)
    assert len(errors) == 2
    assert further in errors


@pytest.mark.parametrize(
    "text",
    [
        # What is left out could have defined all that is missing.
        "INPUT 32x32x3 -> (a: CONV3-4 -> -> -> RELU) -> (ID | @a)",
        "let k = [\nINPUT 32x32x3 -> CONV3-k -> CONV3-{k/3}",
        "block A(c = CONV3-c\nINPUT 32x32x3 -> A(3) -> A(4)",
        "use googlenet.cnn: Inception\nINPUT 28x28x192 -> Inception(64, 96, 128, 16, 32, 32)",
        "net N(k=3, m=\nINPUT 32x32x3 -> CONV3-k -> CONV3-m",
        "INPUT 32x32x3 -> CONV3-64 ! -> POOL32 -> POOL99",
    ],
)
def test_what_follows_from_an_error_is_not_said(text: str) -> None:
    assert len(found(text)) == 1
