"""The model of a drawing: what is drawn, and which nodes of the graph each thing stands for.

A drawing has a spine of steps in executable order, panels that show a block opened once, and links that skip over
steps. Nodes are numbers of the graph. `account.py` checks that every node is shown exactly once.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.errors import MessageText
from cnndsl.records import record

ColumnKind: TypeAlias = Literal["bar", "flag", "text", "stride"]

PanelKind: TypeAlias = Literal["block", "training", "output", "growth"]

PartState: TypeAlias = Literal["", "failing", "ghost"]
"""In a network with errors, a part is known, fails, or depends on a failing part. Known parts keep the role of a box;
in its place, failing parts have a colour of their own (`failing`), dependent ones dashes (`ghost`)."""

LegendKind: TypeAlias = Literal["letters", "widths", "box", "branches", "join", "figure"]


@record(slots=True)
class GroupTag:
    """The tag of a part of a picture: its name in files, its tooltip, and its location in the program."""

    id: str
    title: str
    link: str = ""


@record(slots=True)
class StepMark:
    """How a part changed between two networks: a symbol, a word and a colour."""

    sign: str
    word: str
    paint: str


@record(slots=True)
class LayerCell:
    """A layer in a fused row: its label, its role in the palette, and whether some instances of the block lack it.
    `absorbed` are layers that follow it and are mentioned in a note instead of drawn; `short` is a label for narrow
    rows. `entering` is the input shape of a layer that fails."""

    node: int
    text: str
    role: str
    is_optional: bool = False
    absorbed: tuple[int, ...] = ()
    short: str = ""
    entering: str = ""


@record(slots=True)
class FusedRow:
    """A weight layer and the layers that run directly before or after it, in one outline."""

    cells: tuple[LayerCell, ...]


@record(slots=True)
class Branching:
    """Parallel branches and the node that merges them. `sources` has for each branch the node at which it begins, or -1
    if it begins at the input of the branching; `names` has the names of these nodes. `counts` says how often adjacent
    equal branches occur, of which one is drawn; `further` are the nodes of the others. `shapes` are the branches'
    outputs that cannot be merged."""

    node: int
    sign: str
    word: str
    widths: tuple[int, ...]
    branches: tuple[tuple[PanelElement, ...], ...]
    sources: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    optional: tuple[bool, ...] = ()
    counts: tuple[int, ...] = ()
    further: tuple[int, ...] = ()
    state: PartState = ""
    shapes: tuple[str, ...] = ()


@record(slots=True)
class RepeatFrame:
    """Elements that are repeated in sequence; `nodes` are those of the later iterations. `text` is the number of
    iterations if it is not the same in all instances of a block."""

    elements: tuple[PanelElement, ...]
    times: int
    nodes: tuple[int, ...]
    text: str = ""


@record(slots=True)
class InsetBox:
    """A part of a block that is drawn closed: a gate, or a part that is too large."""

    title: str
    key: str
    role: str
    nodes: tuple[int, ...]
    block: int = -1
    is_optional: bool = False


PanelElement: TypeAlias = FusedRow | Branching | RepeatFrame | InsetBox


@record(slots=True)
class CardLine:
    """A row of a card: a run of equal instances of a block, or of an equal fused row.

    `text` is what differs between the block's instances, `head` is true for a first instance that differs from the
    others. `block` is the number of the block's variant, -1 for a row.
    """

    text: str
    times: int
    is_first: bool
    nodes: tuple[tuple[int, ...], ...]
    block: int = -1
    key: str = ""
    title: str = ""
    row: FusedRow | None = None
    columns: tuple[str, ...] = ()
    bar: tuple[tuple[int, str], ...] = ()
    role: str = "conv"
    mark: StepMark | None = None


@record(slots=True)
class GrowthBar:
    """Input channels, and how many layers add how many channels to them. The last `added` layers do not exist in the
    other network."""

    entering: int
    layers: int
    growth: int
    added: int = 0


@record(slots=True)
class CardTable:
    """The rows of a `for` that varies three or more names: heads, cells as text, sizes of the feature map; `marks` are
    those of the rows, if there are any. A row with a single cell exists only in the other network."""

    heads: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    rows: tuple[tuple[str, ...], ...]
    sizes: tuple[str, ...]
    times: tuple[int, ...]
    marks: tuple[StepMark | None, ...] = ()


@record(slots=True)
class SpineRow:
    """Layers that are drawn open in the spine: the input, a fused row."""

    row: FusedRow
    shape: str
    is_input: bool = False
    path: str = ""
    stage: str = ""
    weights: str = ""


@record(slots=True)
class SpineBranching:
    """Branches that are drawn open in the spine."""

    element: Branching
    shape: str
    path: str = ""
    stage: str = ""
    weights: str = ""


@record(slots=True)
class NetCard:
    """A part of the network in a frame: its name, its rows, and `times`, the number of iterations if it consists only
    of iterations of one block or its variants; otherwise 1, since its badge would claim that all of it repeats. If
    `is_told`, the rows state what the name says: `c = 64`. `stage` is the opened part that begins with it, `weights`
    the remark on weights that are shared with an earlier step."""

    name: str
    params: int
    times: int
    lines: tuple[CardLine, ...]
    shape: str
    path: str
    heads: tuple[str, ...] = ()
    growth: GrowthBar | None = None
    table: CardTable | None = None
    title: str = ""
    is_told: bool = False
    state: PartState = ""
    stage: str = ""
    weights: str = ""


SpineStep: TypeAlias = SpineRow | SpineBranching | NetCard


@record(slots=True)
class SkipLink:
    """An edge between steps of the spine that are not adjacent. `branch` is the branch of the target that it enters, -1
    for its side. `row` is the row of a card that it enters and `start` the one that it leaves, -1 for the card. `label`
    is the name that blocks give to the values that it carries, with their number. `operand` is the position among the
    inputs of its target, counted from 0, or -1 if their order doesn't matter."""

    source: int
    target: int
    branch: int = -1
    is_dashed: bool = False
    row: int = -1
    start: int = -1
    label: str = ""
    operand: int = -1


@record(slots=True)
class BlockPanel:
    """A block opened once. `entering` and `leaving` are the labels of its edges. `steps` are the numbers of the spine's
    steps that lead to a panel which the spine doesn't contain, such as an auxiliary classifier. `joined` and `links`
    are the edges of a block that is not a chain: -1 is the first of the `inputs`, -2 the next; they have the names that
    the block gives them. `outputs` are the elements that compute its values, with their names, if there are several."""

    key: str
    title: str
    caption: str
    elements: tuple[PanelElement, ...]
    nodes: tuple[int, ...]
    entering: str = ""
    leaving: str = ""
    kind: PanelKind = "block"
    times: int = 1
    block: int = -1
    steps: tuple[int, ...] = ()
    others: tuple[tuple[int, ...], ...] = ()
    joined: tuple[bool, ...] = ()
    links: tuple[SkipLink, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    state: PartState = ""


@record(slots=True)
class NamedEnd:
    """An output with a name: the step that computes it, and its shape, which within a step may differ from the
    step's."""

    name: str
    step: int
    training_only: bool
    shape: str


@record(slots=True)
class UBar:
    """A layer of a U as a bar: its channels, the largest extent of its map, its window, its row (0 for the largest
    maps). `notes` are its word and those of the layers attached to it, which are `absorbed`. With
    `times` it stands for several equal layers."""

    node: int
    channels: int
    extent: int
    role: str
    text: str
    level: int
    notes: tuple[str, ...]
    absorbed: tuple[int, ...]
    size: str
    times: int = 1
    tag: GroupTag | None = None
    mark: StepMark | None = None


@record(slots=True)
class USkip:
    """A link between bars of a row: the operations on it, the node that merges it (-1 if there is none), whether that
    is a concatenation, the number of channels that it carries, and the nodes on it. `is_behind` is a copy concatenated
    after the upsampled map, as in the program; `is_gone` a link that only the other network has. A link with
    `has_indices` carries no feature map, but the indices of a pool in the row below."""

    source: int
    target: int
    label: str
    merge: int
    joins: bool
    channels: int
    nodes: tuple[int, ...]
    tag: GroupTag | None = None
    mark: StepMark | None = None
    is_gone: bool = False
    is_behind: bool = False
    has_indices: bool = False


@record(slots=True)
class UShape:
    """A network that goes down to small feature maps and up again: bars in order, and the links between them."""

    bars: tuple[UBar, ...]
    skips: tuple[USkip, ...]


@record(slots=True)
class FootLine:
    """A line of text beneath a drawing, after a symbol. Entries of a list (`is_listed`) are omitted if there is no room
    for them."""

    text: str
    sign: str = ""
    paint: str = "mute"
    is_listed: bool = False


@record(slots=True)
class LegendEntry:
    """The meaning of a symbol: letters, widths of branches, a box in the colour of a role, the bar of branches, the
    sign of a concatenation, or a figure, for which the layout takes one that it draws. `beside` are letters that mean
    the same as a box, `names` the letters of a symbol that has several."""

    symbol: str
    text: str
    kind: LegendKind = "letters"
    beside: str = ""
    names: tuple[str, ...] = ()


@record(slots=True)
class FaultNote:
    """An error: its message, the step of the spine at which it occurs (-1 if it isn't at one), and whether the first
    panel shows the location in that step."""

    message: MessageText
    step: int
    is_opened: bool = False


@record(slots=True)
class DrawingModel:
    """A network as it is drawn. `is_joined` has for each step whether it reads the one before it. `legend` explains the
    symbols that may be drawn, which depends on the width. `tags` are those of the steps, as are `marks`, if there are
    any; `carried` are labels of edges from a step to the next one. `foot` is printed beneath the drawing. `faults` are
    the errors of a network that has some, `broken` the messages of assertions that fail for a network without errors.
    `u` is the drawing as a U of a network that goes down and up again. `output` is the step that computes the output,
    or -1 if that has a name and is one of the `ends`.
    """

    name: str
    params: int
    macs: int
    training_params: int
    steps: tuple[SpineStep, ...]
    is_joined: tuple[bool, ...]
    panels: tuple[BlockPanel, ...]
    links: tuple[SkipLink, ...]
    ends: tuple[NamedEnd, ...]
    legend: tuple[LegendEntry, ...]
    description: str = ""
    tags: tuple[GroupTag, ...] = ()
    marks: tuple[StepMark | None, ...] = ()
    foot: tuple[FootLine, ...] = ()
    faults: tuple[FaultNote, ...] = ()
    carried: tuple[tuple[int, str], ...] = ()
    broken: tuple[MessageText, ...] = ()
    u: UShape | None = None
    output: int = -1
