"""The content of a configuration table, before it is written as LaTeX, Markdown, HTML, JSON or a picture."""

from __future__ import annotations

from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.themes import PaletteRole
from cnndsl.records import record


@record(slots=True)
class StageLine:
    """A line of a block: the layer without its stride, the stride (`/2`, or empty), and the colour's role.

    A branch of several layers is one line, with arrows between their texts.
    """

    text: str
    stride: str
    role: PaletteRole

    @property
    def full(self) -> str:
        """Return the text with the stride."""
        return f"{self.text}, {self.stride}" if self.stride else self.text


@record(slots=True)
class StageBlock:
    """A layer, or a block: its lines, and the number of equal ones that follow each other.

    The strides of the lines are those of the first block. `is_first_strided` is set if only the first has them.
    """

    lines: tuple[StageLine, ...]
    times: int = 1
    is_first_strided: bool = False

    @property
    def has_brackets(self) -> bool:
        """Return whether the lines are in square brackets: several lines, or one that is repeated."""
        return len(self.lines) > 1 or self.times > 1

    @property
    def is_normalisation(self) -> bool:
        """Return whether the block is only a normalisation, which belongs to the layer before it."""
        return all(line.role == "norm" for line in self.lines)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the text of each line; a stride that only the first block has is left to a note."""
        return tuple(line.text if self.is_first_strided else line.full for line in self.lines)


@record(slots=True)
class NetworkStage:
    """A stage of one network: its name, the size of its output map, and its blocks in order."""

    name: str
    output: tuple[int, ...]
    blocks: tuple[StageBlock, ...]


@record(slots=True)
class ConfigurationRow:
    """A stage of the table with a cell for each network: its blocks, none if it has no such stage.

    `outputs` are the output sizes of the networks, usually a single one. A row `is_continued` if it holds the rest of
    the stage of the row before, which holds the blocks with which all networks start that stage.
    """

    name: str
    outputs: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[StageBlock, ...], ...]
    is_continued: bool = False

    @property
    def output(self) -> str:
        """Return the size as text."""
        return " / ".join(TIMES.join(map(str, each)) for each in self.outputs)

    @property
    def is_common(self) -> bool:
        """Return whether there are several networks and all have the same blocks in this row."""
        return len(self.cells) > 1 and all(cell == self.cells[0] for cell in self.cells)


@record(slots=True)
class ColumnTotals:
    """The metrics of one network, which are shown below its column."""

    params: int
    macs: int
    receptive_field: tuple[int, ...]
    receptive_field_at_most: bool


@record(slots=True)
class ConfigurationTable:
    """A configuration table: `heads` are the column headings, `totals` the metrics below the columns, `notes`
    sentences that list what the table omits."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[ConfigurationRow, ...]
    totals: tuple[ColumnTotals, ...]
    notes: tuple[str, ...]
