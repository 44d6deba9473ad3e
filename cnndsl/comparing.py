"""Compare networks from Python: `cnndsl.compare`."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from cnndsl.analysis.cards import card_of
from cnndsl.analysis.roofline import check_time
from cnndsl.catalogue import COMPARED, ON_CARD, NetworkRow, NetworkSelection, read_test
from cnndsl.finding import find
from cnndsl.network import Network, compiled, executions
from cnndsl.report.comparison import ComparisonSetup, NetworkComparison, compared_row, usual_columns
from cnndsl.report.memory import BatchSetup
from cnndsl.resources import Bundled

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from os import PathLike

    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer


def compare(
    *nets: Network | str | PathLike[str],
    columns: Sequence[str] | None = None,
    where: str = "",
    sort: str = "",
    pareto: Sequence[str] = (),
    batch: int = 1,
    dtype: Dtype = "fp32",
    optimizer: Optimizer = "sgd",
    device: Device | None = None,
    gpu: str | Card | None = None,
    training: bool = False,
) -> NetworkComparison:
    """Compare networks and return a row for each as plain data: `pandas.DataFrame(cnndsl.compare("vgg16", net))`.

    Args:
        nets: Networks, files, or names of bundled networks.
        columns: The keys of each row besides `name`: the metrics of docs/figures.md and the columns of `cnndsl zoo`;
            with `gpu` also `fits`, `largest_batch` and `time`, in seconds.
        where: A test that networks must pass, as for `--where`: `"params < 5M"`.
        sort: The column to sort by; `"-params"` for the largest first.
        pareto: Keep networks that no other beats in all of these columns.
        batch: The batch size for memory and time; all other metrics are for one image.
        dtype: The data type of values.
        optimizer: The optimizer, for memory in training.
        device: The device whose memory is counted; by default a CPU, or CUDA if `gpu` is given.
        gpu: The name of a card.
        training: Whether `fits` and `largest_batch` are for training instead of inference.

    Raises CnnError and FileError as `load` does, CnnError for an invalid test, KeyError for an unknown column and for a
    GPU column without `gpu`, ValueError for an unknown type, optimizer, device or card.

    >>> rows = compare("lenet5", "vgg16", "resnet50", columns=["params", "top1"], sort="-params")
    >>> rows[0], len(rows)
    ({'name': 'vgg16', 'params': 138357544, 'top1': 71.592}, 3)
    """
    card = card_of(gpu) if isinstance(gpu, str) else gpu
    step = BatchSetup(batch, dtype, optimizer, device or ("cuda" if card else "cpu"))
    step.check()
    if card is not None:
        check_time(card, batch, dtype)
    test, tested = read_test(where, COMPARED) if where else (None, frozenset[str]())
    goals = {name: COMPARED.goals[name] for name in pareto}
    asked = NetworkSelection(test, tested, goals, sort.removeprefix("-"), sort.startswith("-"))
    usual = usual_columns(asked.mentioned, has_card=card is not None, has_settings=False)
    shown = usual if columns is None else list(dict.fromkeys(("name", *columns)))
    known = [name for name in COMPARED.names if card is not None or name not in ON_CARD]
    for name in (*shown, *asked.mentioned):
        if name not in known:
            raise KeyError(name)
    setup = ComparisonSetup(step, card, training)
    rows = [_compared(net, setup, {*shown, *asked.mentioned}) for net in nets]
    return NetworkComparison(asked.of(rows), shown, setup)


def _compared(net: Network | str | PathLike[str], setup: ComparisonSetup, columns: Collection[str]) -> NetworkRow:
    """Return the row for a network, a file or a bundled network."""
    if isinstance(net, Network):
        return compared_row(net.name, net.graph, setup, columns, executions)
    source = find(fspath(net))
    graph = compiled(source, {}).graph
    return compared_row(fspath(net), graph, setup, columns, executions, is_bundled=isinstance(source, Bundled))
