"""The origin of an operator: the module in which it ran, and the line of code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch.fx import Node as FxNode

_FRAME = re.compile(r'File "(?P<file>.*)", line (?P<line>\d+), in \S+\n    (?P<code>.*)')
_LIBRARY = re.compile(r"[/\\]torch[/\\]|^<")


def module_of(node: FxNode) -> tuple[str, str]:
    """Return the path of the innermost module in which an operator ran, and a key of this call of the module."""
    stack = cast("Mapping[str, tuple[str, object]]", node.meta.get("nn_module_stack") or {})
    if not stack:
        return "", ""
    key, (path, _) = list(stack.items())[-1]
    return path.split("@")[0], key


def calls_around(node: FxNode) -> list[tuple[str, str]]:
    """Return the path of each module in which an operator ran, outermost first, with a key of this call of it."""
    stack = cast("Mapping[str, tuple[str, object]]", node.meta.get("nn_module_stack") or {})
    return [(name, key) for key, (path, _) in stack.items() if (name := path.split("@")[0])]


def line_of(node: FxNode) -> str:
    """Return the line of code that an operator comes from, `net.py:12: x = …`: the line in a `forward` outside torch.

    torch does not record lines of the functions that `forward` calls.
    """
    frames = list(_FRAME.finditer(str(node.meta.get("stack_trace") or "")))
    if not frames:
        return ""
    outside = [each for each in frames if not _LIBRARY.search(each["file"])]
    frame = (outside or frames)[-1]
    file = re.split(r"[/\\]", frame["file"])[-1]
    return f"{file}:{frame['line']}: {frame['code'].strip()}"
