"""Names that go from a program into Python: the only way in.

A label becomes part of a `state_dict` key, so one that Python or PyTorch cannot bear is refused. All other names
are changed where they clash, by an underscore behind them.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

from cnndsl.errors import CnnError, Diagnostic
from cnndsl.graph.labels import PLAIN, why_not

# What the emitted file itself uses, and the letters that look like digits.
USED = frozenset(
    """
    F Fraction NamedTuple Tensor Timer ValueError abs bool channels classmethod count crop_like device dict divisible
    enumerate f float int layers len list math max min model nn pad_like print range self str sum super tuple torch type
    x zip
    l O I
    """.split()
)


_OF_TUPLES = frozenset(("count", "index", "cls", "self", "Tensor"))
"""What a NamedTuple's class has already, or its text."""


_IN_FORWARD = frozenset(("self", "torch", "nn", "F", "Tensor"))
"""What a `forward` uses."""


def attribute(name: str) -> str:
    """A label as the name of a child, or as the path of one; a number stays one. Raises CnnError where it cannot be
    one."""
    why = next((found for each in name.split(".") if (found := why_not(each))), "")
    if why:
        raise CnnError(Diagnostic("E0106", f"`{name}` cannot be the name of a part: {why}", help="choose another name"))
    return name


def variable(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """A parameter's name, changed where Python or the emitted file has it already.

    >>> variable("c"), variable("lambda"), variable("x")
    ('c', 'lambda_', 'x_')
    """
    name = name if PLAIN.fullmatch(name) and not name.startswith("_") else f"v_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
    while keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in USED or name in taken:
        name += "_"
    return name


def numbered(wish: str, taken: Container[str]) -> str:
    """Return a name as it is wished for, numbered where it is taken.

    >>> numbered("skip", {"x"}), numbered("skip", {"skip", "skip2"})
    ('skip', 'skip3')
    """
    name, number = variable(wish), 1
    while name in taken:
        number += 1
        name = f"{variable(wish)}{number}"
    return name


def item_of(name: str, taken: set[str]) -> str:
    """Return a name for an item of a list.

    >>> item_of("widths", set()), item_of("widths", {"width"}), item_of("c", set()), item_of("class", set())
    ('width', 'w', 'c', 'class_')
    """
    single = name.removesuffix("s") if len(name) > 2 and not name.endswith("ss") else name
    return variable(next((each for each in (single, single[0]) if each not in taken), single), taken)


def word(name: str) -> str:
    """Return what a value can be called after a label or a path: empty where that is a number.

    >>> word("fuse-1/2"), word("layer1.conv"), word("features.3"), word("3")
    ('fuse_1_2', 'conv', 'features_3', '')
    """
    parts = name.replace('"', "").split(".")
    kept = parts[-2:] if parts[-1].isdigit() else parts[-1:]
    found = re.sub(r"\W", "_", "_".join(kept))
    return "" if found[:1].isdigit() else found


def field(name: str, taken: set[str]) -> str:
    """An output's name as the field of a NamedTuple: it stays what it is unless Python or a tuple refuses it.

    >>> field("x", set()), field("class", set()), field("count", set()), field("a", {"a"}), field("a-1", set())
    ('x', 'class_', 'count_', 'a_', 'a_1')
    >>> field("0", set())
    'output_0'
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", f"output_{name}" if name[0].isdigit() else name)
    if name.startswith("_") or keyword.iskeyword(name):
        return variable(name, taken)
    while name in taken or name in _OF_TUPLES:
        name += "_"
    return name


def argument(name: str, taken: frozenset[str] | set[str]) -> str:
    """An input's name as an argument of `forward`: it stays what it is unless Python or the text of a `forward` has it.

    >>> argument("x", set()), argument("lambda", set()), argument("self", set()), argument("a", {"a"})
    ('x', 'lambda_', 'self_', 'a_')
    """
    if name.startswith("_") or keyword.iskeyword(name):
        return variable(name, taken)
    while name in taken or name in _IN_FORWARD:
        name += "_"
    return name


def class_name(name: str, taken: set[str]) -> str:
    """A name for a class, in CamelCase unless it is capitalised already; numbered where it is taken.

    >>> class_name("dense_block", set()), class_name("Bottleneck", {"Bottleneck"}), class_name("in", set())
    ('DenseBlock', 'Bottleneck2', 'In')
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    base = (
        name if PLAIN.fullmatch(name) and name[0].isupper() else "".join(word[0].upper() + word[1:] for word in words)
    )
    if not base or base[0].isdigit():
        base = f"Net{base}"
    number, result = 1, base
    while result in taken or result in USED or keyword.iskeyword(result):
        number += 1
        result = f"{base}{number}"
    taken.add(result)
    return result


def comment(text: str) -> str:
    """A text that stays in its line, printable."""
    return "".join(char if char.isprintable() else " " for char in text)
