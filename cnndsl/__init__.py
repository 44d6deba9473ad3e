"""A small language for CNN architectures, and its compiler.

>>> import cnndsl
>>> net = cnndsl.loads("INPUT 28x28x1 -> [CONV3-32 -> RELU -> POOL2]*2 -> FC-10")
>>> net.stats().totals.params
25258

`load` returns the `Network` of a file or of a bundled network. It raises `CnnError` if the program is invalid, and
`FileError` if a file cannot be read or written.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""As `typing` has it, whose import would cost more than the rest of this file."""

if TYPE_CHECKING:
    from cnndsl.errors import CnnError, Diagnostic
    from cnndsl.files import FileError
    from cnndsl.network import Network, from_module, from_networkx, load, loads, sizes, sweep
    from cnndsl.resources import zoo
    from cnndsl.sweeping.sweep import space

__version__ = "0.2.0"
__all__ = [
    "CnnError",
    "Diagnostic",
    "FileError",
    "Network",
    "__version__",
    "from_module",
    "from_networkx",
    "load",
    "loads",
    "sizes",
    "space",
    "sweep",
    "zoo",
]

_HOMES = {
    "CnnError": "errors",
    "Diagnostic": "errors",
    "FileError": "files",
    "Network": "network",
    "from_module": "network",
    "from_networkx": "network",
    "load": "network",
    "loads": "network",
    "sizes": "network",
    "space": "sweeping.sweep",
    "sweep": "network",
    "zoo": "resources",
}


def __getattr__(name: str) -> object:
    """The public names, each imported when it is first used."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'cnndsl' has no attribute {name!r}")
    return getattr(import_module(f"cnndsl.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
