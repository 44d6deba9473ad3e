"""Names that go from a program into Python: the only way in.

A label becomes part of a `state_dict` key, so one that Python or PyTorch cannot bear is refused. All other names
are changed where they clash, by an underscore behind them.
"""

from __future__ import annotations

import keyword
import re

from cnndsl.errors import CnnError, Diagnostic

# dir(nn.Module()), dir(nn.Sequential()) and dir(nn.ModuleDict()) without what starts with an underscore, of torch 2.13.
# A label of that name would shadow what PyTorch itself calls.
MODULE_ATTRIBUTES = frozenset(
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile cpu cuda double
    dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half
    insert ipu items keys load_state_dict modules mtia named_buffers named_children named_modules named_parameters
    parameters pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train
    training type update values xpu zero_grad
    """.split()
)

# What the emitted file itself uses.
USED = frozenset(
    """
    Tensor Timer bool count dict device divisible enumerate f float int len list max min abs model nn print range self
    str sum super tuple torch type x zip channels layers classmethod
    """.split()
)

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_plain(name: str) -> bool:
    """An ASCII identifier that is no keyword and has no double underscore in front."""
    return bool(_PLAIN.fullmatch(name)) and not keyword.iskeyword(name) and not name.startswith("__")


def attribute(name: str) -> str:
    """A label as the attribute that it becomes; a number stays one. Raises CnnError where it cannot be one."""
    if name.isascii() and name.isdigit():
        return name
    if is_plain(name) and name not in MODULE_ATTRIBUTES:
        return name
    why = (
        "PyTorch's modules have an attribute of that name"
        if name in MODULE_ATTRIBUTES
        else "Python cannot call a thing so"
    )
    raise CnnError(Diagnostic("E0501", f"`{name}` cannot be the name of a module: {why}", help="call it differently"))


def variable(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """A parameter's name, changed where Python or the emitted file has it already.

    >>> variable("c"), variable("lambda"), variable("x")
    ('c', 'lambda_', 'x_')
    """
    name = name if _PLAIN.fullmatch(name) and not name.startswith("__") else f"v_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
    while keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in USED or name in taken:
        name += "_"
    return name


def class_name(name: str, taken: set[str]) -> str:
    """A name for a class, in CamelCase unless it is capitalised already; numbered where it is taken.

    >>> class_name("dense_block", set()), class_name("Bottleneck", {"Bottleneck"}), class_name("in", set())
    ('DenseBlock', 'Bottleneck2', 'In')
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    base = (
        name if _PLAIN.fullmatch(name) and name[0].isupper() else "".join(word[0].upper() + word[1:] for word in words)
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
