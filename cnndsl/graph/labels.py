"""Valid names for parts: a label becomes an attribute of the emitted module and a part of `state_dict` keys.

So a label that Python or PyTorch does not allow is rejected, not changed. This module does not know where labels occur.
"""

from __future__ import annotations

import keyword
import re
from functools import lru_cache

# dir() of nn.Module(), nn.Sequential(), nn.ModuleDict() and nn.ModuleList() of torch 2.13, without names that begin
# with two underscores. A label with such a name would replace an attribute that PyTorch itself uses.
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
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks
    _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs
    _get_abs_string_index _get_backward_hooks _get_backward_pre_hooks _get_item_by_idx _get_name
    _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks _load_state_dict_pre_hooks
    _maybe_warn_non_full_backward_hook _modules _named_members _non_persistent_buffers_set _parameters
    _register_load_state_dict_pre_hook _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict
    _slow_forward _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
    """.split()
)

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_QUOTES = re.compile(r"[A-Za-z0-9_/-]+")


@lru_cache(maxsize=4096)
def why_not(name: str) -> str:
    """Return the reason why a part cannot have a name; empty if it can.

    >>> why_not("conv1"), why_not("0"), why_not("block1-0"), why_not("forward")
    ('', '', '', "PyTorch's modules have an attribute of that name")
    """
    if not _IN_QUOTES.fullmatch(name):
        return "names are letters, digits and `_`, and in quotes `-` and `/`"
    if keyword.iskeyword(name):
        return "Python has a keyword of that name"
    if name.startswith("__"):
        return "names that begin with two underscores are Python's own"
    return "PyTorch's modules have an attribute of that name" if name in MODULE_ATTRIBUTES else ""
