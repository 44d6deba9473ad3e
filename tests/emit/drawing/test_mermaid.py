"""Mermaid: every line is of a form that it takes, every id is defined, labels hold nothing that it would interpret.

The forms are those of Mermaid's documentation, "Flowcharts - Basic Syntax" and "Accessibility Options".
"""

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
FRAME = re.compile(rf"  (?:subgraph (g\d+)\[{LABEL}\]|end)")
LOOK = re.compile(r"  (?:classDef (\w+) [a-z-]+:[a-z0-9 ]+(?:,[a-z-]+:[a-z0-9 ]+)*|class ([gn]\d+(?:,[gn]\d+)*) (\w+))")
CUT = re.compile(r"(?:style|classDef).*:\S*#.*;")
"""Mermaid takes the last sign from what looks so, before it reads entities (`encodeEntities`)."""


def lines_of(text: str) -> list[str]:
    """The lines of the network `text` as a chart."""
    return mermaid(model(loads(text).graph)).splitlines()


@pytest.mark.parametrize("name", ZOO)
def test_bundled_networks(name: str) -> None:
    lines = mermaid(model(load(name).graph)).splitlines()
    assert lines[1] == "flowchart TB"
    assert lines[2].startswith("  accTitle: ")
    assert lines[3].startswith("  accDescr: ")
    assert not any(each in line for line in lines[:4] for each in "{};#")
    nodes = [found[1] for line in lines[4:] if (found := NODE.fullmatch(line))]
    edges = [found for line in lines[4:] if (found := EDGE.fullmatch(line))]
    frames = [found for line in lines[4:] if (found := FRAME.fullmatch(line))]
    looks = [found for line in lines[4:] if (found := LOOK.fullmatch(line))]
    assert len(nodes) + len(edges) + len(frames) + len(looks) == len(lines) - 4
    assert len(nodes) == len(set(nodes))
    assert {end for edge in edges for end in edge.groups()} <= set(nodes)
    known = {*nodes, *(found[1] for found in frames if found[1])}
    assert {each for found in looks if found[2] for each in found[2].split(",")} <= known
    assert {found[3] for found in looks if found[3]} == {found[1] for found in looks if found[1]}
    assert len(frames) == 2 * sum(not found[1] for found in frames)
    assert not any(CUT.search(line) for line in lines)


def test_all_outputs_are_drawn() -> None:
    stem = "INPUT 32x32x3 -> stem: CONV3-16\n"
    lines = lines_of(f"{stem}x = @stem -> GAP -> FC-10\ny = @stem -> CONV1-4\noutput x, y")
    assert [line.partition('"')[2].rpartition('"')[0] for line in lines if "([" in line] == [
        "32×32×3",
        "x: 10",
        "y: 32×32×4",
    ]
    lines = lines_of("INPUT 8x8x3 -> a: CONV3-4 -> tap early(train): ID -> GAP -> FC-2")
    ends = [line.partition('"')[2].rpartition('"')[0] for line in lines if "([" in line][1:]
    assert ends == ["2", "early: 8×8×4<br/>in training only"]
    assert sum("-.->" in line for line in lines) == 1


def test_cards_of_tables_have_their_rows() -> None:
    block = "block Unit(k, c, s, gate=no) = CONV{k}-c/s -> BN -> (CONV1-c -> BN + ID)\n"
    rows = "(3, 8, 1), (5, 16, 2), (5, 16, 1), (5, 16, 1)"
    lines = lines_of(f"{block}INPUT 32x32x8 -> for k, c, s in {rows} [Unit(k, c, s)] -> GAP -> FC-2")
    assert '["Unit ×4<br/>32×32: k 3, c 8<br/>16×16: k 5, c 16, /2<br/>k 5, c 16 ×2"]' in "".join(lines)


def test_what_a_note_calls_dashed_is_dashed() -> None:
    """Of MobileNet v3's blocks some have no expansion, some no gate, some no identity (Howard et al. 2019, table 2)."""
    lines = mermaid(model(load("mobilenet_v3_small").graph)).splitlines()
    assert any('"InvertedResidual: dashed: not always there"' in line for line in lines)
    ids = {found[1]: line for line in lines if (found := NODE.fullmatch(line))}
    marked = next(found[2] for line in lines if (found := LOOK.fullmatch(line)) and found[3] == "optional")
    assert [ids[each].split('"')[1] for each in marked.split(",")] == ["1×1, e, BN, activation", "Excite"]
    assert sum("-.->" in line for line in lines) == 1
    assert any("1×1 where e ≠ c′<br/>" in line for line in lines)


def test_letters_have_a_legend() -> None:
    text = mermaid(model(load("resnet50").graph))
    assert '["Legend"]' in text
    assert "c: width<br/>" in text
    assert "/s: stride, 1 where left out" in text
    assert "#124;: concatenation" in mermaid(model(load("densenet121").graph))
    assert "Legend" not in mermaid(model(load("vgg16").graph))


def test_a_block_with_two_inputs_has_both() -> None:
    """U-Net's up-convolution reads what is below, and a crop of what comes along."""
    text = mermaid(model(load("unet").graph))
    entries = re.findall(r'  (n\d+)\(\["(skip|2c)"\]\)', text)
    assert [name for _, name in entries] == ["skip", "2c"]
    for node, name in entries:
        target = re.search(rf"  {node} --> (n\d+)\n", text)
        assert target is not None
        assert f'  {target[1]}["{"crop" if name == "skip" else "2×2 up-conv"}' in text


def test_repeats_and_blocks() -> None:
    text = mermaid(model(load("resnet18").graph))
    assert '["layer1 ×2<br/>A c = 64 ×2"]' in text
    assert 'subgraph g10["A BasicBlock: identity · 5 of 8"]' in text
    assert "multiply-adds · layer1 ×2, layer2 ×2" in text


def test_names_are_escaped() -> None:
    lines = lines_of('INPUT 8x8x4 -> "a-b": [CONV3-4 -> (CONV3-4 + ID)]*2 -> FC-2')
    assert all(any(form.fullmatch(line) for form in (NODE, EDGE, FRAME, LOOK)) for line in lines[4:])


def test_the_command_writes_it() -> None:
    result = run("render", "vgg16", "-o", "x.mmd", "--force")
    assert (result.exit_code, result.stderr) == (0, "wrote x.mmd\n")
    assert Path("x.mmd").read_text("utf-8").startswith("%% VGG16\nflowchart TB\n")
    Path("x.mmd").unlink()
