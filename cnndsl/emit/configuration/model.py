"""What a configuration table consists of, before it is written as LaTeX, Markdown, HTML, JSON or a picture."""

from __future__ import annotations

from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.themes import PaletteRole
from cnndsl.records import record


@record(slots=True)
class StageLine:
    """A line of a block: what the layer is without its stride, the stride (`/2`, or nothing), and the colour's role.

    A branch of several layers is one line, their texts with arrows between them.
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
    """A layer, or a block: its lines, and how many equal ones follow each other.

    The strides of the lines are those of the first. `is_first_strided` says that they are of the first alone.
    """

    lines: tuple[StageLine, ...]
    times: int = 1
    is_first_strided: bool = False

    @property
    def has_brackets(self) -> bool:
        """Return whether the lines stand in brackets: several, or one that is repeated."""
        return len(self.lines) > 1 or self.times > 1

    @property
    def is_normalisation(self) -> bool:
        """Return whether it is a normalisation alone, which belongs to the layer before it."""
        return all(line.role == "norm" for line in self.lines)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what stands on each line; a stride that only the first has is left to a note."""
        return tuple(line.text if self.is_first_strided else line.full for line in self.lines)


@record(slots=True)
class NetworkStage:
    """A stage of one network: what it is called, the size of the feature map that it gives, and its blocks in order."""

    name: str
    output: tuple[int, ...]
    blocks: tuple[StageBlock, ...]


@record(slots=True)
class ConfigurationRow:
    """A stage of the table, with a cell for each network: its blocks, none where it has no such stage.

    `outputs` are the sizes that networks give in it, as a rule one. A row `is_continued` if it has the rest of the
    stage of the row before, which has what all networks begin that stage with.
    """

    name: str
    outputs: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[StageBlock, ...], ...]
    is_continued: bool = False

    @property
    def output(self) -> str:
        """Return the size as a text."""
        return " / ".join(TIMES.join(map(str, each)) for each in self.outputs)

    @property
    def is_common(self) -> bool:
        """Return whether all networks have the same in it, and there are several."""
        return len(self.cells) > 1 and all(cell == self.cells[0] for cell in self.cells)


@record(slots=True)
class ColumnTotals:
    """The metrics of one network that stand beneath its column."""

    params: int
    macs: int
    receptive_field: tuple[int, ...]
    receptive_field_at_most: bool


@record(slots=True)
class ConfigurationTable:
    """A configuration table: `heads` are what its columns are called, `totals` what stands beneath them, `notes`
    sentences that say what it leaves out."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[ConfigurationRow, ...]
    totals: tuple[ColumnTotals, ...]
    notes: tuple[str, ...]
