"""The one table of metrics: name, unit, definition, whether less is better, and how to read each.

`assert`, `sweep`, `stats --columns` and `--sort`, `diff`, the JSON of the commands and docs/figures.md all use it. A
metric of layers is a column of `stats`; a metric of networks may be asserted, compared and swept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.cost import Cost
    from cnndsl.analysis.layer_memory import LayerMemory
    from cnndsl.analysis.layer_time import LayerTime
    from cnndsl.analysis.receptive_field import Field
    from cnndsl.analysis.region import Region

MetricUnit: TypeAlias = Literal[
    "elements", "multiply-adds", "flops", "operations", "values", "bytes", "layers", "positions", "extents", "seconds"
]
Better: TypeAlias = Literal["less", "more", ""]
MetricValue: TypeAlias = "int | tuple[int, ...]"
ExactExtents: TypeAlias = "tuple[int | Fraction, ...]"


class Measured(Protocol):
    """A layer, or several that a table combines in one row."""

    @property
    def cost(self) -> Cost:
        """Return the sum over the layers."""
        ...

    @property
    def volume(self) -> int:
        """Return the lecture's memory, in bytes."""
        ...

    @property
    def load(self) -> LayerMemory:
        """Return the memory that a batch needs while these layers run."""
        ...

    @property
    def time(self) -> LayerTime:
        """Return the minimum time on a GPU."""
        ...

    @property
    def layers(self) -> int:
        """Return the number of layers."""
        ...

    @property
    def extents(self) -> tuple[int, ...]:
        """Return the shape of the output: H, W, C; empty if there is no last layer."""
        ...

    @property
    def field(self) -> Field | None:
        """Return the receptive field of the last layer."""
        ...


@record(slots=True)
class Metric:
    """A metric of layers and networks.

    `title` is the name of a row of a comparison, `heading` that of a column; both are the name with spaces unless
    `titles` has them. `layer` reads it from a row of a table, `network` from a network or a part of one; None if there
    is no such metric. `forward` says that it counts what a forward pass runs, so that a network has another value in
    training if some of its layers exist only in training. `at_most` says whether a row's value is a bound, `bounds`
    whether a network's is.
    """

    name: str
    unit: MetricUnit
    definition: str
    better: Better = "less"
    layer: Callable[[Measured], float | ExactExtents] | None = None
    network: Callable[[Region], MetricValue] | None = None
    forward: bool = False
    titles: tuple[str, str] | None = None
    at_most: Callable[[Measured], bool] = lambda _: False
    bounds: Callable[[Region], bool] = lambda _: False

    @property
    def title(self) -> str:
        """Return the name in a list of metrics."""
        return self.titles[0] if self.titles else self.name.replace("_", " ")

    @property
    def heading(self) -> str:
        """Return the heading of a column."""
        return self.titles[1] if self.titles else self.title

    @property
    def sign(self) -> int:
        """Return 1 if less is better, -1 if more is."""
        return 1 if self.better == "less" else -1


def _counted(
    name: str, unit: MetricUnit, definition: str, of: Callable[[Cost], int], heading: str = "", *, forward: bool = False
) -> Metric:
    """Return a metric that is a sum over layers."""
    return Metric(
        name,
        unit,
        definition,
        layer=lambda row: of(row.cost),
        network=lambda region: of(region.cost),
        forward=forward,
        titles=(name, heading or name.replace("_", " ")) if heading else None,
    )


def _held(name: str, definition: str, of: Callable[[LayerMemory], int], titles: tuple[str, str]) -> Metric:
    """Return a metric of a step, in bytes."""
    return Metric(
        name,
        "bytes",
        definition,
        layer=lambda row: of(row.load),
        network=lambda region: of(region.load),
        titles=titles,
    )


_ALL = (
    _counted("params", "elements", "Weights and biases.", lambda cost: cost.params),
    _counted(
        "weights",
        "elements",
        "Elements of weight tensors: kernels, matrices, the scales of normalisations.",
        lambda cost: cost.weights,
    ),
    _counted(
        "macs",
        "multiply-adds",
        "Multiply-adds of convolutions, transposed and locally connected ones, and of FC; biases do not count.",
        lambda cost: cost.macs,
        "multiply-adds",
        forward=True,
    ),
    _counted(
        "flops",
        "flops",
        "2 x `macs`, as `torch.utils.flop_counter.FlopCounterMode` counts.",
        lambda cost: cost.flops,
        forward=True,
    ),
    _counted(
        "operations",
        "operations",
        "Elementwise operations, which are not multiply-adds.",
        lambda cost: cost.operations,
        forward=True,
    ),
    _counted(
        "activations",
        "values",
        "Output values of all layers; the input does not count.",
        lambda cost: cost.activations,
        forward=True,
    ),
    Metric(
        "memory",
        "bytes",
        "The CS231n lectures' activation memory: 4 bytes for each value of the input and of every layer with a row in"
        " their table.",
        layer=lambda row: row.volume,
        network=lambda region: region.volume,
        forward=True,
        titles=("CS231n memory", "CS231n memory"),
    ),
    _held(
        "inference",
        "Peak memory at inference: the most bytes alive at once, while the layer or part runs.",
        lambda load: load.inference,
        ("peak at inference", "at inference"),
    ),
    _held(
        "saved",
        "Bytes that autograd saves for the backward pass.",
        lambda load: load.saved,
        ("saved for backward", "saved"),
    ),
    _held(
        "training",
        "Peak memory in training: the most bytes alive at once, while the layer or part runs.",
        lambda load: load.training,
        ("peak in training", "in training"),
    ),
    _counted(
        "biases",
        "elements",
        "Elements of bias tensors, including the shifts of normalisations.",
        lambda cost: cost.biases,
    ),
    _counted(
        "trainable",
        "elements",
        "The `params` that are not frozen, so that the optimizer changes them.",
        lambda cost: cost.trainable,
    ),
    _counted(
        "buffers",
        "elements",
        "Elements that the module holds but does not learn: running means and variances, fixed centres and filters, and"
        " the batch counter of each batch normalisation.",
        lambda cost: cost.buffers,
    ),
    _counted(
        "buffer_values",
        "elements",
        "`buffers` without the batch counters; published totals that contain buffers are `params` + `buffer_values`.",
        lambda cost: cost.buffer_values,
    ),
    Metric(
        "depth",
        "layers",
        "The most layers with weight matrices on any path from the input to an output.",
        "more",
        network=lambda region: region.depth,
    ),
    Metric(
        "receptive_field",
        "positions",
        "The positions of the input that a unit depends on, for each axis: for a layer with global operations, for a"
        " network or a part without.",
        "more",
        layer=lambda row: row.field.size if row.field else (),
        network=lambda region: region.receptive_field,
        titles=("receptive field", "field"),
        at_most=lambda row: row.field is not None and row.field.at_most,
        bounds=lambda region: region.receptive_field_at_most,
    ),
    Metric(
        "local",
        "positions",
        "The receptive field of a layer without global operations.",
        "more",
        layer=lambda row: row.field.local.size if row.field else (),
        at_most=lambda row: row.field is not None and row.field.local.at_most,
        titles=("local field", "local field"),
    ),
    Metric(
        "stride",
        "positions",
        "The distance on the input between the fields of neighbouring units, for each axis; 0 if all units see"
        " everything.",
        "",
        layer=lambda row: row.field.stride if row.field else (),
    ),
    Metric(
        "padding",
        "positions",
        "How far outside the input the field of the first unit begins, for each axis.",
        "",
        layer=lambda row: row.field.padding if row.field else (),
    ),
    Metric(
        "output",
        "extents",
        "The shape of the output: H, W, C.",
        "more",
        layer=lambda row: row.extents,
        network=lambda region: region.extents,
    ),
    Metric(
        "time",
        "seconds",
        "The least time of a forward pass on the GPU of `stats --gpu`.",
        layer=lambda row: row.time.seconds,
        titles=("least time", "least time"),
    ),
    Metric(
        "layers",
        "layers",
        "The number of layers in a row of a table.",
        "",
        layer=lambda row: row.layers,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""All metrics by name."""

BY_TITLE: Mapping[str, str] = {text: metric.name for metric in _ALL for text in (metric.title, metric.heading)}
"""The names of metrics by the headings of their columns."""

OF_NETWORKS: Mapping[str, Callable[[Region], MetricValue]] = {
    metric.name: metric.network for metric in _ALL if metric.network is not None
}
"""The functions that read a network's metrics, by name: those that may be asserted, compared and swept."""
