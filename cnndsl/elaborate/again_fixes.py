"""Edits for parts that cannot be applied again: a value of another width, a name for a value, a part of a module."""

from __future__ import annotations

import re
from itertools import count

from cnndsl.elaborate.state import LabelledPart, ModuleScope
from cnndsl.errors import Edit, Fix, Help, Span, replacement
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.syntax.edits import line_of
from cnndsl.syntax.words import LABEL


def for_a_second(part: LabelledPart | None, name: str, label: Span, entering: Shape | None) -> str:
    """Return the help for a name that the module already has, for `part`. A part that is written alike and accepts the
    incoming shape may be meant as the same part."""
    base, number = name.rstrip("0123456789"), re.search(r"[0-9]*$", name)
    first = int(number[0]) + 1 if number and number[0] else 2
    free = next(f"{base}{at}" for at in count(first) if not re.search(rf"\b{re.escape(base)}{at}\b", label.source.text))
    help = f"rename one of them, for example to `{free}`"
    if part is None or part.wire is None or part.wire.shape != entering:
        return help
    text = part.body.span.text
    after = label.source.text[label.end : label.end + len(text) + 20].lstrip(" \t:")
    is_alike = after.startswith(text) and not re.match(r"[\w(/-]", after[len(text) :])
    return f"{help}, or write `again {name}` for the same part with the same weights" if is_alike else help


def ways_to_share(known: LabelledPart, name: str, now: Shape, span: Span) -> Help:
    """Return how to apply a part to a value of another shape: with its own weights if it is a single layer, else after
    a convolution that restores the channels of its first input. Empty if neither is known."""
    first = known.wire.shape if known.wire is not None else now
    body = known.body.body if isinstance(known.body, ast.Label) else known.body
    projection = f"CONV1-{first.channels}" if first.rank == now.rank > 0 and first.channels != now.channels else ""
    shared = f"; `{projection} -> again {name}` shares them" if projection else ""
    if isinstance(body, ast.WrittenLayer) and body.span.source is span.source:
        return replacement(span, body.span.text, f"write the layer, with weights of its own: {{}}{shared}")
    if projection:
        source = span.source
        label = re.search(rf"(?<=\s)(?:{LABEL}):[ \t]*$", source.text[max(0, span.start - 200) : span.start])
        start = span.start - (len(label[0]) if label else 0)
        change = "reduce" if now.channels > first.channels else "expand"
        advice = f"{change} the {now.channels} channels to the {first.channels} that `{name}` expects: {{}}"
        return Fix((Edit(Span(source, start, start), f"{projection} -> "),), advice, Span(source, start, span.end))
    if first.rank == now.rank > 0 and first.spatial != now.spatial:
        size = "x".join(map(str, first.spatial))
        return f"bring {now} to the {first} that `{name}` expects: `UPSAMPLE(out={size}, mode=linear) -> again {name}`"
    return ""


def labelled(name: str, place: Span, use: Span) -> Fix | None:
    """Return the fix that labels the layers of `a = @x -> A -> B`, so that they can be applied again. `place` is the
    location of the name, `use` that of the application."""
    line = line_of(place.source, place.start)
    chain = re.compile(r"\w+\s*=\s*@[\w.]+\s*->\s*(?P<layers>[^#\n]*[^#\s])").fullmatch(line.text)
    if chain is None or line.start != place.start or use.source is not place.source:
        return None
    label = f"{name}_layers"
    start, end = line.start + chain.start("layers"), line.start + chain.end("layers")
    edits = (
        Edit(Span(place.source, start, start), f"{label}: ["),
        Edit(Span(place.source, end, end), "]"),
        Edit(use, f"again {label}"),
    )
    return Fix(edits, f"label the layers, {{}}, and apply these: `again {label}`", line)


def elsewhere_in_the_text(name: str, scope: ModuleScope, use: Span) -> str:
    """Return what to write for a part that is labelled in another module, or only later; empty if it is not."""
    for member in scope.members:
        if member.scope is not None and name in member.scope.parts and member.label:
            whole = member.label
            return f"`{name}` is inside of `{whole}`; here the whole can be applied again: `again {whole}`"
    later = re.compile(rf"(?<![\w.]){re.escape(name)}[ \t]*:").search(use.source.text, use.end)
    if later is None:
        return ""
    return f"`{name}` comes later: label the part at its first use, `{name}: …`, and write `again {name}` after that"
