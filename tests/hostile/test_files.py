"""Files and streams that go wrong: killed writers, full disks, folders in the way, readers that leave, interrupts."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from cnndsl.files import FileError, read, write

ROOT = Path(__file__).parent.parent.parent
KILLER = str(Path(__file__).with_name("killer.py"))
NET = "INPUT 8x8x3 -> RELU\n"
posix = pytest.mark.skipif(os.name == "nt", reason="signals, and what the folder of devices holds")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def start(command: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A command line, through a shell, in which `cnndsl` stands for the checkout's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    text = command.replace("cnndsl", f'"{sys.executable}" -m cnndsl', 1)
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        text, shell=True, env=environment, encoding="utf-8", **{"capture_output": True, **options}
    )


# Killed


@posix
def test_killed_a_hundred_times_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, KILLER, str(tmp_path / "net.py"), "100"], capture_output=True, check=True)
    states = Counter(done.stdout.decode().split("\n")[:-1])
    assert sum(states.values()) == 100
    assert set(states) <= {"none", "A", "B"}
    # Half of them and more where nothing else runs: it is killed after a time, and that may be before it wrote at all.
    assert states["A"] + states["B"] >= 10


@posix
def test_killed_before_each_call_to_the_system_a_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, KILLER, str(tmp_path / "net.py"), "calls"], capture_output=True, check=True)
    states = done.stdout.decode().split("\n")[:-1]
    assert set(states) == {"new none", "new B", "old A", "old B"}
    assert len(states) > 12


# Disks and folders


@posix
def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the write itself fails, half way."""
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from cnndsl.files import FileError, write
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write("net.py", b"B" * 200_000, force=True)
except FileError as stop:
    print(stop)
"""
    for old in (None, b"old"):
        if old is not None:
            (tmp_path / "net.py").write_bytes(old)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout == b"cannot write net.py: the file is too large\n"
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == ({"net.py": old} if old else {})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE])
@pytest.mark.parametrize("name", ["open", "fsync", "replace", "link", "chmod"])
def test_whatever_the_system_answers_is_one_line(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(os, name)

    def fails(*arguments: object, **others: object) -> object:
        if name == "open" and "tmp" not in str(arguments[0]):
            return original(*arguments, **others)
        raise OSError(number, os.strerror(number))

    for old in (None, b"old"):
        if old is not None:
            (tmp_path / "net.py").write_bytes(old)
        with monkeypatch.context() as patched:
            patched.setattr(os, name, fails)
            try:
                write("net.py", b"new", force=True)
                found = b"new"
            except FileError as stop:
                message, found = str(stop), old
                assert message.startswith("cannot write net.py: ")
                assert "\n" not in message
        held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert held == ({} if found is None else {"net.py": found})
        (tmp_path / "net.py").unlink(missing_ok=True)


@posix
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    """Root may write everywhere, so the test becomes nobody."""
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
import encodings.idna
from cnndsl.files import FileError, write
if os.geteuid() == 0:
    os.seteuid(65534)
for name in ("new.py", "old.py"):
    try:
        write(name, b"x", force=True)
    except FileError as stop:
        print(stop)
"""
    (tmp_path / "old.py").write_bytes(b"old")
    tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    tmp_path.chmod(0o755)
    lines = [f"cannot write {name}.py: permission denied" for name in ("new", "old")]
    assert done.stdout.decode().splitlines() == lines, done.stderr
    assert (tmp_path / "old.py").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", "folder/", "a/b/", "\0", "a\0b", "\ud800"])
def test_names_of_no_file(name: str) -> None:
    for act in (lambda: read(name), lambda: write(name, b"", force=True)):
        with pytest.raises(FileError) as caught:
            act()
        assert "\n" not in str(caught.value)


WAYS = {
    "a folder in the way": "mkdir net.py; cnndsl compile net.cnn",
    "a folder in the way, forced": "mkdir net.py; cnndsl compile net.cnn --force",
    "a folder in the way, checked": "mkdir net.py; cnndsl compile net.cnn --check",
    "a folder as a program": "cnndsl check .",
    "a folder to format": "cnndsl fmt .",
    "a folder that is not there": "cnndsl compile net.cnn -o missing/net.py",
    "a folder's name": "cnndsl compile net.cnn -o folder/",
    "no name": "cnndsl compile net.cnn -o ''",
    "no name to draw": "cnndsl render net.cnn -o ''",
    "no name for statistics": "cnndsl stats net.cnn -o ''",
    "no name to read": "cnndsl stats ''",
    "a link to itself": "ln -s net.py net.py; cnndsl compile net.cnn --force",
    "a file as a folder": "touch folder; cnndsl compile net.cnn -o folder/net.py",
    "a full device": "cnndsl compile net.cnn -o /dev/full",
    "a full device for statistics": "cnndsl stats net.cnn -o /dev/full --force",
    "a full output": "cnndsl compile net.cnn -o - > /dev/full",
    "a full output, drawn": "cnndsl render net.cnn -o - > /dev/full",
    "a full output, checked": "cnndsl check nothing.cnn > /dev/full",
    "weights that are a folder": "cnndsl compile net.cnn --weights .",
    "weights that are not there": "cnndsl compile net.cnn --weights none.pth",
    "weights that are none": "echo x > w.safetensors; cnndsl compile net.cnn --weights w.safetensors",
    "an endless program": "cnndsl check /dev/zero",
    "an endless input": "cnndsl stats - < /dev/zero",
    "a program that is there already": "cnndsl new vgg16 -o net.cnn",
    "an existing result": "touch net.py; cnndsl compile net.cnn",
}


@posix
@pytest.mark.parametrize("command", WAYS.values(), ids=WAYS)
def test_one_line_and_exit_code_1(command: str, tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text(NET)
    done = start(command)
    said = (done.stderr + done.stdout).replace("1 file checked, 1 error\n", "")
    assert done.returncode == 1, said
    assert said.count("\n") == 1, said
    assert "error" in said
    assert "internal" not in said
    assert (tmp_path / "net.cnn").read_text() == NET


# Streams


@posix
@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "code"), [("stats net.cnn", 0), ("check bad.cnn", 1), ("stats none.cnn", 1), ("fmt net.cnn", 0)]
)
def test_streams_that_are_closed(command: str, code: int, streams: str, tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text(NET)
    (tmp_path / "bad.cnn").write_text("INPUT -> NOPE")
    done = start(f"cnndsl {command} {streams}")
    assert done.returncode == code
    assert "internal" not in done.stderr + done.stdout


@posix
def test_a_closed_input_is_an_empty_program() -> None:
    done = start("cnndsl check - <&-")
    assert done.returncode == 1
    assert "E0215" in done.stdout


@posix
@pytest.mark.parametrize(
    "command", ["stats net.cnn", "stats net.cnn --format json", "compile net.cnn -o -", "render net.cnn -o -"]
)
def test_a_reader_that_leaves(command: str, tmp_path: Path) -> None:
    """Each output is longer than a pipe holds."""
    (tmp_path / "net.cnn").write_text("INPUT 8x8x3 -> " + " -> ".join(f"a{at}: CONV3-{at}" for at in range(1, 2500)))
    child = subprocess.Popen(
        [sys.executable, "-m", "cnndsl", *command.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child:
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 141


def interruptible() -> None:
    """A shell has what it runs in the background ignore Ctrl-C, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@posix
@pytest.mark.parametrize("wait", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("command", ["stats big.cnn", "check big.cnn", "fmt big.cnn", "sweep family.cnn"])
def test_an_interrupt(command: str, wait: float, tmp_path: Path) -> None:
    text = "INPUT 8x8x3->" + "->".join(["conv3-4"] * 60000)
    (tmp_path / "big.cnn").write_text(text)
    (tmp_path / "family.cnn").write_text("net F(n in 1..90000 = 1)\nINPUT 8x8x3 -> [CONV3-n]*50")
    child = subprocess.Popen(
        [sys.executable, "-c", "from cnndsl.cli import main; print(1, flush=True); main()", *command.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    )
    assert child.stdout is not None
    with child:
        child.stdout.readline()
        time.sleep(wait)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, b"", b"")
    assert (tmp_path / "big.cnn").read_text() == text
    assert len(list(tmp_path.iterdir())) == 2
