"""Single changes to a text, each of which is another network: what a check of imported networks must find.

A change is made to one layer, merge, label or tap of the syntax tree, in the text. Changes that do not compile are
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import cnndsl
from cnndsl.errors import CnnError, Source, Span
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse


@dataclass(frozen=True)
class Mutant:
    """A changed text: what kind of change, what was there, what is there now."""

    kind: str
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: `{self.before}` is `{self.after}`"


ACTIVATIONS = (
    "RELU",
    "RELU6",
    "HSWISH",
    "HSIGMOID",
    "SIGMOID",
    "SILU",
    "TANH",
    "GELU",
    "LEAKYRELU(0.1)",
    "ELU",
    "MISH",
)


def without_asserts(text: str) -> str:
    """The text without what would not hold any more."""
    spans = [each.span for each in parse(Source("<text>", text)).statements if isinstance(each, ast.Assert)]
    for span in reversed(spans):
        text = text[: span.start] + text[span.end :]
    return text


def mutants(text: str) -> Iterator[Mutant]:
    """All changes to a text that compile, in its order."""
    text = without_asserts(text)
    seen = {text}
    for kind, span, after in _edits(parse(Source("<text>", text))):
        changed = text[: span.start] + after + text[span.end :]
        if changed in seen:
            continue
        seen.add(changed)
        try:
            cnndsl.loads(changed)
        except CnnError:
            continue
        yield Mutant(kind, span.text, after, changed)


def _edits(file: ast.File) -> Iterator[tuple[str, Span, str]]:
    for node in ast.walk(file.statements):
        if isinstance(node, ast.WrittenLayer):
            yield from ((kind, node.span, after) for kind, after in _of_layer(node))
        elif isinstance(node, ast.Merge):
            yield from ((kind, node.span, after) for kind, after in _of_merge(node))
        elif isinstance(node, ast.Label):
            yield "name", node.name_span, f"{node.name_span.text}x"
        elif isinstance(node, ast.Tap):
            yield "missing tap", node.span, node.body.span.text
        elif isinstance(node, ast.Repeat) and node.span.text[-1].isdigit():
            yield "count", node.span, f"{node.span.text[:-1]}{int(node.span.text[-1]) + 1}"
        elif isinstance(node, ast.Chain):
            yield from _of_chain(node)


def _of_layer(layer: ast.WrittenLayer) -> Iterator[tuple[str, str]]:
    text, kind = layer.span.text, re.match("[A-Z_]*", layer.head)
    assert kind is not None
    name = kind[0]
    if name == "INPUT" or not name or any(letter.islower() for letter in layer.head):
        return
    if found := re.match(r"[A-Z]+(\d+)", text):
        for size in (1, 2, 3, 5, 7):
            if size != int(found[1]):
                yield "kernel", f"{name}{size}{text[found.end() :]}"
    yield from _strides(text)
    yield from _options(name, text)
    if text in ACTIVATIONS:
        yield from (("activation", other) for other in ACTIVATIONS if other != text)
    if name == "GAP":
        yield "pool", "GMP"
    if name == "POOL":
        yield "pool", re.sub("^POOL", "AVGPOOL", re.sub(r",? ?(ceil|dilation)=\w+", "", text))
    if name in ("CONV", "DWCONV", "FC", "BN", "GAP", "POOL", "AVGPOOL", "LN"):
        yield "factor", f"{text} -> TIMES(0.5)"
        yield "negated", f"{text} -> TIMES(-1)"
        yield "further activation", f"{text} -> TANH"
        yield "further dropout", f"{text} -> DROPOUT(0.1)"


def _strides(text: str) -> Iterator[tuple[str, str]]:
    if found := re.search(r"/(\w+)", text):
        yield "stride", text[: found.start()] + ("/1" if found[1] != "1" else "/2") + text[found.end() :]
    elif re.match(r"(CONV|DWCONV|POOL|AVGPOOL)", text):
        head, bracket, rest = text.partition("(")
        yield "stride", f"{head}/2{bracket}{rest}"
        yield "stride", f"{head}/1{bracket}{rest}"


OPTIONS = {
    "CONV": (
        "bias=yes",
        "bias=no",
        "pad=valid",
        "pad=0",
        "pad=2",
        "pad=tfsame",
        "dilation=2",
        "groups=2",
        "border=reflect",
    ),
    "DWCONV": ("bias=yes", "bias=no", "pad=2", "dilation=2", "border=replicate"),
    "POOL": ("ceil=yes", "pad=1", "pad=0", "dilation=2"),
    "AVGPOOL": ("ceil=yes", "pad=1", "countpad=no"),
    "BN": ("eps=0.002", "eps=1.1e-5", "momentum=0.2", "momentum=0.11", "affine=no"),
    "LN": ("eps=0.002", "affine=no"),
    "GN": ("eps=0.002", "groups=2", "affine=no"),
    "LRN": ("size=3", "alpha=0.001", "beta=0.5", "k=2"),
    "FC": ("bias=no",),
    "SCALE": ("bias=yes", "bias=no", "shared=yes"),
    "DROPOUT": ("p=0.11", "p=0.9", "channels=yes"),
    "DROPPATH": ("p=0.11",),
    "UPSAMPLE": ("mode=bilinear", "mode=nearest", "align=yes"),
    "SHUFFLE": ("groups=4",),
    "SLICE": ("start=1", "stop=3"),
    "TIMES": ("by=0.3",),
    "PRELU": ("shared=yes",),
    "LEAKYRELU": ("slope=0.3",),
    "SOFTMAX": ("radix=2",),
}
POSITIONAL = {"DROPOUT": "p", "DROPPATH": "p", "TIMES": "by", "LEAKYRELU": "slope"}


def _options(name: str, text: str) -> Iterator[tuple[str, str]]:
    head, _, rest = text.partition("(")
    given = (
        [each.strip() for each in rest.removesuffix(")").split(",") if each.strip()] if rest.count("(") == 0 else None
    )
    if given is None:
        return
    for option in OPTIONS.get(name, ()):
        key = option.partition("=")[0]
        kept = [
            each for each in given if each.partition("=")[0] != key and ("=" in each or POSITIONAL.get(name) != key)
        ]
        yield key, f"{head}({', '.join([*kept, option])})"


def _of_merge(merge: ast.Merge) -> Iterator[tuple[str, str]]:
    branches = [each.span.text for each in merge.branches]
    sign = {"+": " + ", "|": " | "}.get(merge.operator)
    if sign is None:
        yield "operator", merge.span.text.replace(merge.operator, "MAX" if merge.operator != "MAX" else "MUL", 1)
        if merge.operator == "SUB":
            yield "swapped", f"SUB({branches[1]}, {branches[0]})"
        yield from (("dropped operand", f"({each})") for each in branches)
        return
    for at in range(len(branches)):
        left = branches[:at] + branches[at + 1 :]
        yield "dropped branch", f"({sign.join(left)})" if len(left) > 1 else f"[{left[0]}]"
    if merge.operator == "|":
        yield "swapped", f"({sign.join([branches[1], branches[0], *branches[2:]])})"
        return
    for other in ("MUL", "MAX", "SUB", "MEAN"):
        yield "operator", f"{other}({', '.join(branches)})"
    yield "operand", f"({sign.join([branches[0], *branches[:1], *branches[2:]])})"
    yield "operand", f"({sign.join([*branches, branches[-1]])})"


def _of_chain(chain: ast.Chain) -> Iterator[tuple[str, Span, str]]:
    for before, after in zip(chain.items, chain.items[1:], strict=False):
        span = before.span.to(after.span)
        if isinstance(after, ast.WrittenLayer) and not after.dims:
            yield "left out", span, before.span.text
        if not (isinstance(before, ast.WrittenLayer) and before.dims):
            yield "order", span, f"{after.span.text} -> {before.span.text}"
