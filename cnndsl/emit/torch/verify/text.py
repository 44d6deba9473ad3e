"""The source as the classes, functions and names that it defines. Anything outside the subset raises Trouble."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from cnndsl.emit.torch.verify.leaves import Forms
from cnndsl.emit.torch.verify.lower_helpers import is_function, is_helper
from cnndsl.emit.torch.verify.names import function, is_docstring
from cnndsl.emit.torch.verify.signatures import SIGNATURES, constant, of_class, parameters
from cnndsl.emit.torch.verify.values import (
    REQUIRED,
    Builtin,
    ClassInfo,
    ContainerKind,
    Function,
    LeafClass,
    Module,
    NotUnderstood,
    Template,
    Trouble,
    TupleClass,
)

_KINDS: Mapping[str, ContainerKind] = {
    "Module": "module",
    "Sequential": "sequential",
    "ModuleList": "list",
    "ModuleDict": "dict",
}

CONTAINERS: Mapping[str, ClassInfo] = {name: ClassInfo(name, kind, None, None, None) for name, kind in _KINDS.items()}
"""PyTorch's container modules by name."""

_MODULES: Mapping[str, str] = {"math": "math", "torch": "torch", "torch.nn.functional": "F"}

_NAMES: Mapping[tuple[str, str], object] = {
    ("fractions", "Fraction"): Builtin("Fraction"),
    ("typing", "NamedTuple"): Builtin("NamedTuple"),
    ("torch", "Tensor"): Builtin("Tensor"),
    ("torch", "nn"): Module("nn"),
    ("torch.nn", "functional"): Module("F"),
}
"""The names that can be imported from each module."""

ANNOTATIONS = frozenset((("nn", "Module"), ("torch", "Tensor"), ("torch", "Size")))
"""The attributes of modules that an annotation may use."""

PLAIN_NAMES = frozenset(
    "range enumerate zip len int float str bool min max abs round tuple list isinstance sum super type print "
    "ValueError TypeError".split()
)
"""The built-in names of Python that the source may use."""


class Program:
    """A parsed source: its names, its last class, and what has been built from it so far."""

    __slots__ = ("_lines", "forms", "leaf_classes", "main", "names", "templates", "trusted")

    def __init__(self, text: str, plugins: Mapping[str, str]) -> None:
        self._lines = text.split("\n")
        self.names: dict[str, object] = {}
        self.trusted: list[str] = []
        self.main: ClassInfo | None = None
        self.forms = Forms()
        self.leaf_classes: dict[str, LeafClass] = {}
        self.templates: dict[object, Template] = {}
        for statement in _parsed(text):
            self._define(statement, plugins)

    def _define(self, statement: ast.stmt, plugins: Mapping[str, str]) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.FunctionDef():
                self._check_new(statement)
                check_annotations(statement, self.names)
                self.names[statement.name] = self._function(statement)
            case ast.ClassDef():
                self._check_new(statement)
                self.names[statement.name] = self._class(statement, plugins)
            case ast.If(test=ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), orelse=[]):
                pass
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                raise NotUnderstood("a statement at the level of the module", statement.lineno)

    def _check_new(self, statement: ast.FunctionDef | ast.ClassDef) -> None:
        if statement.name in self.names:
            raise Trouble(f"`{statement.name}` is defined a second time", statement.lineno)
        if statement.decorator_list:
            raise NotUnderstood("a decorator", statement.lineno)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        for each in statement.names:
            bound = each.asname or each.name
            if isinstance(statement, ast.ImportFrom):
                if (statement.module, each.name) == ("__future__", "annotations"):
                    continue
                value = _NAMES.get((statement.module or "", each.name))
            else:
                value = Module(_MODULES[each.name]) if each.name in _MODULES else None
                if "." in bound:
                    value = None
            if value is None or bound in self.names:
                raise NotUnderstood(f"the import of `{each.name}`", statement.lineno)
            self.names[bound] = value

    def _function(self, node: ast.FunctionDef) -> object:
        """Return a function that can be followed, or one whose exact source is known."""
        if not is_function(node.name, self._text_of(node)):
            return function(node, self._default)
        self._check_usual(node)
        self.trusted.append(node.name)
        return Builtin(node.name)

    def _class(self, node: ast.ClassDef, plugins: Mapping[str, str]) -> object:
        base = node.bases[0] if len(node.bases) == 1 and not node.keywords else None
        if base is None or getattr(node, "type_params", None):
            raise NotUnderstood(f"the bases of the class `{node.name}`", node.lineno)
        if isinstance(base, ast.Name):
            if not _is(self.names.get(base.id), Builtin, "NamedTuple"):
                raise NotUnderstood(f"the base of the class `{node.name}`", node.lineno)
            return self._tuple_class(node)
        origin = self._origin(node, plugins)
        if origin:
            self.trusted.append(node.name)
            return LeafClass(f"{origin}:{node.name}", *of_class(self._text_of(node)))
        kind = self._kind(base)
        if kind is None:
            raise NotUnderstood(f"the base of the class `{node.name}`", node.lineno)
        init, forward = self._methods(node)
        info = ClassInfo(node.name, kind, node, init, forward)
        self.main = info
        return info

    def _origin(self, node: ast.ClassDef, plugins: Mapping[str, str]) -> str:
        """Return what a class is if its exact source is known under the usual names: `helper`, `plugin`, or empty."""
        text = self._text_of(node).rstrip()
        if is_helper(node.name, text):
            origin = "helper"
        elif text == plugins.get(node.name, "").rstrip():
            origin = "plugin"
        else:
            return ""
        self._check_usual(node)
        return origin

    def _check_usual(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        """Raise Trouble if a class or function whose source is known would not find PyTorch under its usual names."""
        usual = {"torch": "torch", "nn": "nn", "F": "F"}
        what = "class" if isinstance(node, ast.ClassDef) else "function"
        for name in sorted(usual.keys() & _names_of(node)):
            if not _is(self.names.get(name), Module, usual[name]):
                raise Trouble(f"`{name}` is not PyTorch's where the {what} `{node.name}` uses it", node.lineno)

    def _text_of(self, node: ast.ClassDef | ast.FunctionDef) -> str:
        return "\n".join(self._lines[node.lineno - 1 : node.end_lineno])

    def _kind(self, base: ast.expr) -> ContainerKind | None:
        if not isinstance(base, ast.Attribute) or not isinstance(base.value, ast.Name):
            return None
        found = CONTAINERS.get(base.attr) if _is(self.names.get(base.value.id), Module, "nn") else None
        return None if found is None else found.kind

    def _methods(self, node: ast.ClassDef) -> tuple[Function | None, Function | None]:
        found: dict[str, ast.FunctionDef] = {}
        for statement in node.body:
            if is_docstring(statement):
                continue
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                check_annotation(statement.annotation, self.names)
                continue
            if not isinstance(statement, ast.FunctionDef) or statement.name not in ("__init__", "forward"):
                raise NotUnderstood(f"a statement in the class `{node.name}`", statement.lineno)
            if statement.name in found or statement.decorator_list:
                raise NotUnderstood(f"a second or decorated `{statement.name}`", statement.lineno)
            found[statement.name] = statement
            check_annotations(statement, self.names)
        init, forward = found.get("__init__"), found.get("forward")
        return init and function(init, self._default), forward and function(forward, self._default)

    def _default(self, node: ast.expr) -> object:
        """Return the value of a default: a constant, or a class of PyTorch. Raises ValueError for any other."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = self.leaf_class(node.attr) if _is(self.names.get(node.value.id), Module, "nn") else None
            if found is not None:
                return found
        return constant(node)

    def _tuple_class(self, node: ast.ClassDef) -> TupleClass:
        fields: list[tuple[str, object]] = []
        for statement in node.body:
            if is_docstring(statement):
                continue
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                raise NotUnderstood(f"a statement in the NamedTuple `{node.name}`", statement.lineno)
            check_annotation(statement.annotation, self.names)
            name = statement.target.id
            if name.startswith("_") or any(name == each for each, _ in fields):
                raise Trouble(f"`{name}` cannot be a field of the NamedTuple `{node.name}`", statement.lineno)
            default: object = REQUIRED
            if statement.value is not None:
                if not isinstance(statement.value, ast.Constant):
                    raise NotUnderstood("a default that is no constant", statement.lineno)
                default = statement.value.value
            elif fields and fields[-1][1] is not REQUIRED:
                raise Trouble(f"the field `{name}` without a default follows one with a default", statement.lineno)
            fields.append((name, default))
        return TupleClass(node.name, tuple(fields))

    def leaf_class(self, name: str) -> LeafClass | None:
        """Return the PyTorch class with this name; None if there is none that computes."""
        found = self.leaf_classes.get(name)
        if found is None and name in SIGNATURES:
            params, star = parameters(SIGNATURES[name])
            found = self.leaf_classes[name] = LeafClass(name, params, star)
        return found


def _parsed(text: str) -> list[ast.stmt]:
    """Return the statements of the source."""
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as stop:
        line = stop.lineno if isinstance(stop, SyntaxError) else 0
        raise Trouble(f"this is not Python: {stop}", line or 0) from None


def _is(value: object, kind: type[Module] | type[Builtin], name: str) -> bool:
    return isinstance(value, kind) and value.name == name


def _names_of(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def check_annotations(node: ast.FunctionDef, names: Mapping[str, object]) -> None:
    """Raise Trouble if an annotation uses an undefined name: Python evaluates annotations on import."""
    for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if each.annotation is not None:
            check_annotation(each.annotation, names)
    if node.returns is not None:
        check_annotation(node.returns, names)


def check_annotation(node: ast.expr, names: Mapping[str, object]) -> None:
    """Raise Trouble if an annotation uses an undefined name."""
    for each in _walked(node):
        match each:
            case ast.Name(id=name):
                if name not in names and name not in PLAIN_NAMES:
                    raise Trouble(f"the annotation `{name}` is not defined", each.lineno)
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                known = names.get(name)
                if not (isinstance(known, Module) and (known.name, attr) in ANNOTATIONS):
                    raise NotUnderstood(f"the annotation `{name}.{attr}`", each.lineno)
            case ast.Constant(value=None) | ast.Constant(value=builtins.Ellipsis) | ast.Subscript() | ast.Tuple():
                pass
            case ast.BinOp(op=ast.BitOr()):
                pass
            case _:
                raise NotUnderstood("an annotation", each.lineno)


def _walked(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions of an annotation, without the name before a dot."""
    yield node
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _walked(child)
