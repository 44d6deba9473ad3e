"""Which arguments of operators may follow the size of what enters the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.fx import Node as FxNode


def may_follow(node: FxNode) -> bool:
    """Whether an operator has extents that could have been computed from those of its input.

    They are numbers in the program; running it on another size tells them from numbers of the code.
    """
    name = str(node.target)
    arguments: Any = node.args
    if name.startswith("aten.pad."):
        return True
    if name.startswith("aten.upsample"):
        return arguments[1] is not None
    if name.startswith(("aten.avg_pool", "aten.max_pool")):
        return list(arguments[1]) == [int(each) for each in arguments[0].meta["val"].shape[2:]]
    return name.startswith("aten.adaptive") and any(each != 1 for each in arguments[1])
