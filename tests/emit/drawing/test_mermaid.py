"""Mermaid: every line is of a form that it takes, every id is defined, labels hold nothing that it would interpret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.mermaid import mermaid
from tests.bundled import ZOO
from tests.commands.running import run

LABEL = r'"(?:[^"#&<>`\\]|#\d+;|<br/>)*"'
NODE = re.compile(rf"  (n\d+)(?:\[{LABEL}\]|\[\[{LABEL}\]\]|\(\[{LABEL}\]\)|\(\({LABEL}\)\))")
EDGE = re.compile(rf"  (n\d+) (?:-->|-\.->)(?:\|{LABEL}\|)? (n\d+)")
FRAME = re.compile(rf"  (?:subgraph g\d+\[{LABEL}\]|end)")


@pytest.mark.parametrize("name", ZOO)
def test_bundled_networks(name: str) -> None:
    lines = mermaid(model(load(name).graph)).splitlines()
    assert lines[1] == "flowchart TB"
    nodes = [found[1] for line in lines[4:] if (found := NODE.fullmatch(line))]
    edges = [found for line in lines[4:] if (found := EDGE.fullmatch(line))]
    frames = [line for line in lines[4:] if FRAME.fullmatch(line)]
    assert len(nodes) + len(edges) + len(frames) == len(lines) - 4
    assert len(nodes) == len(set(nodes))
    assert {end for edge in edges for end in edge.groups()} <= set(nodes)
    assert len(frames) == 2 * frames.count("  end")


def test_repeats_and_blocks() -> None:
    text = mermaid(model(load("resnet18").graph))
    assert '["layer1 ×2<br/>A c = 64 ×2"]' in text  # noqa: RUF001
    assert 'subgraph g10["A BasicBlock: identity · 5 of 8"]' in text


def test_names_are_escaped() -> None:
    text = mermaid(model(loads('INPUT 8x8x4 -> "a-b": [CONV3-4 -> (CONV3-4 + ID)]*2 -> FC-2').graph))
    assert all(NODE.fullmatch(line) or EDGE.fullmatch(line) or FRAME.fullmatch(line) for line in text.splitlines()[4:])


def test_the_command_writes_it() -> None:
    result = run("render", "vgg16", "-o", "x.mmd", "--force")
    assert (result.exit_code, result.stderr) == (0, "wrote x.mmd\n")
    assert Path("x.mmd").read_text("utf-8").startswith("%% VGG16\nflowchart TB\n")
    Path("x.mmd").unlink()
