"""Write terms as source text in the language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from cnndsl.importers.raising.progress import split_sum
from cnndsl.importers.raising.terms import (
    AgainTerm,
    CallTerm,
    ChainsTerm,
    ChoiceTerm,
    Counting,
    GroupTerm,
    KindTerm,
    LayerTerm,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    SameTerm,
    Share,
    StartTerm,
    TableTerm,
    TapTerm,
    TermBlock,
    TermChain,
    TermNumber,
    TermValue,
)
from cnndsl.importers.raising.walks import inner
from cnndsl.layers.base import Layer

WIDTH = 90
"""The maximum length of a filled line, in characters."""

UsualOptions = Mapping[tuple[type[Layer], str], TermValue]


class TermWriter:
    """Writes chains, given the names of nodes and blocks and the values set by `default` statements."""

    def __init__(self, names: Mapping[int, str], blocks: Mapping[str, TermBlock], defaults: UsualOptions) -> None:
        self.names, self.blocks, self.defaults = names, blocks, defaults

    def chain(self, chain: TermChain) -> str:
        """Write a chain; `ID` if it has no steps."""
        return " -> ".join(map(self.step, chain)) or "ID"

    def lines(self, chain: TermChain, name: str = "") -> str:
        """Write one of the network's chains, with its name if it has one, several steps to a line."""
        texts = [self.step(step) for step in chain]
        if name and not isinstance(chain[-1].term, StartTerm):
            label = chain[-1].label
            texts[-1] = f"{_quoted(label)}: {self.term(chain[-1])}" if label else self.term(chain[-1])
        lines = [f"{name} = {texts[0]}" if name else texts[0]]
        for step, text in zip(chain[1:], texts[1:], strict=True):
            is_own = isinstance(step.term, TableTerm) or (len(lines) == 1 and not name) or ": " in text[:12]
            if is_own or len(lines[-1]) + len(text) > WIDTH or " for " in lines[-1]:
                lines.append(f"-> {text}")
            else:
                lines[-1] += f" -> {text}"
        if not name and len(lines) > 2 and isinstance(chain[2].term, TableTerm) and ": " not in texts[1]:
            lines[:2] = [" ".join(lines[:2])]
        return "\n".join(lines)

    def step(self, step: PlacedTerm) -> str:
        """Write a step with its label."""
        if isinstance(step.term, SameTerm):
            return f"{step.alias}: ID" if step.alias else "ID"
        text = self.term(step)
        if step.label:
            text = f"{_quoted(step.label)}: {text}"
        if step.alias and isinstance(step.term, AgainTerm):
            text = f"{step.alias}: {text}"
        elif step.alias:
            text = f"{text} -> {step.alias}: ID"
        is_other = isinstance(step.term, StartTerm | TapTerm)
        if is_other or step.node not in self.names:
            return text
        name = self.names[step.node]
        holds_labels = any(each.node in self.names and each.node != step.node for each in inner((step,)))
        return f"{text} -> {name}: ID" if holds_labels else f"{name}: {text}"

    def term(self, step: PlacedTerm) -> str:
        """Write a step without its label."""
        match step.term:
            case LayerTerm():
                return self.leaf(step.term)
            case MergeTerm():
                return self._merge(step.term)
            case StartTerm():
                return self.value(step.term.value)
            case CallTerm():
                return self._call(step.term)
            case _:
                return self._brackets(step.term)

    def _brackets(self, term: RaisedTerm) -> str:
        """Write any other term, with square brackets around its chain if it needs them."""
        match term:
            case RepeatTerm():
                count = self.value(term.count)
                body = self._body(term.body)
                return body if count == "1" else f"{body}*{_braced(count)}"
            case TableTerm():
                return self._table(term)
            case TapTerm():
                mode = "(train)" if term.is_for_training else ""
                return f"tap {term.name}{mode}: {self._body(term.body)}"
            case GroupTerm():
                is_whole = len(term.body) == 1 and isinstance(term.body[0].term, MergeTerm | ChainsTerm)
                text = self.chain(term.body)
                return text if is_whole and not term.body[0].alias else f"[{text}]"
            case ChainsTerm():
                chains = term.chains
                texts = [f"{name} = {self.chain(each)}" if name else self.chain(each) for name, each in chains]
                return "[{}]".format("\n".join(texts))
            case ChoiceTerm():
                return f"{self._body(term.body) if term.body else 'ID'} if {self.value(term.test)}"
            case AgainTerm():
                return f"again {term.name}"
            case KindTerm():
                return self.value(term.kind)
            case _:
                return "ID"

    def _body(self, chain: TermChain) -> str:
        only = chain[0].term if len(chain) == 1 and not chain[0].label else None
        text = self.chain(chain)
        return text if isinstance(only, LayerTerm | CallTerm | MergeTerm | StartTerm | GroupTerm) else f"[{text}]"

    def _merge(self, term: MergeTerm) -> str:
        branches = [self.chain(each) for each in term.branches]
        if term.is_optional:
            is_one = len(term.branches[-1]) == 1 and not term.branches[-1][0].alias
            branches[-1] = f"ID or {branches[-1]}" if is_one else f"ID or [{branches[-1]}]"
        if term.operator in ("+", "|"):
            return f"({f' {term.operator} '.join(branches)})"
        return f"{term.operator}({', '.join(branches)})"

    def _call(self, term: CallTerm) -> str:
        parameters = self.blocks[term.block].parameters
        given: list[str] = []
        skipped = False
        for parameter, (_, value) in zip(parameters, term.arguments, strict=True):
            if parameter.default is not None and parameter.default == value:
                skipped = True
                continue
            text = self.value(value)
            given.append(f"{parameter.name}={text}" if skipped else text)
        return f"{term.block}({', '.join(given)})" if given else term.block

    def _table(self, term: TableTerm) -> str:
        rows = [", ".join(self.value(each) for each in row) for row in term.rows]
        listed = ", ".join(f"({row})" if len(term.names) > 1 else row for row in rows)
        return f"for {', '.join(term.names)} in {listed} [{self.chain(term.body)}]"

    def leaf(self, term: LayerTerm) -> str:
        """Write a layer with the options that differ from their defaults."""
        kind, rules = term.kind, term.kind.options()
        options = dict(term.options)
        references = iter(term.references)
        likes = {rule.like: name for name, rule in rules.items() if rule.like}
        size, width, stride = (
            options.pop(name, None) if name else None for name in (kind.SIZE, kind.WIDTH, kind.STRIDE)
        )
        usual = {name: self._usual(kind, name) for name in (*options, kind.SIZE, kind.WIDTH, kind.STRIDE) if name}
        head = kind.NAMES[0]
        if kind.ROLE == "input":
            return f"{head} {dict(term.options)['volume']}"
        if size not in (None, ()) and (
            size != usual[kind.SIZE] or not isinstance(size, tuple) or kind.ROLE != "normalisation"
        ):
            head += self._size(size)
        if width is not None and width != 0:
            head += f"-{_braced(self.value(width))}"
        is_size = dict(kind.DEFAULTS).get(kind.STRIDE) == kind.SIZE
        if stride and stride != (size if is_size else usual[kind.STRIDE]):
            head += f"/{self._extents(stride)}"
        several = [name for name, rule in rules.items() if rule.type == "ints"]
        said = {
            name
            for name, value in options.items()
            if value != () and (value != usual[name] or (name in rules and rules[name].required))
        }
        placed = [name for name in kind.POSITIONAL if name in said and name not in several]
        given = (
            [self._amount(options.pop(name)) for name in placed]
            if placed == list(kind.POSITIONAL[: len(placed)])
            else []
        )
        for name, value in options.items():
            if name in likes:
                if value:
                    given.append(f"{likes[name]}={self.value(next(references))}")
            elif name in said:
                given.append(f"{name}={self._amount(value)}" if rules[name].type != "ints" else self._listed(value))
        given = [self.value(each) for each in references] + given
        return f"{head}({', '.join(given)})" if given else head

    def _share(self, share: Share) -> str:
        """Write a number that is proportional to its position."""
        if isinstance(share.number, int | float):
            return number(float(Fraction(str(share.whole)) * share.number / share.parts))
        place = self.value(share.number)
        return f"{number(share.whole)}*{place if place.isidentifier() else f'({place})'}/{share.parts}"

    def _listed(self, value: TermValue) -> str:
        assert isinstance(value, tuple)
        return ", ".join(map(self.value, value))

    def _amount(self, value: TermValue) -> str:
        return self._extents(value) if isinstance(value, tuple) else self.value(value)

    def _usual(self, kind: type[Layer], name: str) -> TermValue:
        rules = kind.options()
        if name in rules and rules[name].required:
            return None
        return self.defaults.get((kind, name), kind.__dataclass_fields__[name].default)

    def _size(self, size: TermValue) -> str:
        text = self._extents(size)
        return text if text.replace("x", "").isdigit() else text if "{" in text else f"{{{text}}}"

    def _extents(self, value: TermValue) -> str:
        if not isinstance(value, tuple):
            return _braced(self.value(value))
        if len(value) == 1:
            return _braced(self.value(value[0]))
        return "x".join(text if (text := self.value(each)).isdigit() else f"{{{text}}}" for each in value)

    def value(self, value: TermValue) -> str:
        """Write a number, word or reference."""
        if isinstance(value, Link):
            return f"@{self.names[value.node]}"
        if isinstance(value, NameRef):
            return f"@{_quoted(value.name)}"
        if isinstance(value, Counting):
            return _counted(value)
        if isinstance(value, Share):
            return self._share(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return number(value) if isinstance(value, int | float) else str(value)


def _counted(value: Counting) -> str:
    """Write a number in a repeat as an expression of the iteration number."""
    turns = "i" if value.step == 1 else f"{value.step}*i"
    name, more = split_sum(value.before or 0)
    text = f"{name} + {turns}" if name else turns
    return f"{text} {'-' if more < 0 else '+'} {abs(more)}" if more else text


def number(value: TermNumber) -> str:
    """Write a number; use an exponent if it would otherwise have more digits than a number may have."""
    if not isinstance(value, float):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    plain = f"{Decimal(repr(value)):f}"
    if len(plain) <= 12:
        return plain
    quotient = Fraction(value).limit_denominator(10_000)
    return str(quotient) if float(quotient) == value else repr(value)


def _quoted(name: str) -> str:
    """Return a label or a path, with quotes around those of its names that need them."""
    if name == '""':
        return name
    holes = re.split(r"(?<!{)\.(?![^{]*})", name)
    return ".".join(each if re.fullmatch(r"(\w|\{[^}]*\})*\*?", each, re.ASCII) else f'"{each}"' for each in holes)


def _braced(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"{{{text}}}"
