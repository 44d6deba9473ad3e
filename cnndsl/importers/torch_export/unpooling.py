"""Max poolings that return the indices of their maxima, and the unpooling that puts values back there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cnndsl.importers.torch_export.calls import OperatorCall
from cnndsl.importers.torch_export.steps import Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.views import View
from cnndsl.layers.base import LayerError
from cnndsl.layers.pool import MaxPool
from cnndsl.layers.resize import Unpool
from cnndsl.records import record


@record(slots=True)
class Switches:
    """The indices of a pooling's maxima, by the number of its step."""

    pool: int


def with_switches(trace: ProgramTrace, pooled: View) -> list[View | Switches | None]:
    """Return the output of a pooling and the indices of its maxima; None if the pooling has become something else."""
    is_pool = isinstance(trace.steps[pooled.at].op, MaxPool)
    return [pooled, Switches(pooled.at) if is_pool else None]


def _unpooled(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read an unpooling to the positions of a pooling's maxima: a map of the shape of the pooling's input."""
    x, switches = call.view("self"), call["indices"]
    if not isinstance(switches, Switches):
        raise Unsaid("its switches are not those of a max pooling, as they are")
    at, pool = trace.value(x), trace.steps[switches.pool]
    assert isinstance(pool.op, MaxPool)
    (entering,) = pool.inputs
    try:
        layer = Unpool(pool.op.kernel, pool.op.stride).referring(pool.op, trace.shape(entering))
    except LayerError as stop:
        raise Unsaid(stop.message) from None
    call.pass_over("output_size", "stride", "padding")
    there: Any = call.elsewhere("output_size")
    known = trace.elsewhere(entering)
    differs = there is not None and known is not None and tuple(int(size) for size in there) != known
    if tuple(call.extents[2:]) != trace.shape(entering).spatial or differs:
        raise Unsaid("its size is not that of the input of the pooling")
    return trace.whole(trace.layer(layer, [at, switches.pool]))


TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    "max_unpool2d": _unpooled,
    "max_unpool3d": _unpooled,
}
"""The function that reads each ATen operator, by name."""
