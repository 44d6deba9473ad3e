"""The types of the arguments and results of a `forward`."""

from __future__ import annotations

from cnndsl.emit.torch.ir import Forward, what_of


def returned(forward: Forward, record_name: str) -> str:
    """Return the return annotation of a `forward`; `record_name` is the NamedTuple of the network itself."""
    if record_name:
        return f"Tensor | {record_name}" if is_plain_in_evaluation(forward) else record_name
    types = [f"{type_of(forward, value)}{' | None' * (value in forward.training)}" for value in forward.results]
    return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def type_of(forward: Forward, value: int) -> str:
    """Return the type of a value: a tensor, or the size of one."""
    keys = [each for each in forward.values[value].keys if each is not None]
    return "torch.Size" if keys and what_of(keys[0]) == "size" else "Tensor"


def is_plain_in_evaluation(forward: Forward) -> bool:
    """Return whether all results but one exist in training only."""
    return len(forward.results) - len(forward.training) == 1
