"""Files to which the configurations of a sweep are written one by one, and which a later sweep can continue."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cnndsl import files
from cnndsl.analysis.metric_table import METRICS
from cnndsl.errors import listed
from cnndsl.files import FileError
from cnndsl.report.sweep import csv_cells, csv_head, csv_line, exact_metric, reason_text
from cnndsl.sweeping.sweep import Configuration, Family
from cnndsl.values import Value, show_setting

ROW_FORMATS = ("csv", "parquet")
"""The formats in which configurations can be written one by one."""
_GROUP = 10_000
"""The number of Parquet rows that are written together."""


class RowFile(Protocol):
    """A file with a row for each configuration."""

    def rows(self) -> Iterator[Sequence[object]]:
        """Yield the rows of an existing file. Raises FileError if they cannot be continued."""
        ...

    def cells(self, member: Configuration) -> Sequence[object]:
        """Return the row of a configuration."""
        ...

    def open(self, *, force: bool, resumes: bool) -> None:
        """Begin to write, after the rows of an existing file if it `resumes`. Raises FileError."""
        ...

    def write(self, member: Configuration) -> None:
        """Write a configuration."""
        ...

    def close(self) -> None:
        """Write the remaining rows. The file can be continued then."""
        ...


def row_file(path: str, format: str, family: Family, names: Sequence[str], figures: Sequence[str]) -> RowFile:
    """Return a file in one of `ROW_FORMATS`. Raises FileError if it needs a library that is missing."""
    if format == "csv":
        return _CsvFile(path, names, figures)
    return _ParquetFile(path, family, names, figures)


def continued(
    file: RowFile,
    path: str,
    names: Sequence[str],
    family: Family,
    numbers: Sequence[int],
    measured: Callable[[Sequence[int]], Iterator[Configuration]],
    *,
    is_filtered: bool,
) -> int:
    """Return how many of the configurations are done: those up to the last row of a file.

    Args:
        file: The file.
        path: Its name, for messages.
        names: The parameters that are columns.
        family: The family.
        numbers: The configurations of the sweep, in their order.
        measured: Measures some of them.
        is_filtered: Whether rows may be missing, of configurations that did not pass a test.

    Raises:
        FileError: The rows are not those of this sweep, or the first or the last one has other metrics.
    """
    at, found = 0, list[tuple[int, Sequence[object]]]()
    for row in file.rows():
        at = _place(file, path, names, family, numbers, row, at, is_filtered=is_filtered)
        found[1:] = [(numbers[at], row)] if found else []
        found = found or [(numbers[at], row)]
        at += 1
    for (number, row), member in zip(found, measured([number for number, _ in found]), strict=True):
        now = file.cells(member)
        if list(row) != list(now):
            shown = _settings(family.at(number), names)
            raise FileError(
                f"cannot continue {path}: for {shown} it has {_text(row)}, and the network now gives {_text(now)}; "
                "--force without --resume starts anew"
            )
    return at


def _place(
    file: RowFile,
    path: str,
    names: Sequence[str],
    family: Family,
    numbers: Sequence[int],
    row: Sequence[object],
    at: int,
    *,
    is_filtered: bool,
) -> int:
    """Return the position of a row among the configurations. Raises FileError if it is not the next one."""
    wanted = list(row[: len(names)])
    for place in range(at, len(numbers)):
        settings = family.at(numbers[place])
        if list(file.cells(Configuration(settings, None))[: len(names)]) == wanted:
            return place
        if not is_filtered:
            raise FileError(
                f"cannot continue {path}: it has a row for {_text(wanted)} where this sweep has "
                f"{_settings(settings, names)}; --resume needs the same network and the same options"
            )
    raise FileError(f"cannot continue {path}: it has a row for {_text(wanted)}, which is not in this sweep")


def _settings(settings: Any, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={show_setting(settings[name])}" for name in names)


def _text(row: Sequence[object]) -> str:
    return ", ".join(str(each) for each in row if each not in (None, ""))


class _CsvFile:
    """CSV, with a line for each configuration."""

    def __init__(self, path: str, names: Sequence[str], figures: Sequence[str]) -> None:
        self._path, self._names, self._figures = path, names, figures
        self._end = 0
        self._stream: BinaryIO | None = None

    def rows(self) -> Iterator[Sequence[object]]:
        head = csv_line(csv_head(self._names, self._figures)).encode()
        try:
            with Path(self._path).open("rb") as stream:
                first = stream.readline()
                if head.startswith(first) and not first.endswith(b"\n"):  # the sweep ended at once
                    return
                if first != head:
                    raise FileError(
                        f"cannot continue {self._path}: its columns are not {head.decode().strip()}; "
                        "--resume needs the same options"
                    )
                self._end = len(first)
                for line in stream:
                    if not line.endswith(b"\n"):  # the sweep ended while it was written
                        return
                    (row,) = csv.reader([line.decode(errors="replace")])
                    yield row
                    self._end += len(line)
        except FileNotFoundError:
            return
        except OSError as stop:
            raise FileError(f"cannot read {self._path}: {(stop.strerror or str(stop)).casefold()}") from None

    def cells(self, member: Configuration) -> Sequence[object]:
        return csv_cells(member, self._names, self._figures)

    def open(self, *, force: bool, resumes: bool) -> None:
        self._stream = files.opened(self._path, force=force, end=self._end if resumes else None)
        if not self._end:
            self._stream.write(csv_line(csv_head(self._names, self._figures)).encode())

    def write(self, member: Configuration) -> None:
        assert self._stream is not None, "a file is opened before it is written"
        self._stream.write(csv_line(csv_cells(member, self._names, self._figures)).encode())

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


class _ParquetFile:
    """Parquet: numbers and truth values keep their type, everything else is text."""

    def __init__(self, path: str, family: Family, names: Sequence[str], figures: Sequence[str]) -> None:
        self._path, self._names, self._figures = path, names, figures
        try:
            arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            raise FileError("Parquet needs pyarrow: pip install 'cnndsl[parquet]'") from None
        self._arrow, self._parquet = arrow, parquet
        kinds = [_kind(family.domains[name]) for name in names]
        kinds += ["string" if METRICS[name].unit in ("extents", "positions") else "int64" for name in figures]
        columns = list(zip(csv_head(names, figures), [*kinds, "string"], strict=True))
        self._schema: Any = arrow.schema([(name, getattr(arrow, _ARROW[kind])()) for name, kind in columns])
        self._kinds = [*kinds, "string"]
        self._held: list[Sequence[object]] = []
        self._writer: Any = None
        self._temporary = f"{path}.{os.getpid()}.tmp"

    def rows(self) -> Iterator[Sequence[object]]:
        if not files.exists(self._path):
            return
        try:
            with self._parquet.ParquetFile(self._path) as file:
                if not file.schema_arrow.equals(self._schema):
                    names = listed(file.schema_arrow.names, most=len(file.schema_arrow.names))
                    raise FileError(
                        f"cannot continue {self._path}: its columns are {names}; --resume needs the same options"
                    )
                for batch in file.iter_batches():
                    for row in batch.to_pylist():
                        cells: dict[str, object] = row
                        yield list(cells.values())
        except (OSError, self._arrow.ArrowInvalid):
            raise FileError(
                f"cannot continue {self._path}: it is no complete Parquet file; one in CSV can be continued wherever "
                "it ends"
            ) from None

    def cells(self, member: Configuration) -> Sequence[object]:
        values: list[object] = [
            _cell(member.settings[name], kind) for name, kind in zip(self._names, self._kinds, strict=False)
        ]
        for name, kind in zip(self._figures, self._kinds[len(self._names) :], strict=False):
            text = exact_metric(member, name)
            values.append(None if not text else int(text) if kind == "int64" else text)
        return [*values, reason_text(member) or None]

    def open(self, *, force: bool, resumes: bool) -> None:
        if not resumes:
            files.opened(self._path, force=force).close()
        self._writer = self._parquet.ParquetWriter(self._temporary, self._schema)
        if resumes and files.exists(self._path):
            with self._parquet.ParquetFile(self._path) as file:
                for batch in file.iter_batches(_GROUP):
                    self._writer.write_batch(batch)

    def write(self, member: Configuration) -> None:
        self._held.append(self.cells(member))
        if len(self._held) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        columns: list[list[object]] = [list(column) for column in zip(*self._held, strict=True)]
        columns = columns or [[] for _ in self._kinds]
        arrays = [self._arrow.array(each, field.type) for each, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._held.clear()

    def close(self) -> None:
        if self._writer is not None:
            self._flush()
            self._writer.close()
            Path(self._temporary).replace(self._path)


_ARROW = {"int64": "int64", "bool": "bool_", "string": "string"}


def _kind(values: Sequence[Value]) -> str:
    """Return the type of a column that has these values."""
    if isinstance(values, range) or all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return "int64"
    return "bool" if all(isinstance(each, bool) for each in values) else "string"


def _cell(value: Value, kind: str) -> object:
    if kind == "string" or isinstance(value, Fraction):
        return show_setting(value)
    return value
