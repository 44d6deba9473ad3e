"""Names: the list of what PyTorch has is PyTorch's."""

from __future__ import annotations

import keyword

from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cnndsl.emit.torch.names import class_name, comment, variable


@given(st.text(max_size=20))
def test_any_name_becomes_one_that_python_takes(name: str) -> None:
    for made in (variable(name), class_name(name, set())):
        assert made.isidentifier()
        assert not keyword.iskeyword(made)
        assert not made.startswith("__")


@given(st.text())
def test_a_comment_stays_in_its_line(text: str) -> None:
    assert len(f"x{comment(text)}x".splitlines()) == 1


def test_names_of_the_file_are_not_taken() -> None:
    assert variable("torch") == "torch_"
    assert variable("x", {"x_"}) == "x__"
    taken: set[str] = set()
    assert [class_name("nn", taken), class_name("nn", taken)] == ["Nn", "Nn2"]
    assert not {"T", "forward"} - set(dir(nn.Module())) - {"T"}
