"""The emitted text as a reviewer sees it: its length, what it imports, what tools say of it, what it keeps alive."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest
import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker
from torch.fx import GraphModule, Interpreter, Tracer

import cnndsl
from cnndsl import loads
from cnndsl.layers import HELPERS
from tests.analysis.nets import NETS
from tests.bundled import SLOW, ZOO, marked
from tests.commands.running import run
from tests.emit.torch.checking import emitted
from tests.emit.torch.nets import GATED, SIGNAL, VIDEO

OWN = {**NETS, "gated": GATED, "signal": SIGNAL, "video": VIDEO}
ALL = (*cnndsl.zoo(), *OWN)
every_net = pytest.mark.parametrize("name", [*ZOO, *OWN])


@cache
def network(name: str) -> cnndsl.Network:
    return cnndsl.loads(OWN[name]) if name in OWN else cnndsl.load(name)


@cache
def source(name: str) -> str:
    return network(name).source()


# Length


@pytest.mark.parametrize(("name", "most"), [("resnet50", 80), ("vgg16", 47), ("densenet121", 90), ("googlenet", 118)])
def test_as_short_as_by_hand(name: str, most: int) -> None:
    assert len(source(name).splitlines()) <= most


@pytest.mark.parametrize(
    ("name", "shape"), [("resnet50", "56x56x64"), ("vgg16", "7x7x512"), ("googlenet", "14x14x480")]
)
def test_shapes_are_said(name: str, shape: str) -> None:
    """Comments with shapes count in the lengths. These are in the papers' tables."""
    assert any(line.endswith(f"  # {shape}") for line in source(name).splitlines())


# Tools


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of every network that is not like another one, each a file."""
    made = tmp_path_factory.mktemp("emitted")
    for name in set(ALL) - SLOW:
        (made / f"{name}.py").write_text(source(name), encoding="utf-8")
    return made


@pytest.mark.parametrize("command", [["format", "--check"], ["check"]])
def test_ruff_has_nothing_to_say(command: list[str], folder: Path) -> None:
    arguments = [sys.executable, "-P", "-m", "ruff", *command, "--isolated", "--no-cache", "."]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pyright_has_nothing_to_say(folder: Path) -> None:
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "basic", "include": ["*.py"]}))
    arguments = [sys.executable, "-P", "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(folder.glob("*.py")))
    assert [f"{each['file']}: {each['message']}" for each in report["generalDiagnostics"]] == []


# What is written


@every_net
def test_imports_torch_alone(name: str) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - {"math", "typing", "fractions"} == {"torch"}


@every_net
def test_says_where_it_comes_from(name: str) -> None:
    said = ast.get_docstring(ast.parse(source(name))) or ""
    graph = network(name).graph
    assert f"{graph.source.name.rpartition('/')[2]} (sha256 {graph.digest[:8]})" in said


def test_the_hash_is_that_of_the_program_and_its_settings() -> None:
    text = "net Net(n=4)\nINPUT 8x8x3 -> CONV3-n"
    first = cnndsl.loads(text).graph.digest
    assert cnndsl.loads(text).graph.digest == first
    assert len({first, cnndsl.loads(text, n=5).graph.digest, cnndsl.loads(text + "\n# more").graph.digest}) == 3


@every_net
def test_everything_is_documented_and_typed(name: str) -> None:
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name
        elif isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert node.returns is not None, node.name
            assert all(each.annotation is not None for each in arguments if each.arg != "self"), node.name


@every_net
def test_no_habits_that_cost(name: str) -> None:
    """Values are flattened and never viewed, nothing is stored by `forward`, and no pooling does nothing."""
    for each in ast.walk(ast.parse(source(name))):
        if not isinstance(each, ast.ClassDef):
            continue
        costly = {"view", "item"} if each.name in HELPERS else {"view", "item", "reshape", "contiguous", "clone"}
        for node in (node for method in each.body if is_forward(method) for node in ast.walk(method)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in costly or is_own(node.value)
                assert isinstance(node.ctx, ast.Load), "state in a forward pass"
    poolings = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
    poolings_of = [(path, each) for path, each in modules(name) if isinstance(each, poolings)]
    # A pooling of one value with a stride takes every second one, as the last map of a feature pyramid.
    assert not [path for path, each in poolings_of if extents(each.kernel_size) == extents(each.stride) == {1}]


def is_forward(method: ast.stmt) -> bool:
    return isinstance(method, ast.FunctionDef) and method.name == "forward"


def is_own(value: ast.expr) -> bool:
    """Whether it is `self`, a part of which may be called so, or a parameter `self.scale`: its shape costs nothing."""
    owner = value.value if isinstance(value, ast.Attribute) else value
    return isinstance(owner, ast.Name) and owner.id == "self"


def modules(name: str) -> list[tuple[str, nn.Module]]:
    with torch.device("meta"):
        return list(network(name).module().named_modules())


def extents(size: int | tuple[int, ...]) -> set[int]:
    return set(size) if isinstance(size, tuple) else {size}


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet", "densenet121", "mobilenet_v2", "gated"])
def test_padding_is_that_of_the_convolution(name: str) -> None:
    assert not [path for path, module in modules(name) if "Pad" in type(module).__name__]


# What stays alive


class Shallow(Tracer):
    """Traces one forward pass alone: what it calls stays a call."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def let_go(module: nn.Module) -> None:
    """Makes each forward pass let go of every value right behind its last use: the least that it can need, since
    what enters it is held by its caller in any case."""
    for each in module.modules():
        if type(each).__module__.startswith("cnndsl_emitted") and not isinstance(each, nn.Sequential):
            functions = [f for f in vars(sys.modules[type(each).__module__]).values() if isinstance(f, FunctionType)]
            traced = GraphModule(each, Shallow(autowrap_functions=tuple(functions)).trace(each))
            each.forward = Interpreter(traced, garbage_collect_values=True).run


def peak(module: nn.Module, images: list[torch.Tensor]) -> int:
    """The most bytes alive at once in a forward pass, beside weights and images."""
    held = sum(each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers(), *images))
    tracker = MemTracker()
    tracker.track_external(module, *images)
    with tracker, torch.no_grad():
        module(*images)
    (highest,) = tracker.get_tracker_snapshot("peak").values()
    return highest["Total"] - held


@pytest.mark.parametrize("name", marked(ALL, {"inception_v3"}))
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_no_value_outlives_its_use_at_the_peak(name: str) -> None:
    entries = [node.shape for node in network(name).graph.inputs]
    with torch.device("meta"):
        module = network(name).module().eval()
        images = [torch.zeros(2, each.channels, *each.spatial) for each in entries]
    needed = peak(module, images)
    let_go(module)
    assert needed <= peak(module, images)


# Staleness


def test_a_written_file_is_up_to_date_until_the_program_changes(tmp_path: Path) -> None:
    program, target = tmp_path / "net.cnn", tmp_path / "net.py"
    program.write_text("INPUT 8x8x3 -> CONV3-4 -> RELU -> GAP -> FC-2\n")
    check = ("compile", str(program), "--check", "-o", str(target))
    missing = run(*check)
    assert missing.exit_code == 1
    assert "is missing" in missing.output
    assert not target.exists()
    assert run("compile", str(program), "-o", str(target)).exit_code == 0
    fresh = run(*check)
    assert fresh.exit_code == 0
    assert "is up to date" in fresh.output
    program.write_text("INPUT 8x8x3 -> CONV3-4 -> RELU -> GAP -> FC-3\n")
    written = target.read_text()
    stale = run(*check)
    assert stale.exit_code == 1
    assert "is stale" in stale.output
    assert target.read_text() == written


def test_other_settings_and_edits_by_hand_make_a_file_stale(tmp_path: Path) -> None:
    target = tmp_path / "vgg.py"
    assert run("compile", "vgg11", "-o", str(target)).exit_code == 0
    assert run("compile", "vgg11", "--check", "-o", str(target)).exit_code == 0
    assert run("compile", "vgg11", "--set", "classes=7", "--check", "-o", str(target)).exit_code == 1
    target.write_text(target.read_text().replace("4096", "4095", 1))
    assert run("compile", "vgg11", "--check", "-o", str(target)).exit_code == 1


def test_the_head_has_the_figures_of_stats() -> None:
    """Training-only parts have parameters, and no multiply-adds in the forward pass: 9,472 of the main line."""
    text = "INPUT 8x8x3 -> CONV3-4 -> tap aux(train): [CONV3-100 -> GAP -> FC-10] -> FC-10"
    assert loads(text).stats().totals.macs == 64 * 27 * 4 + 64 * 4 * 10
    assert "by cnndsl: 7,392 parameters, 9.5K multiply-adds." in emitted(text)
