"""`lint`: check a network against the rules of thumb of the lectures.

Most rules are in `analysis`; those that read the source are in `name_rules`. A comment `# cnndsl: allow(even-kernel)`
in the file disables a rule: at the end of a line for that line, on a line of its own for the whole network. Findings
are warnings, because a network may have its reasons.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from inspect import getdoc

from cnndsl.analysis import field_rules, mistake_rules, rules, size_rules, window_rules
from cnndsl.analysis.findings import Check, Finding
from cnndsl.errors import Diagnostic, Source, Span, nearest
from cnndsl.graph import Graph
from cnndsl.linting import name_rules
from cnndsl.records import record

_ALLOW = re.compile(r"#\s*cnndsl:\s*allow\(([^)]*)\)")


@record(slots=True)
class Rule:
    """A rule of thumb: its name, its summary in one sentence, its source, and the check."""

    name: str
    check: Check
    strict: bool = False
    """True if `check --strict` treats its findings as errors."""
    checked: bool = False
    """True if `check` warns as well."""

    @property
    def summary(self) -> str:
        """Return the first line of the rule's docstring."""
        return (getdoc(self.check) or "").partition("\n")[0]

    @property
    def source(self) -> str:
        """Return the source that the rule's docstring names."""
        return " ".join((getdoc(self.check) or "").partition("Source: ")[2].split())


RULES: tuple[Rule, ...] = (
    Rule("unused", name_rules.unused, strict=True, checked=True),
    Rule("hidden-extent", name_rules.hidden_extent, strict=True, checked=True),
    Rule("uncalled-block", name_rules.uncalled_block, strict=True, checked=True),
    Rule("swapped-size", mistake_rules.swapped_size, strict=True, checked=True),
    Rule("channels-first", mistake_rules.channels_first, strict=True, checked=True),
    Rule("size-for-width", mistake_rules.size_for_width, strict=True, checked=True),
    Rule("repeated-pointwise", name_rules.repeated_pointwise, strict=True, checked=True),
    Rule("identity-last", name_rules.identity_last, strict=True, checked=True),
    Rule("repeated-width", name_rules.repeated_width),
    Rule("odd-input", size_rules.odd_input),
    Rule("stride-remainder", size_rules.stride_remainder, strict=True),
    Rule("magnifying-pool", size_rules.magnifying_pool, strict=True),
    Rule("large-kernel", window_rules.large_kernel),
    Rule("large-first-kernel", window_rules.large_first_kernel),
    Rule("even-kernel", window_rules.even_kernel),
    Rule("large-pool", window_rules.large_pool),
    Rule("large-stride", window_rules.large_stride),
    Rule("dropout-between-convolutions", rules.dropout_between_convolutions),
    Rule("bias-before-bn", rules.bias_before_bn),
    Rule("narrow-field", field_rules.narrow_field),
    Rule("wide-field", field_rules.wide_field),
    Rule("first-fc", rules.first_fc),
    Rule("dead-branch", rules.dead_branch),
    Rule("block-like-kind", rules.block_like_kind),
)
"""All rules, in the order in which they are applied."""


def lint(graph: Graph, allow: Collection[str] = ()) -> list[Diagnostic]:
    """Return the findings of the rules, in file order; the code of a finding is the name of its rule.

    `allow` names rules to skip. Several findings of a rule at one location (a repeat) are reported once.
    """
    switches = _Switches(graph)
    found = list(switches.unknown())
    for rule in RULES:
        if rule.name not in allow:
            found.extend(_findings(graph, rule, switches))
    return sorted(found, key=lambda each: each.span.start if each.span else 0)


def _findings(graph: Graph, rule: Rule, switches: _Switches) -> Iterator[Diagnostic]:
    places: dict[tuple[str, int, int], list[Finding]] = {}
    for finding in rule.check(graph):
        if not switches.allows(rule.name, finding.span):
            span = finding.span
            places.setdefault((span.source.name, span.start, span.end), []).append(finding)
    for first, *others in places.values():
        more = f" (and {len(others)} more of this line)" if others else ""
        yield replace(first.diagnostic(rule.name), message=first.message + more)


class _Switches:
    """The comments in a network's files that disable rules."""

    def __init__(self, graph: Graph) -> None:
        sources = {source.name: source for source in (graph.source, *graph.sources)}
        self._lines = {name: _allowed(source) for name, source in sources.items()}
        self._main = graph.source.name

    def allows(self, rule: str, span: Span) -> bool:
        name = span.source.name
        end = span.source.position(max(span.start, span.end - 1))[0]
        lines = self._lines.get(name, {})
        return any(self._has(lines.get(line), rule) for line in range(span.line, end + 1)) or any(
            self._has(switch, rule, alone=True)
            for each in {name, self._main}
            for switch in self._lines.get(each, {}).values()
        )

    @staticmethod
    def _has(switch: _Switch | None, rule: str, alone: bool = False) -> bool:
        return switch is not None and rule in switch.rules and (switch.alone or not alone)

    def unknown(self) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each disabled rule that does not exist."""
        known = [rule.name for rule in RULES]
        for lines in self._lines.values():
            for switch in lines.values():
                for name in switch.rules:
                    if name not in known:
                        hint = nearest(name, known) or f"there are {', '.join(known)}"
                        message = f"there is no rule called `{name}`"
                        yield Diagnostic("unknown-rule", message, switch.span, help=hint, severity="warning")


@record(slots=True)
class _Switch:
    rules: tuple[str, ...]
    alone: bool
    span: Span


def _allowed(source: Source) -> Mapping[int, _Switch]:
    """Return the comments of a source that disable rules, by line."""
    switches: dict[int, _Switch] = {}
    for match in _ALLOW.finditer(source.text):
        line = source.position(match.start())[0]
        names = tuple(name.strip() for name in match[1].split(",") if name.strip())
        alone = source.line(line).lstrip().startswith("#")
        switches[line] = _Switch(names, alone, Span(source, match.start(), match.end()))
    return switches
