"""Lines against ruff: whatever is laid out, the formatter leaves as it is."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.emit.torch.layout import CallDoc, Comprehension, Display, Doc, Infix, Item, Text, lines
from tests.emit.torch.checking import clean

names = (
    st.integers(1, 40).flatmap(lambda length: st.text("abcdefgh", min_size=length, max_size=length)).map("v".__add__)
)


@st.composite
def infixes(draw: st.DrawFn) -> Infix:
    operands = tuple(map(Text, draw(st.lists(names, min_size=2, max_size=4))))
    return Infix(draw(st.sampled_from(["+", "or", "*"])), operands)


def containers(inner: st.SearchStrategy[Doc]) -> st.SearchStrategy[Doc]:
    several = st.lists(inner, max_size=5)
    return st.one_of(
        st.builds(calls, names, several, several),
        st.builds(shown, st.sampled_from(["()", "[]"]), several),
        st.builds(repeated, inner, st.integers(1, 99)),
    )


def calls(head: str, plain: list[Doc], named: list[Doc]) -> Doc:
    keywords = [Item(doc, f"k{at}=") for at, doc in enumerate(named[:2])]
    return CallDoc(head, (*map(Item, plain), *keywords))


def shown(brackets: str, elements: list[Doc]) -> Doc:
    return Display(brackets, tuple(map(Item, elements or [Text("x")])))


def repeated(element: Doc, count: int) -> Doc:
    return Comprehension(element, f"for _ in range({count})")


docs = st.recursive(names.map(Text), containers, max_leaves=12)
comments = st.sampled_from(["", "112x112x64", "224x224x64 to 14x14x512"])


def test_ruff_leaves_the_lines_alone(tmp_path: Path) -> None:
    written: list[str] = []

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(docs, infixes()), st.sampled_from(["self.x = ", "return ", "y += "]), comments)
    def draw(doc: Doc, lead: str, comment: str) -> None:
        written.extend(lines(doc, 8, lead, comment))

    draw()
    (tmp_path / "ruff.toml").write_text("")
    clean({"drawn": "\n".join(["# ruff: noqa", "class Net:", "    def forward(self):", *written]) + "\n"}, tmp_path)


def test_a_comment_too_many_is_left_away() -> None:
    """The formatter counts comments, and would break the line for one."""
    assert lines(Text("x" * 71), 0, "y = ", "112x112x64") == [f"y = {'x' * 71}"]
    assert lines(Text("x" * 71), 0, "y = ", "12x112x64") == [f"y = {'x' * 71}  # 12x112x64"]
