"""Read programs and write results: files are written completely or not at all, and only overwritten on request.

A result is written to a temporary file in the same folder, flushed to disk and renamed at the end, so that a crash
leaves either the old file or the new one. Every failure is a `FileError` with a one-line message.
"""

from __future__ import annotations

import errno
import ntpath
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cnndsl.errors import CnnError, Diagnostic, Source, Span

LARGEST = 16 * 2**20
"""The maximum size of a program in bytes."""

LARGEST_BINARY = 2 * 2**30
"""The maximum size of a weight file in bytes: protobuf, which ONNX uses, has no larger messages."""

IS_WINDOWS = os.name == "nt"

_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    *(f"{port}{at}" for port in ("COM", "LPT") for at in "123456789¹²³"),
}
"""Names that no file on Windows can have, whatever its suffix. Source: learn.microsoft.com, "Naming Files, Paths, and
Namespaces"."""
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL}
_REASONS = {
    errno.ENOENT: "the folder does not exist",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the folder is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EFBIG: "the file is too large",
}


_STARTS: Mapping[bytes, str] = {
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive, such as torch.save writes",
    b"\x80\x02": "a pickle of Python",
    b"\x80\x04": "a pickle of Python",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
    b"\x1f\x8b": "a file packed by gzip",
}
"""The first bytes of files that are not programs."""


class FileError(Exception):
    """A file that cannot be read or written. The message is one line."""


def is_file(path: str | Path) -> bool:
    """Return whether a file exists; false for an invalid file name too, such as one that is too long."""
    with suppress(OSError):
        return Path(path).is_file()
    return False


def exists(path: str) -> bool:
    """Return whether something with that name exists."""
    with suppress(OSError):
        return Path(path).exists()
    return False


@dataclass(frozen=True, eq=False)
class BinaryFile:
    """The bytes of a binary file, and the name that messages use for it."""

    name: str
    data: bytes = field(repr=False)


def read(path: str) -> Source:
    """Return the text of a file, without the byte order mark that some editors add.

    Raises FileError if it cannot be read, CnnError if it is not UTF-8.
    """
    return decode(path, _bytes(path, LARGEST + 1))


def read_binary(path: str) -> BinaryFile:
    """Return the bytes of a file. Raises FileError if it cannot be read."""
    data = _bytes(path, LARGEST_BINARY + 1)
    if len(data) > LARGEST_BINARY:
        raise FileError(f"cannot read {path}: it has more than {LARGEST_BINARY // 2**30} GiB")
    return BinaryFile(path, data)


def _bytes(path: str, most: int) -> bytes:
    _check_name("read", path)
    try:
        with Path(path).open("rb") as stream:
            return stream.read(most)
    except OSError as stop:
        reason = "there is no such file" if stop.errno == errno.ENOENT else _reason(stop)
        raise FileError(f"cannot read {path}: {reason}") from None
    except UnicodeError:
        raise FileError(f"cannot read {path!r}: this is not a valid file name") from None


def decode(name: str, data: bytes) -> Source:
    """Decode the bytes of a program. Raises FileError if it is too long, CnnError if it is not UTF-8.

    >>> decode("net.cnn", b"INPUT -> FC-10").text
    'INPUT -> FC-10'
    """
    if len(data) > LARGEST:
        raise FileError(f"cannot read {name}: it has more than {LARGEST // 2**20} MiB")
    if what := _other_kind(data):
        raise FileError(f"cannot read {name}: it is {what}, but a program is UTF-8 text")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return Source(name, data.decode())
    except UnicodeDecodeError as stop:
        text = data.decode(errors="replace")
        at = len(data[: stop.start].decode())
        message = f"the byte 0x{data[stop.start]:02X} is not UTF-8"
        span = Span(Source(name, text), at, at + 1)
        raise CnnError(Diagnostic("E0101", message, span, help="save the file as UTF-8")) from None


def _other_kind(data: bytes) -> str:
    """Return the type of a binary file from its bytes; empty if it is unknown."""
    return next((what for start, what in _STARTS.items() if data.startswith(start)), "")


def check_new(path: str, *, force: bool = False) -> None:
    """Raise FileError for an existing file that may not be overwritten, before the result is computed."""
    if is_file(path) and not force:
        raise FileError(f"{path} exists already; --force overwrites it")


def write(path: str, data: bytes, *, force: bool = False) -> None:
    """Write a file atomically; an existing one only with `force`, keeping its mode. Follow links.

    Raises FileError if that fails; an existing file is then unchanged.
    """
    _check_name("write", path)
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise FileError(f"cannot write {path}: it is a folder")
        if mode is not None and not stat.S_ISREG(mode):
            _write_into(target, data)
            return
        if mode is not None and not force:
            raise FileError(f"{path} exists already; --force overwrites it")
        if IS_WINDOWS and mode is not None and not mode & stat.S_IWRITE:
            # On Windows such a file cannot be replaced, and a temporary file with its mode cannot be removed.
            raise FileError(f"cannot write {path}: it is read-only")
        _replace(path, target, data, mode)
    except OSError as stop:
        raise FileError(f"cannot write {path}: {_reason(stop)}") from None
    except UnicodeError:
        raise FileError(f"cannot write {path!r}: this is not a valid file name") from None


def opened(path: str, *, force: bool = False, end: int | None = None) -> BinaryIO:
    """Open a file to write results to one by one; an existing one is only overwritten with `force`.

    With `end`, an existing file is truncated to that many bytes and appended to. Raises FileError if that fails.
    """
    _check_name("write", path)
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise FileError(f"cannot write {path}: it is a folder")
        if end is not None and mode is not None:
            stream = target.open("r+b")
            stream.truncate(end)
            stream.seek(end)
            return stream
        if mode is not None and stat.S_ISREG(mode) and not force:
            raise FileError(f"{path} exists already; --force overwrites it")
        return target.open("wb")
    except OSError as stop:
        raise FileError(f"cannot write {path}: {_reason(stop)}") from None
    except UnicodeError:
        raise FileError(f"cannot write {path!r}: no file can have this name") from None


def _check_name(what: str, path: str) -> None:
    """Raise FileError for an invalid file name."""
    if "\0" in path:
        raise FileError(f"cannot {what} {path!r}: a name cannot contain a null character")
    if path.endswith(("/", os.sep)):
        raise FileError(f"cannot {what} {path}: this names a folder; add the name of a file")
    if not path:
        raise FileError(f"cannot {what} {path!r}: the name is empty")
    if IS_WINDOWS and (reason := _refused_by_windows(path)):
        raise FileError(f"cannot {what} {path}: {reason}")


def _refused_by_windows(path: str) -> str:
    """Return why Windows cannot have a file of this name, though it would open something else; empty if it can.

    The exact name of a device, `NUL`, is taken as intended; `nul.cnn` is not.

    >>> _refused_by_windows("C:\\\\nets\\\\aux.cnn"), _refused_by_windows("NUL"), _refused_by_windows("C:net.cnn")
    ('Windows reserves the name AUX for a device', '', '')
    """
    name = ntpath.basename(path)
    stem, point, _ = name.partition(".")
    device = stem.rstrip(" ").upper()
    if point and device in _DEVICES:
        return f"Windows reserves the name {device} for a device"
    if ":" in name and name.removesuffix(":").upper() not in _DEVICES:
        return "a name cannot contain a colon"
    return ""


def _mode(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_mode
    return None


def _write_into(device: Path, data: bytes) -> None:
    with device.open("wb") as stream:
        stream.write(data)


def _replace(path: str, target: Path, data: bytes, mode: int | None) -> None:
    temporary = target.with_name(f".{target.name[:64]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
            temporary.replace(target)
        else:
            _link(path, temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _link(path: str, temporary: Path, target: Path) -> None:
    """Give a new file its name, without replacing a file that appeared in the meantime."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise FileError(f"{path} exists already; --force overwrites it") from None
    except (OSError, NotImplementedError) as stop:
        # NotImplementedError: a system without any links, such as Pyodide.
        if isinstance(stop, OSError) and stop.errno not in _NO_LINKS:
            raise
        temporary.replace(target)


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power failure, on systems where folders can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(stop: OSError) -> str:
    if stop.errno in _REASONS:
        return _REASONS[stop.errno]
    return (stop.strerror or str(stop)).casefold()
