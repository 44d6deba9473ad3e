"""Traversals of the module IR."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.emit.torch.ir import (
    Build,
    ConditionalItem,
    CountedRange,
    Element,
    LoopItem,
    ModuleClass,
    SequentialBuild,
    SequentialItem,
)
from cnndsl.emit.torch.terms import Term, Var, substitute


def builds(module: Build | SequentialBuild) -> Iterator[Build]:
    """Yield every constructor call in a module, except those of other classes."""
    if isinstance(module, Build):
        yield module
    else:
        yield from _builds(module.items)


def form(module: Build | SequentialBuild) -> tuple[str | int, ...]:
    """Return the structure of a module, regardless of the arguments."""
    return tuple(each.callee if isinstance(each.callee, str) else id(each.callee) for each in builds(module))


def _builds(items: Sequence[SequentialItem]) -> Iterator[Build]:
    for item in items:
        if isinstance(item, Element):
            yield from builds(item.module)
        elif isinstance(item, ConditionalItem):
            yield from _builds((*item.items, *item.otherwise))
        else:
            yield from _builds(item.items)


def modules_of(cls: ModuleClass) -> Iterator[Build]:
    """Yield every constructor call in a class."""
    if cls.chain is not None:
        yield from builds(cls.chain)
    for child in cls.children:
        yield from builds(child.module)


def strides(build: Build) -> Iterator[Term]:
    """Yield the strides in a constructor call: those of a layer, or the arguments of a class that are strides of layers
    in it. Classes inside that class are ignored."""
    if isinstance(build.callee, str):
        yield from _strides_of(build)
        return
    layers = (each for each in modules_of(build.callee) if isinstance(each.callee, str))
    inner = {term.name for each in layers for term in _strides_of(each) if isinstance(term, Var)}
    for at, argument in enumerate(build.arguments):
        if (argument.keyword or build.callee.parameters[at].name) in inner:
            yield argument.term


def _strides_of(layer: Build) -> Iterator[Term]:
    return (argument.term for argument in layer.arguments if argument.keyword == "stride")


def leaving_of(build: Build) -> tuple[Term | None, ...]:
    """Return the channels of each result of an instance of a class of the file; an empty tuple for other modules."""
    if isinstance(build.callee, str):
        return ()
    given = {each.name: each.default for each in build.callee.parameters if each.default is not None}
    for parameter, argument in zip(build.callee.parameters, build.arguments, strict=False):
        given[argument.keyword or parameter.name] = argument.term
    return tuple(None if term is None else substitute(term, given) for term in build.callee.leaving)


def terms_of(cls: ModuleClass) -> Iterator[Term]:
    """Yield every term in the constructor of a class."""
    for flag in cls.flags:
        yield flag.test
    for child in cls.children:
        if child.test is not None:
            yield child.test
    for build in modules_of(cls):
        yield from (argument.term for argument in build.arguments)
    if cls.chain is not None:
        yield from _terms(cls.chain.items)
    for child in cls.children:
        if isinstance(child.module, SequentialBuild):
            yield from _terms(child.module.items)


def _terms(items: Sequence[SequentialItem]) -> Iterator[Term]:
    """Yield the terms of items that are not arguments of modules."""
    for item in items:
        if isinstance(item, ConditionalItem):
            yield item.test
            yield from _terms((*item.items, *item.otherwise))
        elif isinstance(item, LoopItem):
            yield from (each.term for each in (item.before, item.after) if each is not None)
            if isinstance(item.over, CountedRange):
                yield from (item.over.start, item.over.stop)
            else:
                yield from (cell for row in item.over.rows for cell in row)
            yield from _terms(item.items)
        elif isinstance(item.module, SequentialBuild):
            yield from _terms(item.module.items)


def in_order(cls: ModuleClass) -> list[ModuleClass]:
    """Return a class and all that it uses, each after those that it uses."""
    seen: dict[int, ModuleClass] = {}

    def visit(each: ModuleClass) -> None:
        if id(each) in seen:
            return
        seen[id(each)] = each
        for build in modules_of(each):
            if isinstance(build.callee, ModuleClass):
                visit(build.callee)
        order.append(each)

    order: list[ModuleClass] = []
    visit(cls)
    return order
