"""A network as a Python module that needs torch and nothing else: the pipeline, and the text of the file.

`source` calls one step after the other: which parameters are arguments (`parameters`), which calls share a class
(`classes`), what each class reads and gives (`trace`), what its modules are built with (`builder`), the statements of
`__init__` (`init_method`) and of `forward` (`forward_method`), and the lines (`layout`), as `ruff format` leaves them.

A network with several outputs returns a NamedTuple with the program's names. Outputs that exist in training only are
computed in training only; where all but one are, the network returns a plain tensor in evaluation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from cnndsl.analysis.cost import costs, network_total
from cnndsl.emit.torch import common_options
from cnndsl.emit.torch.child_calls import ChildCalls
from cnndsl.emit.torch.classes import Classes
from cnndsl.emit.torch.docstrings import (
    described,
    docstring,
    escaped,
    leading_comment,
    note_on,
    shortened_count,
    wrapped,
)
from cnndsl.emit.torch.duplicates import Alike, ClassText, alike, class_text, stem
from cnndsl.emit.torch.forward_method import ForwardText, write
from cnndsl.emit.torch.functions import DIVISIBLE, TOTAL
from cnndsl.emit.torch.init_method import Constructor, StandIn, guarded
from cnndsl.emit.torch.initialise import freezing, initialisation
from cnndsl.emit.torch.initialise import functions as drawing_functions
from cnndsl.emit.torch.ir import ConstructorParameter, Forward, ModuleClass
from cnndsl.emit.torch.layout import STEP, WIDTH, CallDoc, Display, Doc, Infix, Item, Text, flat, lines
from cnndsl.emit.torch.list_statements import adds_up, list_forward
from cnndsl.emit.torch.memory_costs import MemoryCosts
from cnndsl.emit.torch.names import argument, class_name, comment, field, variable
from cnndsl.emit.torch.parameters import offered, real_arguments
from cnndsl.emit.torch.part_queries import calls
from cnndsl.emit.torch.restart import Fixed
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite, comments, uncommented
from cnndsl.emit.torch.terms import Term, literal, names, text
from cnndsl.emit.torch.walk import in_order, terms_of
from cnndsl.graph import Graph
from cnndsl.layers import HELPERS
from cnndsl.values import show


def source(graph: Graph) -> str:
    """Return the text of the module. Raises CnnError for labels that PyTorch does not accept.

    >>> from cnndsl.network import loads
    >>> "self.fc = nn.Linear(192, 10)  # 10" in source(loads("INPUT 8x8x3 -> fc: FC-10").graph)
    True
    """
    classes, root = _classes(graph)
    return _File(graph, classes, root).text()


def _classes(graph: Graph) -> tuple[Classes, ModuleClass]:
    """Return the class of the network, with as many parameters as arguments as can be followed exactly."""
    arguments = offered(graph)
    while True:
        classes = Classes(graph, arguments)
        try:
            return classes, classes.root()
        except Fixed as fixed:
            arguments -= {
                name for name, python in classes.offered.items() if {name, python, f"::{python}"} & fixed.names
            }


def class_of_network(text: str) -> str:
    """Return the name of the network's class in an emitted file: the last class."""
    return re.findall(r"^class (\w+)\(", text, re.MULTILINE)[-1]


class _File:
    """The text of one file."""

    def __init__(self, graph: Graph, classes: Classes, root: ModuleClass) -> None:
        self.graph, self.root = graph, root
        self.common = classes.followed.common
        self.costs = MemoryCosts(classes.borders, classes.overwritten, classes.by_path, classes.traced)
        self.helpers = classes.borders.helpers()
        self.real = {variable(name) for name in real_arguments(graph)}
        self.record = ""
        self.blocks = frozenset(call.block for call in calls(graph.tree))
        self.empty = {call.path for call in calls(graph.tree) if not classes.borders.own(call)}
        self.notes = {call.path: note_on(call.definition) for call in calls(graph.tree)}
        every = in_order(root)
        found = alike(every, self._stem, self._compared)
        self.alike = {id(cls): each for each in found for cls in each.classes}
        self.classes = [each.shown for each in found]
        taken = {*HELPERS, *self.helpers}
        self.names = self._class_names(taken)
        if root.forward is not None and len(root.forward.results) > 1:
            self.record = class_name(f"{self.name_of(root)}Output", taken)

    def name_of(self, cls: ModuleClass) -> str:
        return self.names[id(self._shown(cls))]

    def _shown(self, cls: ModuleClass) -> ModuleClass:
        return self.alike[id(cls)].shown

    def _class_names(self, taken: set[str]) -> dict[int, str]:
        """Return the name of each class, by its id. The first class of each name in the program takes that name; then
        the others take the remaining numbers."""
        several = {id(cls): len({each.wanted_name for each in self.alike[id(cls)].classes}) > 1 for cls in self.classes}
        wanted = {id(cls): self._stem(cls) if several[id(cls)] else cls.wanted_name for cls in self.classes}
        ordered = (self.root, *self.classes[:-1])
        first = {wanted[id(cls)]: cls for cls in reversed(ordered)}
        found: dict[int, str] = {}
        for cls in (*(cls for cls in ordered if first[wanted[id(cls)]] is cls), *ordered):
            if id(cls) not in found:
                found[id(cls)] = class_name(wanted[id(cls)], taken)
        return found

    def _stem(self, cls: ModuleClass) -> str:
        return "" if cls is self.root else stem(cls.wanted_name, self.blocks)

    def _compared(self, cls: ModuleClass, stand_in: StandIn) -> ClassText:
        """Return the content that two classes must share to become one."""
        forward = None if cls.forward is None else self._forward(cls, cls.forward)
        made = Constructor(cls, lambda it: f"#{id(it)}", stand_in).statements()
        return class_text(_base(cls), cls, made, forward)

    def text(self) -> str:
        used = [name for cls in self.classes for term in terms_of(cls) for name in names(term)]
        functions = [DIVISIBLE.rstrip()] if "divisible()" in used else []
        functions += drawing_functions(self.graph)
        functions += [TOTAL.rstrip()] if any(map(adds_up, self.classes)) else []
        classes = [("\n".join(self._class(cls))) for cls in self.classes]
        records = ["\n".join(self._record())] if self.record else []
        helpers = [self.helpers[name].rstrip() for name in sorted(self.helpers)]
        body = [*functions, *helpers, *classes[:-1], *records, classes[-1], "\n".join(self._main())]
        return "\n\n\n".join([self._opening(body), *body]) + "\n"

    # The beginning of the file

    def _opening(self, body: Sequence[str]) -> str:
        told = leading_comment(self.graph) or [f"{self.name_of(self.root)}."]
        head = [escaped(comment(line)) for line in (*told, "", *wrapped(self._facts()))]
        code = "\n".join(body)
        standard = [
            *(["import math"] if re.search(r"\bmath\.", code) else []),
            *(["from fractions import Fraction"] if re.search(r"\bFraction\(", code) else []),
            *(["from typing import NamedTuple"] if self.record else []),
        ]
        typed = re.search(r"(?<![\w.])Tensor\b", code)
        imports = [*standard, *([""] if standard else []), "import torch"]
        imports.append("from torch import Tensor, nn" if typed else "from torch import nn")
        if re.search(r"\bF\.", code):
            imports.append("from torch.nn import functional as F")
        return "\n".join([f'"""{head[0]}', *head[1:], '"""', "", *imports])

    def _facts(self) -> str:
        """Return the origin of the file, and the size of the network."""
        graph = self.graph
        size = network_total(graph, costs(graph))
        arguments = {each.name for each in self.root.parameters}
        fixed = [f"{name} = {show(value)}" for name, value in graph.settings.items() if variable(name) not in arguments]
        origin = f"{graph.file} (sha256 {graph.digest[:8]}), by cnndsl"
        built = f" with {', '.join(fixed)}" if fixed else ""
        return f"{origin}{built}: {size.params:,} parameters, {shortened_count(size.macs)} multiply-adds."

    # Classes

    def _class(self, cls: ModuleClass) -> Iterator[str]:
        margin = " " * STEP
        same = self.alike[id(cls)]
        doc = self._use() if cls is self.root else described(same, self.empty)
        note = next((self.notes[path] for path in cls.places if path in self.notes), "") if cls is not self.root else ""
        yield f"class {self.name_of(cls)}({_base(cls)}):"
        lines_of = docstring(escaped(comment(doc)), escaped(comment(note)))
        yield from ((margin + line).rstrip() for line in lines_of)
        yield ""
        defaults = zip(cls.parameters, same.defaults, strict=True)
        yield from _signature("__init__", [self._parameter(cls, each, default) for each, default in defaults], "None")
        statements = [*self._domains(cls), *self._constructed(same)]
        if cls is self.root:
            checks = map(guarded, common_options.guards(self.graph, self.common))
            ending = (*common_options.settings(self.common), *initialisation(self.graph), *freezing(self.graph))
            statements = [*checks, *statements, *ending]
        yield from _lines(statements, 2 * STEP)
        if cls.forward is None:
            return
        made = self._forward(cls, cls.forward)
        yield ""
        yield from _signature("forward", made.arguments, made.returns)
        yield from _lines(made.body, 2 * STEP)

    def _constructed(self, same: Alike) -> Sequence[PythonStatement]:
        """Return the body of `__init__`, without comments if these are not right for all classes with this body."""
        shown, *others = (
            Constructor(each, self.name_of, self._shown).statements()
            for each in (same.shown, *(each for each in same.classes if each is not same.shown))
        )
        is_right = all(comments(other) == comments(shown) for other in others)
        return shown if is_right else uncommented(shown)

    def _forward(self, cls: ModuleClass, forward: Forward) -> ForwardText:
        if forward.lists is not None:
            return ForwardText(*list_forward(forward.lists))
        memory = self.costs.memory(cls)
        assert memory is not None, "a class with a `forward` has a count of its memory"
        record = self.record if cls is self.root else ""
        inputs = self._input_names() if cls is self.root else ()
        return write(forward, memory, ChildCalls(cls, self.costs.heavy(cls)), record, inputs)

    def _input_names(self) -> list[str]:
        """Return the names of the inputs as arguments of `forward`; an empty list if the program has none."""
        found: list[str] = []
        for name in self.graph.input_names:
            found.append(argument(name, {*found, self.record}))
        return found

    def _parameter(self, cls: ModuleClass, parameter: ConstructorParameter, default: Term | None) -> str:
        is_real = parameter.type == "int" and cls is self.root and parameter.name in self.real
        written = "" if default is None else f" = {text(default)}"
        return f"{parameter.name}: {'float' if is_real else parameter.type}{written}"

    def _domains(self, cls: ModuleClass) -> list[PythonStatement]:
        """Return the statements that reject values that the program does not allow."""
        if cls is not self.root:
            return []
        found: list[PythonStatement] = []
        by_python = {variable(name): domain for name, domain in self.graph.domains.items()}
        for parameter in cls.parameters:
            domain = by_python.get(parameter.name)
            if domain is not None:
                found.append(_refusal(parameter.name, domain))
        return found

    def _use(self) -> str:
        """Return how to call the network, and what it returns."""
        name, graph = self.name_of(self.root), self.graph
        arguments = ", ".join(map(_passed, self.root.parameters))
        taken = ", ".join(_batch(graph, node.index) for node in graph.inputs)
        if len(graph.inputs) > 1:
            named = zip(self._input_names(), graph.inputs, strict=True)
            taken = ", ".join(f"{each} {_batch(graph, node.index)}" for each, node in named)
        given = _batch(graph, graph.output)
        more = ""
        if graph.taps:
            always = [tap.name for tap in graph.taps if not tap.training_only]
            trained = [tap.name for tap in graph.taps if tap.training_only]
            more = f", then {', '.join(always)}" if always else ""
            more += f", training adds {', '.join(trained)}" if trained else ""
        full = f"`{name}({arguments})` takes {taken} and gives {given}{more}."
        return full if len(docstring(full)) == 1 else f"`{name}({arguments})`: {taken} -> {given}{more}."

    def _record(self) -> Iterator[str]:
        """Yield the lines of the NamedTuple of a network with several outputs."""
        forward = self.root.forward
        assert forward is not None
        is_plain = len(forward.results) - len(forward.training) == 1
        trained = " in training" if is_plain else ""
        yield f"class {self.record}(NamedTuple):"
        yield f'    """What `{self.name_of(self.root)}` returns{trained}."""'
        yield ""
        for value, name in zip(forward.results, output_names(self.graph), strict=True):
            optional = value in forward.training
            yield f"    {name}: {'Tensor | None = None' if optional else 'Tensor'}"

    # The end of the file

    def _main(self) -> Iterator[str]:
        each = [", ".join(map(str, (1, *_extents(self.graph, node.index)))) for node in self.graph.inputs]
        given = "x" if len(each) == 1 else "*x"
        always = any(not tap.training_only for tap in self.graph.taps)
        yield 'if __name__ == "__main__":'
        yield "    from torch.utils.benchmark import Timer"
        yield ""
        yield '    device = torch.accelerator.current_accelerator(True) or torch.device("cpu")'
        yield "    with device, torch.inference_mode():"
        if len(each) == 1:
            yield f"        model, x = {self.name_of(self.root)}().eval(), torch.randn({each[0]})"
        else:
            yield f"        model = {self.name_of(self.root)}().eval()"
            items = tuple(Item(Text(f"torch.randn({extents})")) for extents in each)
            yield from lines(Display("()", items), 2 * STEP, "x = ")
        yield f"        y, params = model({given}){'[0]' if always else ''}, sum(p.numel() for p in model.parameters())"
        yield f'        seconds = Timer("model({given})", globals=globals()).timeit(1).mean'
        yield '    print(f"{tuple(y.shape)}, {params:,} parameters, {seconds:.4f} s on {device}")'


def output_names(graph: Graph) -> list[str]:
    """Return the names of the results of a network: `output`, then its auxiliary outputs, those of training last.
    Outputs with the same name are numbered."""
    taps = [tap.name for tap in sorted(graph.taps, key=lambda tap: tap.training_only)]
    found = [field(graph.output_name or "output", {*taps})]
    seen: Counter[str] = Counter()
    for name in taps:
        seen[name] += 1
        numbered = f"{name}{seen[name]}" if taps.count(name) > 1 else name
        found.append(field(numbered, {*found, *(set(taps) - {name})}))
    return found


def _refusal(name: str, domain: Sequence[object]) -> PythonStatement:
    is_range = isinstance(domain, range)
    shown = f"range({domain.start}, {domain.stop})" if isinstance(domain, range) else literal(tuple(domain))
    message = f"{name} is one of {', '.join(literal(value) for value in domain)}"
    if is_range:
        message = f"{name} is from {domain[0]} to {domain[-1]}"
    raised = Line("raise ", CallDoc("ValueError", (Item(Text(literal(message))),)))
    return Suite("if ", Text(f"{name} not in {shown}"), (raised,))


def _base(cls: ModuleClass) -> str:
    if cls.forward is None:
        return "nn.Sequential"
    if cls.is_listed:
        return "nn.ModuleList"
    return "nn.ModuleDict" if cls.is_keyed else "nn.Module"


def _passed(parameter: ConstructorParameter) -> str:
    return f"{parameter.name}={text(parameter.default)}" if parameter.default is not None else parameter.name


def _batch(graph: Graph, node: int) -> str:
    """Return the shape of a batch of a node's values, for a docstring."""
    return "x".join(map(str, ("N", *_extents(graph, node))))


def _extents(graph: Graph, node: int) -> tuple[int, ...]:
    shape = graph.nodes[node].shape
    return (shape.channels, *shape.spatial)


def _signature(name: str, arguments: Sequence[str], returned: str) -> list[str]:
    items = tuple(Item(Text(each)) for each in ("self", *arguments))
    *above, last = lines(CallDoc(f"def {name}", items), STEP, tail=f" -> {returned}:")
    if len(last) <= WIDTH or not returned.startswith("tuple["):
        return [*above, last]
    types = returned.removeprefix("tuple[").removesuffix("]")
    margin = " " * (2 * STEP)
    inner = [margin + types] if len(margin + types) <= WIDTH else [f"{margin}{each}," for each in types.split(", ")]
    return [*above, last[: last.index("tuple[")] + "tuple[", *inner, " " * STEP + "]:"]


def _lines(statements: Sequence[PythonStatement], indent: int) -> Iterator[str]:
    for each in statements:
        if not isinstance(each, Suite):
            yield from _line(each.lead, each.doc, each.comment, indent)
            continue
        yield from lines(each.doc, indent, each.lead, each.comment, ":")
        yield from _lines(each.body, indent + STEP)
        if each.otherwise:
            yield " " * indent + "else:"
            yield from _lines(each.otherwise, indent + STEP)


def _line(lead: str, doc: Doc, remark: str, indent: int) -> list[str]:
    if isinstance(doc, Infix) and doc.operator == ",":
        return [" " * indent + lead + ", ".join(map(flat, doc.operands))]
    if isinstance(doc, CallDoc) and ", " in lead and indent + len(f"{lead}{doc.head}(") > WIDTH:
        targets = [" " * (indent + STEP) + f"{name}," for name in lead.removesuffix(" = ").split(", ")]
        above, (first, *rest) = [" " * indent + "(", *targets], lines(doc, indent)
        return [*above, " " * indent + f") = {first.lstrip()}", *rest]
    return lines(doc, indent, lead, comment(remark))
