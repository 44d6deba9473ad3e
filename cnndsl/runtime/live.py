"""Run the emitted source: a network as a live `torch.nn.Module`.

This runs exactly the text that `source` writes, so that tests cover the code that users get. The text becomes a Python
module, registered in `sys.modules` and `linecache`, where pickling, TorchScript and tracebacks find it. The network
was emitted from a checked graph, and every name and string in it went through `names`.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from cnndsl.emit.torch.source import class_of_network
from cnndsl.emit.torch.verified import verified_source
from cnndsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn


def module(graph: Graph) -> nn.Module:
    """Return the network with freshly initialised weights, in training mode, on the default device of torch.

    Raises CnnError if the graph has a label that PyTorch does not accept, ImportError if torch is not installed,
    MiscompiledError if the text differs from the graph.
    """
    text = verified_source(graph)
    namespace = vars(_module(text))
    network: nn.Module = namespace[class_of_network(text)]()
    return network


def _module(text: str) -> ModuleType:
    """Return the text as an imported module; the same text is imported only once."""
    name = f"cnndsl_emitted_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    found = sys.modules.get(name)
    if found is not None:
        return found
    made = ModuleType(name)
    file = f"<{name}>"
    made.__file__ = file
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name] = made
    try:
        exec(compile(text, file, "exec", dont_inherit=True), made.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return made
