"""The names that a program defines and uses, statement by statement and in blocks.

A name in a block refers to the block's parameters and values first, then to the file. A variable of a `for` counts as a
use of the same name outside: a name is treated as used unless it is certain that it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from cnndsl.errors import CnnError, Source
from cnndsl.expressions import Name, Path, ReferenceExpr
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.syntax.words import name_and_size


@lru_cache(maxsize=8)
def tree(source: Source) -> ast.File | None:
    """Parse a source again and return its tree; None if it is not a program, as for a graph from networkx."""
    try:
        return parse(source)
    except CnnError:
        return None


def used_names(nodes: Iterable[ast.SyntaxNode]) -> Iterator[str]:
    """Yield the names that parts of a program mention: of values, of layer types and blocks, of outputs."""
    for node in ast.walk(nodes):
        if isinstance(node, Name):
            yield node.name
        elif isinstance(node, Path):
            yield node.names[0]
        elif isinstance(node, ReferenceExpr):
            yield _first(node.span.text)
        elif isinstance(node, ast.Ref | ast.Again):
            yield _first(str(node.name[0]))
        elif isinstance(node, ast.WrittenLayer):
            yield node.head
            yield name_and_size(node.head)[0]
        elif isinstance(node, ast.Optional) and node.name:
            yield node.name


def _first(path: str) -> str:
    return path.removeprefix("@").partition(".")[0]


def names_in_block(block: ast.Block) -> set[str]:
    """Return the names that a block uses: in its chain, its values and the defaults of its parameters."""
    return set(used_names([*(block.parameters or ()), *block.lets, block.body]))


def names_outside(file: ast.File) -> set[str]:
    """Return the names of the file that it uses; in blocks, only those that the block itself does not define."""
    found: set[str] = set()
    for statement in file.statements:
        if isinstance(statement, ast.Block):
            found |= names_in_block(statement) - {
                each.name for each in (*(statement.parameters or ()), *statement.values)
            }
        else:
            found.update(used_names([statement]))
    return found
