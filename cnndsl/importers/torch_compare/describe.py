"""Describe a value in words."""

from __future__ import annotations

from cnndsl.importers.torch_compare.table import ValueTable

_SIGNS = {"+": "a sum", "*": "a product", "cat": "a concatenation", "maximum": "a maximum", "minimum": "a minimum"}


def described(table: ValueTable, number: int) -> str:
    """Describe a value: its operator, with the names of its weights.

    >>> table = ValueTable()
    >>> weight = table.made("state", [], (8, 3, 3, 3), name="stem.weight")
    >>> described(table, table.made("conv", [table.made("input", [], (2, 3, 8, 8)), weight], (2, 8, 6, 6)).value)
    'conv with stem.weight'
    """
    value = table.values[number]
    if value.operator == "state":
        return str(dict(value.attributes)["name"])
    if value.operator == "input":
        return f"input {dict(value.attributes)['number']}"
    if value.operator == "clamp":
        low, high = (dict(value.attributes)[name] for name in ("low", "high"))
        return "relu" if (low, high) == (0.0, None) else f"a clamp to {low} and {high}"
    names = [table.values[each.value] for each in value.operands]
    weights = [str(dict(each.attributes)["name"]) for each in names if each.operator == "state"]
    what = _SIGNS.get(value.operator, value.operator)
    return f"{what} with {weights[0]}" if weights else what
