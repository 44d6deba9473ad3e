"""Find programs: files by path, bundled networks by name, and the files that `use` names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cnndsl import files, resources
from cnndsl.errors import Source, closest, did_you_mean

_NAME_ALONE = "write the name alone: only this file's folder and the bundled networks are searched"


_FOREIGN = {
    ".py": "Python; `cnndsl import {name}:CLASS --input 224x224x3` makes a program of the module that it defines",
    ".prototxt": "Caffe's; `cnndsl import {name} -o {stem}.cnn` makes a program of it",
    ".cfg": "Darknet's; `cnndsl import {name} -o {stem}.cnn` makes a program of it",
    ".onnx": "ONNX's; `cnndsl import {name} -o {stem}.cnn` makes a program of it",
    **dict.fromkeys(
        (".pt", ".pth", ".bin", ".safetensors"),
        "of weights; `cnndsl import` reads the code that makes the network, and `cnndsl compile --weights` compares",
    ),
}
"""Files of other tools by suffix: their type, and the command that reads them."""


def find(name: str) -> Source:
    """Return the program in a file, or the bundled network if no such file exists. Raises FileError for neither."""
    if files.exists(name) or (bundled := resources.architecture(name)) is None:
        try:
            return read(name)
        except files.FileError as stop:
            if "\0" in name or files.exists(name) or ";" in str(stop):
                raise
            hint = resources.similar(name) or "`cnndsl zoo` lists the bundled networks"
            raise files.FileError(f"{stop}; {hint}") from None
    return bundled


def read(name: str) -> Source:
    """Return the program in a file. Raises FileError with a suggestion: the file that was probably meant, the files of
    a folder, or the command that reads the file of another tool."""
    path = Path(name)
    if "\0" not in name and files.exists(name) and path.is_dir():
        programs = sorted(each.name for each in path.iterdir() if each.suffix == resources.SUFFIX)
        hint = f"; its programs are {path / '*.cnn'}" if programs else ""
        raise files.FileError(f"cannot read {name}: it is a folder{hint}")
    if files.is_file(name) and (foreign := _FOREIGN.get(path.suffix.lower())):
        told = foreign.format(name=name, stem=path.stem)
        raise files.FileError(f"cannot read {name}: the file is {told}")
    if "\0" not in name and not files.exists(name) and (hint := _near(path)):
        raise files.FileError(f"cannot read {name}: there is no such file; {hint}")
    return files.read(name)


def _near(path: Path) -> str:
    """Return a hint for a missing file: a program with a similar name in its folder; empty if there is none."""
    if set(path.name) & set("*?["):
        return "no name matches this pattern"
    beside: list[str] = []
    with suppress(OSError):
        beside = [each.name for each in path.parent.iterdir() if each.suffix == resources.SUFFIX]
    stem = path.name.removesuffix(resources.SUFFIX)
    close = closest(stem, [each.removesuffix(resources.SUFFIX) for each in beside])
    return f"did you mean {path.with_name(f'{close}{resources.SUFFIX}')}?" if close else ""


def used(name: str, user: Source) -> Source | str:
    """Return the file that `use` names, next to the using file or else in the zoo; a hint if there is none.

    Only plain names are looked up, and links that lead out of the folder are ignored. Raises FileError if the file
    cannot be read.
    """
    if any(char in "/\\:" for char in name):
        return _NAME_ALONE
    if not name or name.startswith(".") or "\0" in name:
        return _similar(name, user)
    home = Path(user.name)
    if not isinstance(user, resources.Bundled) and files.is_file(home):
        beside = home.with_name(name)
        if files.is_file(beside) and _is_listed(beside) and beside.resolve().parent == home.parent.resolve():
            return files.read(str(beside))
    return resources.architecture(name) or _similar(name, user)


def _is_listed(file: Path) -> bool:
    """Return whether a folder lists a file under exactly this name. Some systems also open it under others, in another
    case or with a dot or space after it, but a program must find the same files everywhere."""
    from unicodedata import normalize

    try:
        return normalize("NFC", file.name) in {normalize("NFC", each.name) for each in file.parent.iterdir()}
    except OSError:
        return True


def _similar(path: str, user: Source) -> str:
    """Return a hint for a missing file: the one with the most similar name, next to the user or in the zoo."""
    beside: list[str] = []
    home, suffix = Path(user.name), resources.SUFFIX
    with suppress(OSError):
        if files.is_file(home):
            beside = [each.stem for each in home.parent.iterdir() if each.suffix == suffix]
    close = closest(path.removesuffix(suffix), [*beside, *resources.zoo()])
    return did_you_mean(f"{close}{suffix}") if close else ""
