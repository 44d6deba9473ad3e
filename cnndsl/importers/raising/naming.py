"""Names of blocks, by what they are made of, and their order: each stands behind those that it calls."""

from __future__ import annotations

from collections.abc import Mapping

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


def titled(program: TermProgram, titles: Mapping[str, str] | None = None) -> TermProgram:
    """Return the program with its blocks in order and with names: the titles that blocks have, or others."""
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
    """A word for a block: by the merge that it ends with, or its first layer."""
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
