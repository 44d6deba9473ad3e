"""Names from a program in Python: every name passes through here.

A label becomes part of a `state_dict` key, so one that Python or PyTorch does not accept is rejected. All other names
get a trailing underscore if they clash.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

from cnndsl.errors import CnnError, Diagnostic
from cnndsl.graph.labels import PLAIN, why_not

# Names that the emitted file itself uses, and letters that look like digits.
USED = frozenset(
    """
    F Fraction NamedTuple Tensor Timer ValueError abs bool channels classmethod count crop_like device dict divisible
    enumerate f float int layers len list math max min model nn pad_like print range self str sum super tuple torch type
    x zip
    l O I
    """.split()
)


_OF_TUPLES = frozenset(("count", "index", "cls", "self", "Tensor"))
"""Names that a NamedTuple's class or its source uses already."""


_IN_FORWARD = frozenset(("self", "torch", "nn", "F", "Tensor"))
"""Names that a `forward` uses."""


def attribute(name: str) -> str:
    """Return a label as the name or path of a child; a number stays one. Raises CnnError for an invalid name."""
    why = next((found for each in name.split(".") if (found := why_not(each))), "")
    if why:
        raise CnnError(Diagnostic("E0106", f"`{name}` cannot be the name of a part: {why}", help="choose another name"))
    return name


def variable(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """Return a parameter's name, changed if Python or the emitted file uses it already.

    >>> variable("c"), variable("lambda"), variable("x")
    ('c', 'lambda_', 'x_')
    """
    name = name if PLAIN.fullmatch(name) and not name.startswith("_") else f"v_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
    while keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in USED or name in taken:
        name += "_"
    return name


def numbered(wish: str, taken: Container[str]) -> str:
    """Return the preferred name, with a number if it is taken.

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
    """Return the name for a value after a label or a path: empty if that is a number.

    >>> word("fuse-1/2"), word("layer1.conv"), word("features.3"), word("3")
    ('fuse_1_2', 'conv', 'features_3', '')
    """
    parts = name.replace('"', "").split(".")
    kept = parts[-2:] if parts[-1].isdigit() else parts[-1:]
    found = re.sub(r"\W", "_", "_".join(kept))
    return "" if found[:1].isdigit() else found


def field(name: str, taken: set[str]) -> str:
    """Return an output's name as the field of a NamedTuple, unchanged unless it is invalid in Python or a tuple.

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
    """Return an input's name as an argument of `forward`, unchanged unless Python or a `forward` uses it.

    >>> argument("x", set()), argument("lambda", set()), argument("self", set()), argument("a", {"a"})
    ('x', 'lambda_', 'self_', 'a_')
    """
    if name.startswith("_") or keyword.iskeyword(name):
        return variable(name, taken)
    while name in taken or name in _IN_FORWARD:
        name += "_"
    return name


def class_name(name: str, taken: set[str]) -> str:
    """Return a name for a class, in CamelCase unless it is capitalised already; with a number if it is taken.

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
    """Return a text as a printable single line."""
    return "".join(char if char.isprintable() else " " for char in text)
