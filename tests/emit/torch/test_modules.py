"""Emitted modules compute what the graph says, and their files are what a formatter leaves."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from cnndsl import loads
from cnndsl.errors import CnnError
from cnndsl.runtime.live import module
from cnndsl.testing import programs
from tests.emit.torch.checking import check, clean, emitted
from tests.emit.torch.programs import PROGRAMS

EXAMPLES = int(os.environ.get("CNNDSL_EXAMPLES", "60"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_state_and_outputs_are_those_of_the_graph(name: str) -> None:
    check(PROGRAMS[name])


def test_files_are_formatted_and_clean(tmp_path: Path) -> None:
    clean({name: emitted(text) for name, text in PROGRAMS.items()}, tmp_path)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
@given(programs())
def test_programs_that_nobody_wrote(text: str) -> None:
    with warnings.catch_warnings():
        # PyTorch says that an even kernel with padding="same" costs a copy.
        warnings.filterwarnings("ignore", "Using padding='same'")
        try:
            check(text, within=1e-5)
        except ValueError as stop:
            # PyTorch trains no batch normalisation with eps=0, nor one with a single value for each channel.
            if "eps must be positive" not in str(stop) and "Expected more than 1" not in str(stop):
                raise


def test_programs_that_nobody_wrote_are_formatted(tmp_path: Path) -> None:
    texts: dict[str, str] = {}

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(programs())
    def draw(text: str) -> None:
        texts[f"net_{len(texts)}"] = emitted(text)

    draw()
    clean(texts, tmp_path)


def test_other_values_of_a_kept_parameter_fit_the_same_class() -> None:
    """`classes` is an argument: the class with 7 is the module of the program with 7."""
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(emitted(PROGRAMS["residual"]), namespace)
    kind = namespace["Small"]
    assert isinstance(kind, type)
    ours, theirs = kind(classes=7).state_dict(), check(PROGRAMS["residual"], classes=7).state_dict()
    assert [(name, each.shape) for name, each in ours.items()] == [(name, each.shape) for name, each in theirs.items()]


@pytest.mark.parametrize("label", ["forward", "train", "type", "append", "keys"])
def test_labels_that_shadow_pytorch_are_refused(label: str) -> None:
    with pytest.raises(CnnError, match="E0106"):
        emitted(f"INPUT 8x8x3 -> {label}: CONV3-4 -> RELU")


def test_names_that_python_keeps_are_changed_in_code_alone() -> None:
    text = """
    net lambda(x=10)
    block nn(class, self=1) = conv: CONV3-class/self -> RELU
    INPUT 8x8x3 -> a: nn(4) -> b: nn(8, self=2) -> fc: FC-x
    """
    network = check(text)
    assert list(network.state_dict()) == [
        f"{name}.{kind}" for name in ("a.conv", "b.conv", "fc") for kind in ("weight", "bias")
    ]


def test_a_sixth_relu_is_no_relu6() -> None:
    network = check("INPUT 8x8x3 -> c: CONV3-4 -> RELU6 -> [RELU]*6")
    assert [name for name, _ in network.named_children()] == ["c", "relu6", *(f"relu{at}" for at in (1, 2, 3, 4, 5, 7))]


def test_text_of_a_program_stays_text() -> None:
    """Comments cannot leave the docstring."""
    source = emitted('# """ + boom() \\N{BULLET} \\" # end\nnet N\nINPUT 8x8x3 -> fc: FC-2')
    compiled = compile(source, "net.py", "exec")
    assert '""" + boom() \\N{BULLET} \\" # end' in (compiled.co_consts[0] or "")


def test_modules_in_pieces_are_made_in_the_order_of_the_text() -> None:
    text = """INPUT 8x8x3 -> m.a: CONV1-2 -> m.b.c: CONV1-2 -> m.d: CONV1-2 -> q.0.c: CONV1-2 -> q.1.d: CONV1-2
    -> l.0: CONV1-2 -> l.1.0: CONV1-2 -> l.1.1: CONV1-2 -> l.2: CONV1-2"""
    check(text)
    state = module(loads(text).graph).state_dict()
    paths = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    assert paths == ["m.a", "m.b.c", "m.d", "q.0.c", "q.1.d", "l.0", "l.1.0", "l.1.1", "l.2"]
