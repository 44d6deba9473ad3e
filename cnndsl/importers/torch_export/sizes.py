"""Find the arguments of operators that may depend on the size of the network's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.fx import Node as FxNode


def may_follow(node: FxNode) -> bool:
    """Return whether an operator has sizes as arguments that could have been computed from its input's.

    The program contains only numbers; a run on another size tells computed sizes from constants of the code.
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
