"""The minimum time of a layer, and of several; `roofline` computes it."""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.records import record


@record(slots=True)
class LayerTime:
    """Seconds of a layer, or of several: the time of those that are bound by `arithmetic`, and of those that are bound
    by `bandwidth`."""

    arithmetic: float = 0.0
    bandwidth: float = 0.0

    @property
    def seconds(self) -> float:
        """Return the total time."""
        return self.arithmetic + self.bandwidth

    @property
    def bound(self) -> str:
        """Return what bounds the layer, or most of the time of several; empty if there is nothing to compute."""
        if not self.seconds:
            return ""
        return "arithmetic" if self.arithmetic > self.bandwidth else "bandwidth"


def total_time(times: Iterable[LayerTime]) -> LayerTime:
    """Return the sum over several layers.

    >>> total_time([LayerTime(arithmetic=3.0), LayerTime(bandwidth=1.0), LayerTime(bandwidth=1.0)])
    LayerTime(arithmetic=3.0, bandwidth=2.0)
    """
    each = list(times)
    return LayerTime(sum(time.arithmetic for time in each), sum(time.bandwidth for time in each))
