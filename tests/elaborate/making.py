"""What the tests of elaboration share: a network of a text, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.finding import used
from cnndsl.fixes import tried
from cnndsl.graph import Graph
from cnndsl.settings import values
from cnndsl.syntax.parse import parse


def graph(text: str, *, files: Mapping[str, str] | None = None, **settings: object) -> Graph:
    """The network of a text; `files` are the others that it may use."""
    sources = {name: Source(name, each) for name, each in {"net.cnn": text, **(files or {})}.items()}
    return elaborate(
        parse(sources["net.cnn"]), values(settings), lambda name, user: sources.get(name) or used(name, user)
    )


def paths(text: str, **settings: object) -> list[str]:
    """The path of each node but the input."""
    return [node.path for node in graph(text, **settings).layers]


def output(text: str, **settings: object) -> str:
    """The shape of the output, as written."""
    made = graph(text, **settings)
    return str(made.nodes[made.output].shape)


def wrong(text: str, *, files: Mapping[str, str] | None = None, **settings: object) -> list[Diagnostic]:
    """Everything that is wrong with a text, with the fixes that help."""
    with pytest.raises(CnnError) as caught:
        graph(text, files=files, **settings)
    sources = {name: Source(name, each) for name, each in (files or {}).items()}

    def find(name: str, user: Source) -> Source | str:
        return sources.get(name) or used(name, user)

    return list(tried(caught.value, Source("net.cnn", text), values(settings), find).diagnostics)


def codes(text: str, *, files: Mapping[str, str] | None = None, **settings: object) -> list[str]:
    """The codes of what is wrong with a text, in the order of the places."""
    return [each.code for each in wrong(text, files=files, **settings)]
