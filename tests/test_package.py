"""What a user installs: the wheel's contents, its use straight from the archive, and what starting it does not load."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import cnndsl

ROOT = Path(__file__).parent.parent
SHIPPED = ("grammars", "architectures")


def run(*command: str, cwd: Path, **environment: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shipped_files() -> set[str]:
    return {f"{folder}/{path.name}" for folder in SHIPPED for path in (ROOT / folder).iterdir()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


def test_version_is_that_of_the_package() -> None:
    assert cnndsl.__version__ == version("cnndsl")


def test_the_version_has_release_notes() -> None:
    notes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## [{cnndsl.__version__}] - " in notes


def test_the_workflow_runs_what_must_hold() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert workflow.rstrip().endswith("- run: .ci/run")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_wheel_carries_the_shipped_files_and_nothing_of_the_checkout(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"cnndsl/{name}" for name in shipped_files()} <= names
    assert "cnndsl/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"cnndsl", f"cnndsl-{cnndsl.__version__}.dist-info"}


def test_sdist_carries_what_the_wheel_is_built_from(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert shipped_files() | {"pyproject.toml", "LICENSE", "README.md", "tools/description.py"} <= names


def test_the_description_shows_without_the_repository(wheel: Path) -> None:
    """A picture by a relative address would be a gap on an index of packages: a table is in its place."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"cnndsl-{cnndsl.__version__}.dist-info/METADATA").decode()
    assert "Description-Content-Type: text/markdown" in text
    assert "<img" not in text
    assert "<!--" not in text
    program = str(ROOT / "docs" / "readme" / "net.cnn")
    shown = run(sys.executable, "-m", "cnndsl", "render", program, "--style", "table", "-o", "-", cwd=ROOT)
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(rows) == 10
    assert "\n".join(rows) in text


def test_zipped_wheel_runs_as_it_is(wheel: Path, tmp_path: Path) -> None:
    script = "import cnndsl; print(cnndsl.__file__); print(cnndsl.load('lenet5').stats().totals.params)"
    place, params = run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(wheel)).splitlines()
    assert place.startswith(str(wheel))
    assert params == "61706"  # LeCun et al. 1998 with a full C3: 156 + 2416 + 48120 + 10164 + 850


def test_statistics_load_no_heavy_library(tmp_path: Path) -> None:
    script = "import sys, cnndsl; cnndsl.load('lenet5').stats(); print(*sys.modules)"
    loaded = set(run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(ROOT)).split())
    assert not loaded & {"torch", "graphviz", "pygraphviz", "rich", "numpy"}


def test_input_sizes_load_no_heavy_library(tmp_path: Path) -> None:
    script = "import sys; from cnndsl.cli import run; run(['sizes', 'lenet5']); print(*sys.modules)"
    loaded = set(run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(ROOT)).split())
    assert not loaded & {"torch", "graphviz", "pygraphviz", "rich", "numpy", "cnndsl.emit", "cnndsl.runtime"}


def test_no_module_hides_a_public_function(tmp_path: Path) -> None:
    """Importing `cnndsl.sizes`, if there was such a module, would set the name that the function has."""
    modules = {path.stem for path in Path(cnndsl.__file__).parent.iterdir()}
    assert not modules & {*cnndsl.__all__}
    for name, module in ("sizes", "report.sizes"), ("compare", "analysis.compare"):
        script = f"import cnndsl.commands.{name}, cnndsl.{module}; print(callable(cnndsl.{name}))"
        assert run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(ROOT)) == "True\n"
