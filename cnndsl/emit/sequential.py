"""The plan of a chain as code: inside a call of `nn.Sequential` where that is all, else module by module."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cnndsl.emit.layout import Call, Comprehension, Doc, Item, Text, flat
from cnndsl.emit.plan import Chain, ChainItem, ChildName, Condition, Element, Line, Loop, Statement, Suite

Local = Callable[[str], str]
"""Gives a new local variable."""


def body(chain: Chain, local: Local) -> list[Statement]:
    """The `__init__` of a class that is a chain."""
    items = arguments(chain)
    if items is not None:
        return [Line("", Call("super().__init__", items))]
    return [Line("", Call("super().__init__")), *statements(chain.items, "self", local)]


def assignment(element: Element, target: str, local: Local) -> list[Statement]:
    """`target = …` for a child."""
    inline = construction(element)
    if inline is not None:
        return [Line(f"{target} = ", inline, element.comment)]
    nested = element.nested
    assert nested is not None
    return [Line(f"{target} = ", Call("nn.Sequential"), element.comment), *statements(nested.items, target, local)]


def construction(element: Element) -> Doc | None:
    """A child as one expression; None where it takes several statements."""
    if element.nested is None:
        return element.doc
    items = arguments(element.nested)
    return None if items is None else Call("nn.Sequential", items)


def arguments(chain: Chain) -> tuple[Item, ...] | None:
    """The modules of a chain as arguments; None where they have names, or come by statements."""
    items: list[Item] = []
    for each in chain.items:
        item = _argument(each)
        if item is None:
            return None
        items.append(item)
    if len(items) < 3 and not any(len(flat(item.doc)) > 70 for item in items):
        return tuple(Item(item.doc, item.lead) for item in items)
    return tuple(items)


def _argument(item: ChainItem) -> Item | None:
    if isinstance(item, Element):
        doc = construction(item)
        return None if doc is None or item.name.text else Item(doc, comment=item.comment)
    if isinstance(item, Condition) or item.before or item.after or len(item.items) != 1:
        return None
    only = item.items[0]
    if not isinstance(only, Element) or only.name.text or (doc := construction(only)) is None:
        return None
    return Item(_comprehension(item, doc), "*", only.comment)


def _comprehension(loop: Loop, element: Doc) -> Comprehension:
    return Comprehension(_bare(element), f"for {loop.targets} in {flat(loop.iterable)}")


def _bare(doc: Doc) -> Doc:
    """The expression without comments inside."""
    if isinstance(doc, Call):
        return Call(doc.head, tuple(Item(_bare(item.doc), item.lead) for item in doc.items))
    return doc


def statements(items: Iterable[ChainItem], target: str, local: Local) -> list[Statement]:
    """The modules one by one, put into the `nn.Sequential` called `target`."""
    result: list[Statement] = []
    for item in items:
        if isinstance(item, Element):
            result += _put(item, target, local)
        elif isinstance(item, Condition):
            chosen = tuple(statements(item.items, target, local))
            result.append(Suite("if ", item.test, chosen, tuple(statements(item.otherwise, target, local))))
        else:
            result += _repeat(item, target, local)
    return result


def _repeat(loop: Loop, target: str, local: Local) -> list[Statement]:
    argument = _argument(loop)
    if argument is not None:
        extended = Call(f"{target}.extend", (Item(argument.doc),))
        return [Line("", extended, argument.comment)]
    before = [loop.before] if loop.before else []
    inside = statements(loop.items, target, local) + ([loop.after] if loop.after else [])
    return [*before, Suite(f"for {loop.targets} in ", loop.iterable, tuple(inside))]


def _put(element: Element, target: str, local: Local) -> list[Statement]:
    name = element.name
    doc = construction(element)
    is_attribute = bool(name.text) and not name.is_pattern and not name.text.isdigit()
    if is_attribute:
        return assignment(element, f"{target}.{name.text}", local)
    if doc is not None:
        return [Line("", _placed(target, name, doc), element.comment)]
    variable = local("layers")
    return [*assignment(element, variable, local), Line("", _placed(target, name, Text(variable)))]


def _placed(target: str, name: ChildName, doc: Doc) -> Call:
    if not name.text:
        return Call(f"{target}.append", (Item(doc),))
    return Call(f"{target}.add_module", (Item(Text(name.quoted)), Item(doc)))
