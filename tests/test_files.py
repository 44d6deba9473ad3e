"""Files are written whole or not at all, and nothing is overwritten unasked."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnndsl.errors import CnnError
from cnndsl.files import FileError, decode, read, write

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_a_new_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write(str(tmp_path / "net.py"), b"one")
    assert (tmp_path / "net.py").read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


def test_a_new_file_has_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(str(tmp_path / "net.py"), b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "net.py").stat().st_mode) == 0o640


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_bytes(b"old")
    with pytest.raises(FileError, match="exists already; --force overwrites it"):
        write(str(file), b"new")
    assert file.read_bytes() == b"old"
    write(str(file), b"new", force=True)
    assert file.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


def test_the_mode_of_an_existing_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_bytes(b"old")
    file.chmod(0o755)
    write(str(file), b"new", force=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o755


def test_a_link_stays_one_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write(str(tmp_path / "link"), b"new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder", "cannot write folder: it is a folder"),
        ("missing/net.py", "cannot write missing/net.py: the folder does not exist"),
        ("file/net.py", "cannot write file/net.py: a part of its path is not a folder"),
        ("n" * 300, "the name is too long"),
        ("a\0b", "a name cannot contain a null character"),
    ],
)
def test_what_is_in_the_way_is_said_in_one_line(
    name: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_bytes(b"")
    with pytest.raises(FileError) as caught:
        write(name, b"x", force=True)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(FileError, match="permission denied"):
        write(str(tmp_path / "net.py"), b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk() -> None:
    with pytest.raises(FileError, match="cannot write /dev/full: the disk is full"):
        write("/dev/full", b"x")


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "net.py").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(FileError, match="the disk is full"):
        write(str(tmp_path / "net.py"), b"new", force=True)
    assert (tmp_path / "net.py").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


WRITER = """
import sys
from cnndsl.files import write
at = 0
print("ready", flush=True)
while True:
    write(sys.argv[1], bytes([65 + at % 2]) * 300_000, force=True)
    at += 1
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_at_any_point_the_file_is_whole(tmp_path: Path) -> None:
    file, dice = tmp_path / "net.py", random.Random(1)
    for _ in range(12):
        file.write_bytes(b"A" * 300_000)
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(dice.random() * 0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        data = file.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1


def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no such file"):
        read(str(tmp_path / "none.cnn"))
    with pytest.raises(FileError, match="it is a folder"):
        read(str(tmp_path))
    with pytest.raises(FileError, match="null character"):
        read("a\0b")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_is_refused() -> None:
    with pytest.raises(FileError, match="more than 16 MiB"):
        read("/dev/zero")


def test_the_mark_in_front_of_utf8_is_dropped() -> None:
    assert decode("net.cnn", b"\xef\xbb\xbfINPUT").text == "INPUT"


def test_bytes_that_are_not_utf8_are_located() -> None:
    with pytest.raises(CnnError) as caught:
        decode("net.cnn", "# é\nINPUT ".encode() + b"\xff -> FC-10")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "the byte 0xFF is not UTF-8"
    assert str(diagnostic.span) == "net.cnn:2:7"
