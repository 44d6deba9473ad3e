"""Check blocks that nothing calls, as far as possible without their input shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.elaborate.program import Find, definitions
from cnndsl.elaborate.state import Definition, Environment, ModuleScope, TooManyError
from cnndsl.errors import Diagnostic
from cnndsl.syntax import ast
from cnndsl.values import Unknown, Value

_KNOWN = (
    *("E0201", "E0202", "E0204", "E0206", "E0221", "E0222", "E0223", "E0224", "E0225", "E0226", "E0227", "E0231"),
    *("E0240", "E0242", "E0244"),
)
"""Codes of errors that do not depend on where a block is called."""


def wrong_in_uncalled_blocks(
    file: ast.File, blocks: Sequence[ast.Block], settings: Mapping[str, Value], find: Find
) -> list[Diagnostic]:
    """Return the errors in blocks of a file that occur for any arguments and inputs."""
    walker, home, _ = definitions(file, settings, find)
    state = walker.state
    state.errors.clear()
    try:
        for block in blocks:
            definition = home.blocks.get(block.name)
            if definition is not None and definition.block is block:
                walker.chain(block.body, None, _inside(definition))
    except TooManyError:
        pass
    return [each for each in state.errors if each.code in _KNOWN]


def _inside(block: Definition) -> Environment:
    """Return the scope inside a block whose call is unknown."""
    own = [each.name for each in (*(block.block.parameters or ()), *block.block.values)]
    values = {**block.home.values, **dict.fromkeys(("C", "H", "W", "D", *own), Unknown())}
    return Environment(
        values, block.home, block.defaults, ModuleScope(body=block.block.body.items), True, (block.block,)
    )
