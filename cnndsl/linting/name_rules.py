"""Rules that read the source: names that are unused or hide others, uncalled blocks, a repeat in place of a width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.analysis.findings import Finding
from cnndsl.elaborate.parameters import name_of
from cnndsl.elaborate.survey import choices
from cnndsl.elaborate.uncalled import wrong_in_uncalled_blocks
from cnndsl.errors import Edit, Fix, Source, Span, replacement
from cnndsl.expressions import Literal, Name
from cnndsl.finding import used
from cnndsl.graph import ChoicePart, Graph, Part, nodes_of, walk
from cnndsl.layers import find
from cnndsl.linting.usage import names_in_block, names_outside, tree, used_names
from cnndsl.syntax import ast
from cnndsl.syntax.edits import code
from cnndsl.syntax.words import name_and_size

_EXTENTS = {"C": "the number of channels", "H": "the height", "W": "the width"}


def unused(graph: Graph) -> Iterator[Finding]:
    """What is defined is used: a `let`, block, parameter or `default`, and a label that is only a second name.

    A label of a layer, a part or a chain is the name of a module, and of use by itself. Source: the reference of the
    language.
    """
    file = tree(graph.source)
    if file is None:
        return
    yield from _unused_values(file)
    yield from _unused_in_blocks(file)
    yield from _unused_defaults(file)
    yield from _unused_labels(file)


def _unused_values(file: ast.File) -> Iterator[Finding]:
    """Yield each unused `let`, block, name from another file, and parameter of the net."""
    known = names_outside(file) | set(choices(file).values())
    for statement in file.statements:
        if isinstance(statement, ast.Let) and statement.name not in known:
            yield Finding(_let_name(statement), f"nothing uses the value `{statement.name}`", _removal(statement.span))
        elif isinstance(statement, ast.Block) and statement.name not in known:
            message = f"nothing calls the block `{statement.name}`"
            yield Finding(statement.name_span, message, _removal(statement.span))
        elif isinstance(statement, ast.Use):
            for name, span in statement.names:
                if name not in known:
                    yield Finding(span, f"nothing calls the block `{name}`", _removal_of_use(statement, span))
        elif isinstance(statement, ast.Net):
            for each in statement.parameters or ():
                if each.name not in known:
                    message = f"nothing uses the parameter `{each.name}`"
                    yield Finding(name_of(each), message, f"remove it, or write `{each.name}` where its value is meant")


def _unused_in_blocks(file: ast.File) -> Iterator[Finding]:
    """Yield the unused parameters and values of blocks."""
    for block in file.statements:
        if isinstance(block, ast.Block):
            used_here = names_in_block(block)
            for each in block.parameters or ():
                if each.name not in used_here:
                    message = f"nothing in `{block.name}` uses its parameter `{each.name}`"
                    yield Finding(name_of(each), message, f"remove it, or write `{each.name}` where its value is meant")
            for value in block.values:
                others = [each for each in block.values if each is not value]
                if value.name not in set(used_names([block.body, *others])):
                    message = f"nothing in `{block.name}` uses the value `{value.name}`"
                    yield Finding(_let_name(value), message, _removal(value.span))


def _unused_defaults(file: ast.File) -> Iterator[Finding]:
    """Yield each `default` without a later layer of its type."""
    for at, statement in enumerate(file.statements):
        if not isinstance(statement, ast.Default):
            continue
        kind = find(statement.layer.head) or find(name_and_size(statement.layer.head)[0])
        names = set(used_names(file.statements[at + 1 :]))
        names |= {name for net in file.statements if isinstance(net, ast.Net) for name in used_names([net])}
        names |= {name for let in file.statements if isinstance(let, ast.Let) for name in used_names([let])}
        if kind is not None and not any(find(name) is kind for name in names):
            message = f"no {kind.kind()} follows this default"
            yield Finding(statement.layer.span, message, _removal(statement.span))


def _unused_labels(file: ast.File) -> Iterator[Finding]:
    """Yield each second name for a value, on `ID` or on a reference, that nothing refers to."""
    text = code(file.source)
    for node in ast.walk(file.statements):
        if not isinstance(node, ast.Label) or len(node.name) != 1 or not isinstance(node.name[0], str):
            continue
        name, body = node.name[0], node.body
        is_identity = isinstance(body, ast.WrittenLayer) and (kind := find(body.head)) and kind.ROLE == "identity"
        if not (is_identity or isinstance(body, ast.Ref)) or not name or "." in name or '"' in node.name_span.text:
            continue
        mentions = len(re.findall(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text))
        stars = any(name.startswith(star) for star in re.findall(r"([A-Za-z0-9_]+)\*", text))
        if mentions == 1 and not stars:
            edit = Edit(Span(file.source, node.name_span.start, body.span.start), "")
            advice = Fix((edit,), "refer to it, or leave the label out")
            yield Finding(node.name_span, f"nothing refers to `{name}`, a second name for a value", advice)


def hidden_extent(graph: Graph) -> Iterator[Finding]:
    """C, H and W are the shape at hand: a value that is called so hides it.

    Source: the reference of the language.
    """
    file = tree(graph.source)
    for node in ast.walk(file.statements) if file is not None else ():
        names = [(node.name, name_of(node))] if isinstance(node, ast.Parameter) else []
        names = [(node.name, _let_name(node))] if isinstance(node, ast.Let) else names
        if isinstance(node, ast.For):
            names = [(name, Span(node.span.source, node.span.start, node.span_of_rows.start)) for name in node.names]
        for name, span in names:
            if name in _EXTENTS:
                message = f"`{name}` hides {_EXTENTS[name]} of the input of a part"
                yield Finding(span, message, f"give it another name, such as `{name.lower()}`")


def uncalled_block(graph: Graph) -> Iterator[Finding]:
    """A block that nothing calls is looked at as far as it can be without the shape that enters: it has a mistake.

    Source: the reference of the language.
    """
    file = tree(graph.source)
    if file is None:
        return
    known = names_outside(file)
    blocks = [each for each in file.statements if isinstance(each, ast.Block) and each.name not in known]
    if blocks:
        for each in wrong_in_uncalled_blocks(file, blocks, graph.settings, used):
            if each.span is not None:
                yield Finding(each.span, each.message, each.fix or each.help)


def repeated_width(graph: Graph) -> Iterator[Finding]:
    """`CONV3-2*c` is CONV3-2 repeated c times: where `c` is a width elsewhere, CONV3-{2*c} was meant.

    Source: the reference of the language.
    """
    file = tree(graph.source)
    nodes = list(ast.walk(file.statements)) if file is not None else []
    widths = {name for each in nodes if isinstance(each, ast.WrittenLayer) for name in _names_of_width(each)}
    for node in nodes:
        layer = node.body if isinstance(node, ast.Repeat) else None
        if (
            not isinstance(node, ast.Repeat)
            or not isinstance(layer, ast.WrittenLayer)
            or not isinstance(node.count, Name)
        ):
            continue
        width = layer.width
        if (
            isinstance(width, Literal)
            and node.count.name in {*widths, "C"}
            and layer.stride is None
            and not layer.arguments
        ):
            place = Span(node.span.source, width.span.start, node.span.end)
            message = (
                f"{layer.span.text} is repeated {node.count.name} times, and `{node.count.name}` is a width elsewhere"
            )
            shown = Span(node.span.source, layer.span.start, node.span.end)
            edits = replacement(place, f"{{{width.text}*{node.count.name}}}").edits
            yield Finding(node.span, message, Fix(edits, "did you mean {}?", shown))


def repeated_pointwise(graph: Graph) -> Iterator[Finding]:
    """`CONV1-c*4` is CONV1-c repeated 4 times, which without anything between them is one linear map: CONV1-{c*4} was
    meant.

    Source: the reference of the language.
    """
    file = tree(graph.source)
    for node in ast.walk(file.statements) if file is not None else ():
        layer = node.body if isinstance(node, ast.Repeat) else None
        if not isinstance(node, ast.Repeat) or not isinstance(layer, ast.WrittenLayer):
            continue
        name, size = name_and_size(layer.head)
        kind = find(name) if size == "1" else find(layer.head)
        is_pointwise = size == "1" or (kind is not None and kind.WIDTH and not kind.SIZE and not size)
        is_plain = layer.stride is None and not layer.arguments and not layer.size
        if kind is None or not kind.WIDTH or not is_pointwise or not is_plain:
            continue
        if isinstance(layer.width, Name) and isinstance(node.count, Literal):
            place = Span(node.span.source, layer.width.span.start, node.span.end)
            count = node.count.text
            edits = replacement(place, f"{{{layer.width.name}*{count}}}").edits
            message = (
                f"this repeats {layer.span.text} {count} times; a width of {count}*{layer.width.name} needs braces"
            )
            yield Finding(node.span, message, Fix(edits, "did you mean {}?", node.span))


def _names_of_width(layer: ast.WrittenLayer) -> Iterator[str]:
    if layer.width is not None:
        yield from (each.name for each in ast.walk([layer.width]) if isinstance(each, Name))


def _let_name(statement: ast.Let) -> Span:
    at = statement.span.start + statement.span.text.index(statement.name, len("let"))
    return Span(statement.span.source, at, at + len(statement.name))


def _removal(span: Span) -> Fix:
    """Return the fix that removes a statement, with its line if nothing else is on it."""
    return Fix((Edit(_with_line(span.source, span), ""),), "remove it, or use it")


def _with_line(source: Source, span: Span) -> Span:
    text = source.text
    before, after = text[: span.start].rpartition("\n")[2], text[span.end :].partition("\n")[0]
    if before.strip() or after.strip():
        return span
    return Span(source, span.start - len(before), min(span.end + len(after) + 1, len(text)))


def _removal_of_use(statement: ast.Use, span: Span) -> Fix:
    if len(statement.names) == 1:
        return _removal(statement.span)
    at = next(number for number, (_, each) in enumerate(statement.names) if each is span)
    if at:
        edit = Edit(Span(span.source, statement.names[at - 1][1].end, span.end), "")
    else:
        edit = Edit(Span(span.source, span.start, statement.names[1][1].start), "")
    return Fix((edit,), "remove it, or call it")


def identity_last(graph: Graph) -> Iterator[Finding]:
    """In `CONV1-c/s or ID` the convolution is chosen at every call, also where ID would do.

    The first choice that fits is taken. Source: the reference of the language.
    """
    file = tree(graph.source)
    for node in ast.walk(file.statements) if file is not None else ():
        if not isinstance(node, ast.Either) or not _is_identity(node.choices[-1]):
            continue
        made = [part for part in walk(graph.tree) if isinstance(part, ChoicePart) and part.span == node.span]
        first, *_, last = node.choices
        if any(part.taken for part in made) or not any(_keeps_shape(graph, part) for part in made):
            continue
        written = " or ".join(each.span.text for each in (last, *node.choices[:-1]))
        message = f"{first.span.text} fits at every call, so `ID` is never chosen"
        yield Finding(node.span, message, replacement(node.span, written, "the first choice that fits is taken: {}"))


def _is_identity(item: ast.ChainItem) -> bool:
    kind = find(item.head) if isinstance(item, ast.WrittenLayer) else None
    return kind is not None and kind.ROLE == "identity"


def _keeps_shape(graph: Graph, part: Part) -> bool:
    """Return whether ID could replace a part: its output has the shape of its input."""
    nodes = [graph.nodes[at] for at in nodes_of(part)]
    return bool(nodes) and graph.shapes(nodes[0])[0] == nodes[-1].shape
