"""Checks the constructor's arguments: for each value the class must equal what the compiler produces."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from cnndsl.emit.torch.verify.check import RunningText, quietly, trouble, verified
from cnndsl.emit.torch.verify.differences import Difference, Findings
from cnndsl.emit.torch.verify.kinds import CLASSES
from cnndsl.emit.torch.verify.replay import Replay
from cnndsl.emit.torch.verify.shapes import Shapes
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.values import ClassInfo, LeafClass, NotUnderstood, Refused, Trouble
from cnndsl.errors import CnnError
from cnndsl.graph import Graph
from cnndsl.shape import Shape
from cnndsl.values import Symbol, Value, show

Compile = Callable[[Mapping[str, Value]], Graph]
"""Compiles the program with these settings; raises CnnError if the compiler rejects them."""


def check_arguments(
    text: str,
    elaborate: Compile,
    settings: Mapping[str, Value],
    *,
    domains: Mapping[str, tuple[Value, ...]] | None = None,
    plugins: Mapping[str, str] | None = None,
    accept_fixed_pooling: bool = False,
) -> tuple[Difference, ...]:
    """Compare the class of the source, built with arguments, with the compiler's result for the same settings.

    `settings` are those of the source's own graph, `domains` the allowed values of parameters. Each argument is tried
    alone, then all of them together. If the compiler rejects a value, the class must reject it, too.
    """
    findings = Findings()
    with quietly():
        try:
            program = Program(text, plugins or {})
            parameters = offered(program, settings)
            base = elaborate(dict(settings))
        except Trouble as stop:
            return (trouble(stop),)
        if program.main is None:
            return (Difference(0, "the text has no class of a network"),)
        for name, key, default in parameters:
            if key is None:
                findings.add(Difference(line_of(program.main), f"`{name}` is no parameter of the net", rank=1))
            elif not same(default, settings[key]):
                found = f"the default of `{name}` is {default}"
                findings.add(Difference(line_of(program.main), found, show(settings[key]), rank=1))
        known = {name: key for name, key, _ in parameters if key is not None}
        for trial in trials(program.main, known, settings, domains or {}):
            _try(
                program,
                trial,
                known,
                settings,
                elaborate,
                [node.shape for node in base.inputs],
                findings,
                accept_fixed_pooling,
            )
    return findings.sorted()


def line_of(info: ClassInfo) -> int:
    """Return the line of the constructor."""
    return info.init.node.lineno if info.init else info.node.lineno if info.node else 0


def offered(program: Program, settings: Mapping[str, Value]) -> list[tuple[str, str | None, object]]:
    """Return the constructor's parameters: name, parameter of the network (ignoring a trailing `_`), default."""
    init = program.main.init if program.main else None
    found: list[tuple[str, str | None, object]] = []
    for name, default in init.params[1:] if init else ():
        key = name if name in settings else name.removesuffix("_")
        found.append((name, key if key in settings else None, default))
    return found


def same(default: object, value: Value) -> bool:
    """Return whether a Python default equals a value of the language."""
    if isinstance(value, Symbol):
        known = CLASSES.get(str(value).upper())
        return default.name == known if isinstance(default, LeafClass) else default == str(value)
    if isinstance(value, Fraction):
        return type(default) is float and default == float(value)
    return type(default) is type(value) and default == value


def _python(value: Value) -> object:
    """Return a value as the class accepts it; a layer type is the name of PyTorch's class until it is used."""
    if isinstance(value, Fraction):
        return float(value)
    return str(value) if isinstance(value, Symbol) else value


def trials(
    info: ClassInfo, known: Mapping[str, str], settings: Mapping[str, Value], domains: Mapping[str, tuple[Value, ...]]
) -> Iterator[Mapping[str, Value]]:
    """Yield values to try, by constructor argument: each argument alone, then all together."""
    alone = {
        name: [
            value
            for value in candidates(settings[key], domains.get(key), _annotation(info, name))
            if is_given_exactly(value)
        ]
        for name, key in known.items()
    }
    for name, values in alone.items():
        for value in values:
            yield {name: value}
    several = {name: values for name, values in alone.items() if values}
    if len(several) > 1:
        for turn in range(max(map(len, several.values()))):
            yield {name: values[turn % len(values)] for name, values in several.items()}


def is_given_exactly(value: Value) -> bool:
    """Return False for fractions such as 1/3: a class that receives the nearest float cannot know what was meant.

    >>> is_given_exactly(Fraction(3, 10)), is_given_exactly(Fraction(1, 3))
    (True, False)
    """
    return not isinstance(value, Fraction) or Fraction(str(float(value))) == value


def _annotation(info: ClassInfo, name: str) -> str:
    arguments = info.init.node.args if info.init else None
    for each in (*arguments.args, *arguments.kwonlyargs) if arguments else ():
        if each.arg == name and each.annotation is not None:
            return ast.unparse(each.annotation)
    return ""


_FRACTIONS = (Fraction(3, 10), Fraction(7, 10), Fraction(1, 4))


def candidates(default: Value, domain: tuple[Value, ...] | None, annotation: str) -> Iterator[Value]:
    """Yield values other than the default: its neighbours, its double, and the domain's ends or, without one,
    fractions.

    A parameter without a domain may be a fraction in the language, whatever the argument's annotation.

    >>> [show(value) for value in candidates(10, None, "int")]
    ['9', '11', '20', '10.5', '7.5']
    >>> list(candidates(4, tuple(range(1, 33)), "int"))
    [1, 32, 3, 5, 8]
    """
    if domain is not None:
        others = [value for value in domain if value != default or type(value) is not type(default)]
        near = [each for each in _near(default) if each in others]
        yield from dict.fromkeys((*others[:1], *others[-1:], *near))
        return
    if isinstance(default, bool):
        yield not default
        return
    if isinstance(default, int | Fraction):
        found = _near(default)
        if annotation == "int":
            found += [default + Fraction(1, 2), default * Fraction(3, 4)]
        if "float" in annotation or "Fraction" in annotation:
            found += [*_FRACTIONS, Fraction(default) / 2, 3 * default]
        for value in dict.fromkeys(found):
            if value != default:
                yield value.numerator if value.denominator == 1 else value


def _near(default: Value) -> list[int | Fraction]:
    """Return a number's neighbours and its double."""
    if isinstance(default, bool) or not isinstance(default, int | Fraction):
        return []
    return [default - 1, default + 1, 2 * default]


def _try(
    program: Program,
    trial: Mapping[str, Value],
    known: Mapping[str, str],
    settings: Mapping[str, Value],
    elaborate: Compile,
    given: Sequence[Shape],
    findings: Findings,
    loose: bool,
) -> None:
    """Compare the class with the compiler for some arguments."""
    words = ", ".join(f"{name}={show(value)}" for name, value in trial.items())
    arguments = {name: _given(program, value) for name, value in trial.items()}
    try:
        graph = elaborate({**settings, **{known[name]: value for name, value in trial.items()}})
    except CnnError as stop:
        code = next((each.code for each in stop.diagnostics), "")
        _must_refuse(program, arguments, words, code, given, findings)
        return
    found = Findings()
    try:
        verified(program, graph, found, arguments, loose)
    except Refused as stop:
        found.add(Difference(stop.line, "the class refuses what the compiler accepts"))
    except Trouble as stop:
        found.add(trouble(stop))
    for each in found.sorted():
        said = f"with {words}, {each.found}"
        findings.add(Difference(each.line, said, each.expected, each.path, each.span, each.rank))


def _given(program: Program, value: Value) -> object:
    if isinstance(value, Symbol):
        name = CLASSES.get(str(value).upper(), "")
        return program.leaf_class(name) or str(value)
    return _python(value)


def _must_refuse(
    program: Program, arguments: Mapping[str, object], words: str, code: str, given: Sequence[Shape], findings: Findings
) -> None:
    """Record a class that accepts what the compiler rejects: neither constructor nor shapes raise an error."""
    try:
        running = RunningText(program, arguments)
        for training in (True, False):
            Replay(Shapes()).run(running.trace(training, len(given)), list(given), "")
    except Refused:
        return
    except NotUnderstood as stop:
        findings.add(Difference(stop.line, f"with {words}, not understood: {stop.message}"))
        return
    except Trouble:
        return
    found = f"the class accepts {words}, which the compiler refuses ({code})"
    findings.add(Difference(running.line, found, rank=1))
