"""Max poolings that give the places of their maxima, and what puts values back there."""

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
    """The places of the largest values of a pooling, by the number of its step."""

    pool: int


def with_switches(trace: ProgramTrace, pooled: View) -> list[View | Switches | None]:
    """Return what a pooling gives, and the places of its maxima; None where it has become something else."""
    is_pool = isinstance(trace.steps[pooled.at].op, MaxPool)
    return [pooled, Switches(pooled.at) if is_pool else None]


def _unpooled(trace: ProgramTrace, call: OperatorCall) -> View:
    """To where the maxima of a pooling came from: a map of the extents of its input."""
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
"""By name each operator of ATen with what reads it."""
