"""A network as a Python module that needs torch and nothing else.

`source` gives the text of a file as `ruff format` would leave it: a class for each block, the network's own class, and
a few lines that run it once. What it returns: `forward` gives the output; a network with taps gives a tuple of the
output and its taps, in the order of the program. Taps for training alone are computed in training only, and only then
part of a tuple: an evaluated network gives what it would give without them, as torchvision's do.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from cnndsl.emit.emission import Emission
from cnndsl.emit.forward import ForwardWriter
from cnndsl.emit.helpers import HELPERS
from cnndsl.emit.layout import STEP, WIDTH, Infix, Item, Text, flat, lines
from cnndsl.emit.names import class_name, comment, variable
from cnndsl.emit.plan import ClassPlan, Parameter, Statement, Suite
from cnndsl.emit.settings import kept
from cnndsl.emit.terms import text
from cnndsl.expr import show
from cnndsl.graph import Graph

_DIVISIBLE = '''\
def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, and at least 90% of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
'''


def source(graph: Graph) -> str:
    """The text of the module. Raises CnnError for labels that PyTorch cannot bear.

    >>> from cnndsl.network import loads
    >>> "self.fc = nn.Linear(192, 10)  # 10" in source(loads("INPUT 8x8x3 -> fc: FC-10").graph)
    True
    """
    root = Emission(graph, kept(graph)).root()
    plans = list(_in_order(root, {}))
    taken: set[str] = set(HELPERS)
    for plan in (root, *plans[:-1]):
        plan.name = class_name(plan.wanted_name, taken)
    root.doc = _use(graph, root)
    sections = [_opening(graph, root, plans)]
    if any("divisible()" in plan.helpers for plan in plans):
        sections.append(_DIVISIBLE.rstrip())
    sections += [
        HELPERS[name].rstrip() for name in sorted({name for plan in plans for name in plan.helpers}) if name in HELPERS
    ]
    sections += ["\n".join(_class(plan)) for plan in plans]
    sections.append("\n".join(_main(graph, root)))
    return "\n\n\n".join(sections) + "\n"


def _use(graph: Graph, root: ClassPlan) -> str:
    """How the network is called, and what it gives."""
    arguments = ", ".join(map(_passed, root.parameters))
    taken, given = ("x".join(map(str, ("N", *_extents(graph, at)))) for at in (0, graph.output))
    more = ""
    if len(graph.taps) > 0:
        always = [tap.name for tap in graph.taps if not tap.training_only]
        trained = [tap.name for tap in graph.taps if tap.training_only]
        more = f", then {', '.join(always)}" if always else ""
        more += f", training adds {', '.join(trained)}" if trained else ""
    full = f"`{root.name}({arguments})` takes {taken} and gives {given}{more}."
    return full if len(_docstring(full)) == 1 else f"`{root.name}({arguments})`: {taken} -> {given}{more}."


def _passed(parameter: Parameter) -> str:
    return f"{parameter.name}={text(parameter.default)}" if parameter.default is not None else parameter.name


def _extents(graph: Graph, node: int) -> tuple[int, ...]:
    shape = graph.nodes[node].shape
    return (shape.channels, *shape.spatial)


def class_of_network(text: str) -> str:
    """The name of the network's class in an emitted text: the last one."""
    return re.findall(r"^class (\w+)\(", text, re.MULTILINE)[-1]


def _in_order(plan: ClassPlan, seen: dict[int, ClassPlan]) -> Iterator[ClassPlan]:
    """Every class after those that it uses."""
    if id(plan) in seen:
        return
    seen[id(plan)] = plan
    for each in plan.inner:
        yield from _in_order(each, seen)
    yield plan


# The head


def _opening(graph: Graph, root: ClassPlan, plans: Sequence[ClassPlan]) -> str:
    described = _comments(graph) or [f"{root.name}."]
    text_lines = [_escaped(comment(line)) for line in (*described, "", *_wrapped(_facts(graph, root)))]
    typed = any(plan.program is not None for plan in plans)
    imports = ["import torch", "from torch import Tensor, nn" if typed else "from torch import nn"]
    sources = "".join(HELPERS.get(name, "") for plan in plans for name in plan.helpers)
    if re.search(r"\bmath\.", sources):
        imports = ["import math", "", *imports]
    if re.search(r"\bF\.", sources):
        imports.append("from torch.nn import functional as F")
    return "\n".join([f'"""{text_lines[0]}', *text_lines[1:], '"""', "", *imports])


def _facts(graph: Graph, root: ClassPlan) -> str:
    """Where the file comes from, and how large the network is."""
    tensors = (tensor for node in graph for tensor in node.layer.tensors(*graph.shapes(node)))
    params = sum(tensor.numel for tensor in tensors if tensor.role != "buffer")
    macs = sum(node.layer.macs(*graph.shapes(node)) for node in graph)
    arguments = {each.name for each in root.parameters}
    fixed = [f"{name} = {show(value)}" for name, value in graph.settings.items() if variable(name) not in arguments]
    origin = f"{graph.file} (sha256 {graph.digest[:8]}), by cnndsl"
    built = f" with {', '.join(fixed)}" if fixed else ""
    return f"{origin}{built}: {params:,} parameters, {_human(macs)} multiply-adds."


def _human(number: int) -> str:
    """In short.

    >>> _human(15_470_264_320), _human(1500), _human(7)
    ('15.5G', '1.5K', '7')
    """
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:.{1 if number < 100 * size else 0}f}{unit}"
    return str(number)


def _comments(graph: Graph) -> list[str]:
    """What the program says of itself: the comments that it begins with, up to the first line that ends a sentence."""
    found: list[str] = []
    for line in graph.source.text.splitlines():
        stripped = line.strip()
        if not stripped.startswith("#") or (found and found[-1].endswith(".")):
            break
        found.append(stripped.lstrip("#").strip())
    return [line.lstrip("~") for line in _wrapped("~~~" + " ".join(found))] if any(found) else []


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def _docstring(line: str) -> list[str]:
    """In its quotes; on several lines where one is too short."""
    if len(line) <= WIDTH - STEP - len('""""""'):
        return [f'"""{line}"""']
    return [*textwrap.wrap(f'"""{line}', WIDTH - STEP - 3, break_long_words=False, break_on_hyphens=False), '"""']


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip()


# Classes


def _class(plan: ClassPlan) -> Iterator[str]:
    margin = " " * STEP
    yield f"class {plan.name}({plan.base}):"
    yield from (margin + line for line in _docstring(_escaped(comment(plan.doc))))
    yield ""
    yield from _signature("__init__", [_parameter(each) for each in plan.parameters], "None")
    yield from _statements(plan.init, 2 * STEP)
    if plan.program is None:
        return
    writer = ForwardWriter(plan.program, plan.base == "nn.ModuleDict", plan.peak)
    arguments = [f"{name}: Tensor" for name in writer.arguments()]
    body = writer.statements()
    yield ""
    yield from _signature("forward", arguments, writer.returned())
    yield from _statements(body, 2 * STEP)


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f" = {text(parameter.default)}"
    return f"{parameter.name}: {parameter.type}{default}"


def _signature(name: str, arguments: Sequence[str], returned: str) -> list[str]:
    from cnndsl.emit.layout import Call

    items = tuple(Item(Text(each)) for each in ("self", *arguments))
    return lines(Call(f"def {name}", items), STEP, tail=f" -> {returned}:")


def _statements(statements: Sequence[Statement], indent: int) -> Iterator[str]:
    for each in statements:
        if not isinstance(each, Suite):
            yield from _line(each.lead, each.doc, each.comment, indent)
            continue
        yield from lines(each.doc, indent, each.lead, each.comment, ":")
        yield from _statements(each.body, indent + STEP)
        if each.otherwise:
            yield " " * indent + "else:"
            yield from _statements(each.otherwise, indent + STEP)


def _line(lead: str, doc: object, remark: str, indent: int) -> list[str]:
    if isinstance(doc, Infix) and doc.operator == ",":
        return [" " * indent + lead + ", ".join(map(flat, doc.operands))]
    return lines(doc, indent, lead, comment(remark))  # pyright: ignore[reportArgumentType]


# The end


def _main(graph: Graph, root: ClassPlan) -> Iterator[str]:
    extents = ", ".join(map(str, (1, *_extents(graph, 0))))
    several = root.program is not None and len(root.program.outs) > 1
    yield 'if __name__ == "__main__":'
    yield "    from torch.utils.benchmark import Timer"
    yield ""
    yield '    device = torch.accelerator.current_accelerator(True) or torch.device("cpu")'
    yield "    with device, torch.inference_mode():"
    yield f"        model, x = {root.name}().eval(), torch.randn({extents})"
    yield f"        y, params = model(x){'[0]' if several else ''}, sum(p.numel() for p in model.parameters())"
    yield '        seconds = Timer("model(x)", globals=globals()).timeit(1).mean'
    yield '    print(f"{tuple(y.shape)}, {params:,} parameters, {seconds:.4f} s on {device}")'
