"""Labels that are more than a name: numbers, paths of a module in pieces, names in quotes, and the empty one."""

from __future__ import annotations

import random
import re

PIECES = ("convs", "bns", "ops")
"""Modules in pieces: no other label is called so."""
BLOCKS_LIKE_TYPES = ("Conv", "Mish", "Pool", "Bn", "Gap", "Half", "Type")
"""Names of blocks that layer types have in other letters, and two that PyTorch's modules have."""
WITHOUT_WEIGHTS = re.compile(
    r"(?:RELU6?|SIGMOID|TANH|GELU|SILU|HSWISH|SELU|MISH|LEAKYRELU|ELU|SOFTPLUS|TIMES|DROPOUT|DROPPATH|ID|SHUFFLE|POOL"
    r"|AVGPOOL)(?![A-Z])(?:(?! -> | if |: ).)*"
)
MOST = 16
"""So many turns a repeat has at most."""


def formed(dice: random.Random, name: str, mark: str, taken: set[str]) -> str:
    """Draws a label in place of a name: a number, a path, something in quotes; mostly the name itself.

    `mark` is what the label of a part in a repeat must hold, such as `{i}`; `taken` are the names of the module, to
    which the label is added.

    >>> dice = random.Random(2)
    >>> [formed(dice, "a", "", set()) for _ in range(8)]
    ['a', 'a', 'a', 'ops.1', 'a', 'a', 'a/3', 'a']
    """
    if dice.random() < 0.3:
        for _ in range(3):
            label = dice.choice((_in_quotes, _number, _path, _path))(dice, name, mark)
            claimed = _claimed(label, mark)
            if not claimed & taken:
                taken |= claimed
                return label
    taken.add(name + mark)
    return name + mark


def nameless(dice: random.Random, text: str) -> str:
    """Leaves a layer without weights out of the count, now and then.

    >>> nameless(random.Random(16), "RELU"), nameless(random.Random(16), "CONV3-8")
    ('"": RELU', 'CONV3-8')
    """
    return f'"": {text}' if dice.random() < 0.12 and WITHOUT_WEIGHTS.fullmatch(text) else text


def star_of(label: str) -> str:
    """Writes the star that stands for a label of a repeat in all turns; empty where there is none.

    >>> star_of("unit{i}"), star_of('"b-{i}"'), star_of("convs.c{i}"), star_of("{i}"), star_of("{i}x")
    ('unit*', '"b-"*', 'convs.c*', '', '')
    """
    found = re.fullmatch(r'("?)([A-Za-z][\w./-]*)\{\w+\}("?)', label)
    return f"{found[1]}{found[2]}{found[3]}*" if found else ""


def _claimed(label: str, mark: str) -> set[str]:
    """Lists the names that a label takes: of one that is a number with a hole, those of all turns."""
    bare = label.replace('"', "")
    before, _, after = bare.partition(mark) if mark else (bare, "", "")
    is_number = not after and re.fullmatch(r"(.*\.)?\d*", before) is not None
    return {bare, *(f"{before}{turn}" for turn in range(MOST))} if mark and is_number else {bare}


def _in_quotes(dice: random.Random, name: str, mark: str) -> str:
    number = str(dice.randint(0, 3))
    if mark:
        return dice.choice((f'"{name}-{mark}"', f'"{name}/{mark}"', f'"{mark}-{name}"', f'"{name}-{mark}-{number}"'))
    return dice.choice((f'"{name}-{number}"', f'"{name}/{number}"', f'"{number}-{name}"', f'"{name}"', f'"{number}"'))


def _number(dice: random.Random, name: str, mark: str) -> str:
    if mark:
        return dice.choice((mark, mark, f"1{mark}", f"{mark}{name}"))
    return str(dice.choice((0, 0, 1, 1, 2, 3, 5, 12)))


def _path(dice: random.Random, name: str, mark: str) -> str:
    """Draws the label of a part of a module in pieces, or of one in such a module."""
    module = dice.choice(PIECES)
    if dice.random() < 0.15:
        module = f"both.{module}"
    last = dice.choice((mark, f"{name}{mark}")) if mark else dice.choice((*"001123", name))
    return dice.choice(
        (f"{module}.{last}",) * 4 + (f'{module}."{last}"', f'"{module}.{last}"', f'{module}."{name}-{last}"')
    )
