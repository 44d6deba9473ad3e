"""Find a network's code: `timm:resnet50d`, `torchvision:vgg16`, `package.module:function`, `nets/mine.py:Net`.

The code is run, as that is the only way to know the module it builds. Nothing is downloaded.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from cnndsl.errors import nearest
from cnndsl.files import FileError, is_file
from cnndsl.records import record
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch import nn

_TORCHVISION = ("torch", "pytorch", "hub", "torch.hub", "torchvision.models")
"""Aliases of torchvision in targets."""
_UNKNOWN_ARGUMENT = re.compile(r"^([\w.]+?)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'$")
LIBRARIES = ("timm", "torchvision")
"""Libraries whose networks are addressed by name."""


@record(slots=True)
class BuiltModule:
    """A module and the input shape that its library specifies; `shape` is None if it specifies none."""

    module: nn.Module
    shape: Shape | None
    target: str


def is_target(text: str) -> bool:
    """Return whether a text names code.

    >>> is_target("timm:resnet50d"), is_target("nets/mine.py:Net"), is_target("yolov4.cfg"), is_target("C:/a.cfg")
    (True, True, False, False)
    """
    home, colon, name = text.rpartition(":")
    return bool(colon) and len(home) > 1 and bool(name) and not set(name) & {"/", "\\"}


def arguments(texts: Sequence[str]) -> dict[str, object]:
    """Return the values of `--arg NAME=VALUE`: Python constants if they parse as such, otherwise strings.

    Raises FileError if a text has no name.

    >>> arguments(["num_classes=10", "act=relu", "depths=(3, 4)"])
    {'num_classes': 10, 'act': 'relu', 'depths': (3, 4)}
    """
    return dict(map(_argument, texts))


def _argument(text: str) -> tuple[str, object]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip().isidentifier():
        raise FileError(f"cannot read --arg {text}: it is written NAME=VALUE, as in --arg num_classes=10")
    try:
        return name.strip(), ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return name.strip(), value.strip()


def built(target: str, given: Mapping[str, object], with_weights: bool = False) -> BuiltModule:
    """Run the code that a target names, and return the module that it builds.

    Networks of timm and torchvision are built without storage for their weights if possible, unless `with_weights`
    is set.

    Raises:
        FileError: if there is no such code, if it raises, or if it does not return a `torch.nn.Module`.
    """
    home, _, name = target.rpartition(":")
    with _told(target), redirect_stdout(sys.stderr):
        if home in LIBRARIES:
            makers = {"timm": _of_timm, "torchvision": _of_torchvision}
            return BuiltModule(*makers[home](name, dict(given), with_weights), target)
        found = _found(_loaded(home), name, target)
        if not _is_module(found):
            _check_arguments(found, given, target)
        made: object = found if _is_module(found) else cast("Callable[..., object]", found)(**given)
        return BuiltModule(_required(made, target), None, target)


@contextmanager
def _told(target: str) -> Generator[None]:
    """Convert any exception of the code to a one-line error with the location where it was raised."""
    try:
        yield
    except FileError:
        raise
    except ModuleNotFoundError as stop:
        needed = stop.name if stop.name in ("torch", *LIBRARIES) else ""
        way = f"pip install {needed}" if needed else _elsewhere(target)
        raise FileError(f"cannot import {target}: there is no module {stop.name}; {way}") from None
    except SyntaxError as stop:
        place = f"{Path(stop.filename or target).name}, line {stop.lineno}"
        raise FileError(f"cannot import {target}: Python cannot read {place}: {stop.msg}") from None
    except (Exception, SystemExit) as stop:
        if unknown := _UNKNOWN_ARGUMENT.search(str(stop)):
            raise FileError(
                f"cannot import {target}: {unknown[1]} has no argument `{unknown[2]}`; --arg gave it"
            ) from None
        frames = traceback.extract_tb(stop.__traceback__)
        place = (
            f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames[-1].filename != __file__ else ""
        )
        told = " ".join(str(stop).split()) or "it gave no reason"
        raise FileError(f"cannot import {target}: {type(stop).__name__}: {told}{place}") from None


def _elsewhere(target: str) -> str:
    """Return a hint about where code that Python does not find may be."""
    home, _, name = target.rpartition(":")
    if home in _TORCHVISION:
        return f"write torchvision:{name}"
    return "Python looks for modules in the folder that you are in, and among the installed packages"


def _loaded(home: str) -> ModuleType:
    """Return the Python module that a target starts with: a file, or one that can be imported from here."""
    if not home.endswith(".py"):
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(home)
    if not is_file(home):
        raise FileError(f"cannot import {home}: there is no such file")
    path = Path(home).resolve()
    sys.path.insert(0, str(path.parent))
    plan = importlib.util.spec_from_file_location(path.stem, path)
    assert plan is not None
    assert plan.loader is not None
    made = importlib.util.module_from_spec(plan)
    sys.modules[path.stem] = made
    plan.loader.exec_module(made)
    return made


def _found(home: ModuleType, name: str, target: str) -> object:
    if not hasattr(home, name):
        hint = _elsewhere(target) if home.__name__ == "torch" else ""
        hint = hint or nearest(name, [each for each in dir(home) if not each.startswith("_")])
        raise FileError(f"cannot import {target}: there is no `{name}`{f'; {hint}' if hint else ''}")
    found: object = getattr(home, name)
    if not _is_module(found) and not callable(found):
        raise FileError(f"cannot import {target}: `{name}` is neither a class, a function nor a module")
    return found


def _check_arguments(found: object, given: Mapping[str, object], target: str) -> None:
    """Raise FileError for arguments that the code does not accept, and for required ones that are missing."""
    try:
        known = inspect.signature(cast("Callable[..., object]", found)).parameters
    except (TypeError, ValueError):
        return
    if any(each.kind is each.VAR_KEYWORD for each in known.values()):
        return
    for name in given.keys() - known.keys():
        hint = nearest(name, list(known)) or (f"it has {', '.join(known)}" if known else "it has none")
        raise FileError(f"cannot import {target}: the code has no argument `{name}`; {hint}")
    for name, each in known.items():
        if each.default is each.empty and each.kind is not each.VAR_POSITIONAL and name not in given:
            raise FileError(f"cannot import {target}: the code needs the argument `{name}`; add --arg {name}=VALUE")


def _is_module(made: object) -> bool:
    from torch import nn

    return isinstance(made, nn.Module)


def _required(made: object, target: str) -> nn.Module:
    if not _is_module(made):
        kind = type(made).__name__
        article = "an" if kind[0].lower() in "aeiou" else "a"
        raise FileError(f"cannot import {target}: it makes {article} {kind}, not a torch.nn.Module")
    return cast("nn.Module", made)


def _of_timm(name: str, given: dict[str, Any], with_weights: bool) -> tuple[nn.Module, Shape | None]:
    library: Any = importlib.import_module("timm")
    known: list[str] = library.list_models()
    if not library.is_model(name):
        raise FileError(
            f"cannot import timm:{name}: timm has no such model; {nearest(name, known) or 'see timm.list_models()'}"
        )
    module = _without_storage(lambda: library.create_model(name, **{"pretrained": False, **given}), with_weights)
    channels, *extents = module.pretrained_cfg["input_size"]
    return module, Shape(given.get("in_chans", channels), tuple(extents))


def _of_torchvision(name: str, given: dict[str, Any], with_weights: bool) -> tuple[nn.Module, Shape | None]:
    library: Any = importlib.import_module("torchvision.models")
    known: list[str] = library.list_models()
    if name not in known:
        hint = nearest(name, known) or "see torchvision.models.list_models()"
        raise FileError(f"cannot import torchvision:{name}: torchvision has no such model; {hint}")
    unloaded: dict[str, Any] = {"weights": None}
    if any(name in dir(part) for part in (library.segmentation, library.detection)):
        unloaded["weights_backbone"] = None
    module = _without_storage(lambda: library.get_model(name, **unloaded, **given), with_weights)
    return module, _enters(library.get_model_weights(name))


def _enters(weights: Any) -> Shape | None:
    """Return the input shape that torchvision's published weights were trained on, from their transforms."""
    published = next(iter(weights), None)
    if published is None:
        return None
    words: dict[str, Any] = getattr(published.transforms, "keywords", {})
    extents: object = words.get("crop_size") or words.get("resize_size")
    if extents is None:
        return None
    pair = (extents, extents) if isinstance(extents, int) else tuple(cast("Sequence[int]", extents))
    is_video = "Video" in getattr(published.transforms.func, "__name__", "")
    return Shape(3, (16, *pair) if is_video else pair)


def _without_storage(make: Callable[[], Any], with_weights: bool) -> Any:
    """Return the module on the meta device; a normal one if that fails or its values are needed."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about initial weights that are never used
        if not with_weights:
            try:
                with torch.device("meta"):
                    made = make()
                if not unsaved_buffers(made):
                    return made
            except (RuntimeError, NotImplementedError):  # arithmetic on the values of weights
                pass
        return make()


def unsaved_buffers(module: nn.Module) -> set[str]:
    """Return the buffers that are not in checkpoints, such as a blur filter: they are part of the architecture."""
    return {name for name, _ in module.named_buffers()} - set(module.state_dict(keep_vars=True))
