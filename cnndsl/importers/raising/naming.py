"""Name blocks after what they consist of, and order them: each block comes after the blocks that it calls."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from cnndsl.importers.raising.terms import (
    CallTerm,
    ChoiceTerm,
    LayerTerm,
    MergeTerm,
    RaisedTerm,
    TermBlock,
    TermChain,
    TermProgram,
)
from cnndsl.importers.raising.walks import inner, with_parts

_CONTAINERS = frozenset(("Sequential", "ModuleList", "ModuleDict", "SequentialAppend", "SequentialAppendList"))
"""Class names that do not describe what a module contains."""
_LISTS = frozenset(("features", "blocks", "layers", "stages", "body", "model", "trunk"))
"""Names of lists of stages."""


def titles(paths: Mapping[str, Sequence[str]], classes: Mapping[str, str]) -> dict[str, str]:
    """Return a title for each block: the class of its modules, or a word from their paths.

    >>> lists = {"fuse_layers.0": "Sequential", "fuse_layers.1": "Sequential"}
    >>> titles({"B1": ["a.down1", "a.down2"], "B2": [*lists]}, lists)
    {'B1': 'Down', 'B2': 'FuseLayer'}
    """
    found: dict[str, str] = {}
    for block, several in paths.items():
        classed = Counter(classes[each] for each in several if classes.get(each, "Sequential") not in _CONTAINERS)
        called = Counter(filter(None, (_called_after(each, each in classes) for each in several)))
        for counted, least in ((classed, 1), (called, len(several) // 2 + 1)):
            title, often = (counted.most_common(1) or [("", 0)])[0]
            if often >= least and block not in found:
                found[block] = title
    return found


def _called_after(path: str, is_container: bool) -> str:
    """Return the label of a module as a title; for a container in a list, the label of the list."""
    names = [each for each in path.split(".") if not each.isdigit()]
    is_listed = path.rpartition(".")[2].isdigit()
    if not names or not names[-1].isascii() or (is_listed and not is_container):
        return ""
    if is_listed and names[-1] in _LISTS:
        return "Stage"
    words = re.findall("[a-zA-Z]+", _single(names[-1]) if is_listed else names[-1])
    title = "".join(word.capitalize() for word in words)
    return "" if len(title) < _SHORTEST or title in _RESERVED else title


_RESERVED = frozenset((*keyword.kwlist, "Input"))
"""Names that no block can have."""
_SHORTEST = 3
"""The minimum length of a title: `C` and `H` already mean the channels and the height."""


def _single(name: str) -> str:
    """Return the singular of a name."""
    return re.sub(r"(?<=ch|sh|ss)es$|(?<=x)es$|(?<=[^s])s$", "", name)


def titled(program: TermProgram, titles: Mapping[str, str] | None = None) -> TermProgram:
    """Return the program with its blocks ordered and named: by the given titles, or else by other names."""
    ordered = _ordered(program.blocks)
    names: dict[str, str] = {}
    for block in ordered:
        title = (titles or {}).get(block.name) or _title(block.body)
        names[block.name] = _free(title, set(names.values()))
    blocks = tuple([TermBlock(names[each.name], each.parameters, _called(each.body, names)) for each in ordered])
    return TermProgram(tuple([(node, _called(chain, names)) for node, chain in program.chains]), blocks)


def _ordered(blocks: tuple[TermBlock, ...]) -> list[TermBlock]:
    waiting, found = {each.name: each for each in blocks}, dict[str, TermBlock]()
    while waiting:
        for name, block in list(waiting.items()):
            if all(each in found for each in _calls(block.body)):
                found[name] = waiting.pop(name)
    return list(found.values())


def _calls(chain: TermChain) -> set[str]:
    return {step.term.block for step in inner(chain) if isinstance(step.term, CallTerm)}


def _title(body: TermChain) -> str:
    """Return a name for a block: after the merge that it ends with, or its first layer."""
    merges = [step.term for step in body if isinstance(step.term, MergeTerm)]
    if not merges:
        leaf = next((step.term for step in body if isinstance(step.term, LayerTerm)), None)
        return "Unit" if leaf is None else _OF_LAYERS.get(leaf.kind.ROLE, "Unit")
    last = merges[-1]
    is_skip = any(map(_is_untouched, last.branches)) or last.is_optional
    if last.operator == "+":
        return "Residual" if is_skip else "Sum"
    if last.operator == "|":
        return "Dense" if is_skip else "Branches"
    return "Gated"


def _is_untouched(branch: TermChain) -> bool:
    term = branch[0].term if branch else None
    return term is None or (isinstance(term, ChoiceTerm) and not term.body)


_OF_LAYERS = {"convolution": "Conv", "pooling": "Stage", "dense": "Dense"}


def _free(title: str, taken: set[str]) -> str:
    number, name = 2, title
    while name in taken:
        name, number = f"{title}{number}", number + 1
    return name


def _called(chain: TermChain, names: Mapping[str, str]) -> TermChain:
    return tuple([step.over(_renamed(step.term, names)) for step in chain])


def _renamed(term: RaisedTerm, names: Mapping[str, str]) -> RaisedTerm:
    if isinstance(term, CallTerm):
        return CallTerm(names[term.block], term.arguments)
    return with_parts(term, lambda chain: _called(chain, names))
