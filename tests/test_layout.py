"""The house's rules, held against the import statements and the code: see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

import pytest

from cnndsl.layers.base import Layer

ROOT = Path(__file__).parent.parent
GENERATED = ROOT / "cnndsl" / "syntax" / "tables.py"
SOURCES = sorted(path for path in (ROOT / "cnndsl").rglob("*.py") if path != GENERATED)

OUTER = {"cli", "commands", "__main__"}
"""Those who see everything, whom nobody else sees, and who alone print and exit."""

ORDER = (
    *(
        "records",
        "errors",
        "limits",
        "values",
        "expressions",
        "functions",
        "range_fixes",
        "expr",
        "shape",
        "terminal",
        "layers",
        "graph",
    ),
    *("resources", "files", "finding"),
    "syntax",
    *("elaborate", "settings", "importers"),
    *("analysis", "sweeping", "catalogue"),
    *("report", "emit", "runtime"),
    *("codes", "diagnostics"),
    *("linting", "fixes", "recovery", "network", "comparing", "testing", "commands", "cli", "__main__"),
)
"""Folders and files right under cnndsl/, each of which imports from those before it alone."""

NETWORKX = {"cnndsl/graph", "cnndsl/report/annotated.py", "cnndsl/importers"}
"""Where networkx is imported; it is loaded with the graph."""

LARK = {"cnndsl/syntax", "cnndsl/importers/prototxt.py"}
"""Where lark is imported: our own language is read with it, and protobuf's text format."""

ORDINARY_WORDS = {"digits", "recipe"}
"""Names of networks that code may well use for something else."""


def room(path: Path) -> str:
    """The folder or file right under cnndsl/ that a file belongs to."""
    return path.relative_to(ROOT / "cnndsl").parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The full names that import statements bring in."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def executed_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: not the bodies of functions, nor what is for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from executed_on_import(child)


def ours(path: Path) -> set[str]:
    """The rooms of cnndsl that a file imports from, its own aside."""
    found = {name.split(".")[1] for name in imports(ast.walk(tree(path))) if name.startswith("cnndsl.")}
    return found - {room(path)}


def third_party(nodes: Iterator[ast.AST]) -> set[str]:
    return {name.split(".")[0] for name in imports(nodes)}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) != "__init__"], ids=relative)
def test_who_imports_whom(path: Path) -> None:
    assert ours(path) - {
        "__version__",
        "compare",
        "from_module",
        "from_networkx",
        "load",
        "loads",
        "sizes",
        "space",
        "zoo",
    } <= {*ORDER[: ORDER.index(room(path))]}


def test_the_table_of_stages_shows_this_order() -> None:
    """The second column of the table in docs/how-it-works.md; the folders of emit/ count as one."""
    guide = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    cells = [line.split("|")[2] for line in guide.splitlines() if line.startswith("| ")]
    names = [re.split(r"[/.]", name)[0] for cell in cells for name in re.findall("`(.+?)`", cell)]
    assert tuple(dict.fromkeys(names)) == ORDER


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    at_import = third_party(executed_on_import(tree(path)))
    assert not at_import & {"torch", "torchvision", "graphviz", "pygraphviz", "reportlab", "resvg_py"}
    everywhere = third_party(ast.walk(tree(path)))
    if not any(relative(path).startswith(each) for each in NETWORKX):
        assert "networkx" not in third_party(executed_on_import(tree(path)))
    if not any(relative(path).startswith(each) for each in LARK):
        assert "lark" not in everywhere


@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) not in OUTER], ids=relative)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not calls & {"print", "exit", "quit", "sys.exit", "os._exit"}


def strings_of_code(path: Path) -> Iterator[str]:
    """String constants that are not docstrings."""
    statements = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)]
    docstrings = {id(node.value) for node in statements if isinstance(node.value, ast.Constant)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


# The texts of `cnndsl explain` are documentation, with examples from the zoo.
@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) != "codes"], ids=relative)
def test_no_network_is_a_special_case(path: Path) -> None:
    zoo = {file.stem for file in (ROOT / "architectures").glob("*.cnn")} - ORDINARY_WORDS
    words = {word.lower() for text in strings_of_code(path) for word in re.findall(r"\w+", text)}
    assert not words & zoo


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def test_there_is_no_import_cycle() -> None:
    """Not even one that only type checkers or late imports see."""
    import networkx as nx

    names = {module_of(path): path for path in SOURCES}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, path in names.items():
        for imported in imports(ast.walk(tree(path))):
            target = imported if imported in names else imported.rpartition(".")[0]
            if target in names and target not in (name, "cnndsl"):
                graph.add_edge(name, target)
    assert len(graph) > 200
    assert [sorted(each) for each in nx.strongly_connected_components(graph) if len(each) > 1] == []


@pytest.mark.parametrize("folder", ["analysis", "emit"])
def test_what_comes_after_the_graph_does_not_know_the_text(folder: str) -> None:
    """Not even by way of another module: the syntax tree and the elaborator are left behind."""
    files = {module_of(path): path for path in SOURCES}
    reached = {name for name in files if name.split(".")[1:2] == [folder]}
    assert reached
    todo = sorted(reached)
    for name in todo:
        for imported in imports(ast.walk(tree(files[name]))):
            target = imported if imported in files else imported.rpartition(".")[0]
            if target in files and target not in {*reached, "cnndsl"}:
                reached.add(target)
                todo.append(target)
    assert [name for name in reached if name.split(".")[1:2] in (["syntax"], ["elaborate"])] == []


def test_what_an_elaboration_carries_with_it_stays_there() -> None:
    """Everybody else has the graph, or a layer by itself."""
    others = [path for path in SOURCES if room(path) != "elaborate"]
    found = {name.rpartition(".")[0] for path in others for name in imports(ast.walk(tree(path)))}
    assert "cnndsl.elaborate.single_layer" in found
    assert not found & {f"cnndsl.elaborate.{name}" for name in ("state", "elaborator", "options", "resolve")}


def names_of_types(path: Path) -> Iterator[str]:
    """The classes, type aliases and type variables of a module: what is capitalised like a class."""
    for node in executed_on_import(tree(path)):
        if isinstance(node, ast.ClassDef):
            yield node.name
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        is_alias = isinstance(node, ast.Assign) or (
            isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node)
        )
        if is_alias and isinstance(target, ast.Name) and re.fullmatch(r"_?[A-Z]\w*[a-z]\w*", target.id):
            yield target.id


def test_the_name_of_a_class_means_one_thing() -> None:
    """That of a type alias as well."""
    homes: dict[str, list[str]] = {}
    for path in SOURCES:
        for name in names_of_types(path):
            homes.setdefault(name, []).append(relative(path))
    assert "Shape" in homes
    assert {name: several for name, several in homes.items() if len(several) > 1} == {}


def test_the_verifier_shares_nothing_with_the_steps() -> None:
    """It knows nothing of the emitter or of the layer types; helper classes it knows by digests of their texts."""
    folder = ROOT / "cnndsl" / "emit" / "torch" / "verify"
    for path in (path for path in SOURCES if path.is_relative_to(folder)):
        found = {name for name in imports(ast.walk(tree(path))) if name.startswith(("cnndsl.emit", "cnndsl.layers"))}
        assert all(name.startswith("cnndsl.emit.torch.verify") for name in found), relative(path)


def layer_types() -> Iterator[type[Layer]]:
    """Every class under cnndsl/layers/ that is a layer type, or that several have in common."""
    for path in (path for path in SOURCES if room(path) == "layers"):
        for thing in vars(importlib.import_module(module_of(path))).values():
            if isinstance(thing, type) and issubclass(thing, Layer) and thing is not Layer:
                yield thing


TABLES = (
    "cnndsl/emit/torch/verify/",
    "cnndsl/importers/caffe/",
    "cnndsl/importers/darknet.py",
    "cnndsl/importers/torch_export/",
    "cnndsl/importers/onnx_models/",
)
"""Those who have a table of layer types on purpose: the verifier, and the readers of other tools' files."""


def knows_no_layer_type(path: Path) -> bool:
    """The tables aside; `testing` writes programs and runs layers one by one."""
    return room(path) not in ("layers", "testing", "codes") and not relative(path).startswith(TABLES)


ASKING = [path for path in SOURCES if knows_no_layer_type(path)]
"""Those who ask a layer for its properties, and so treat one of another package like ours."""

STRUCTURE = {("cnndsl/elaborate/inputs.py", "Input"), ("cnndsl/importers/flat.py", "Input")}
"""The one layer type that is a part of the language: a network begins with it, and its dimensions have a syntax."""


@pytest.mark.parametrize("path", ASKING, ids=relative)
def test_no_layer_type_is_imported(path: Path) -> None:
    types = {each.__name__ for each in layer_types()}
    found = {
        alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnndsl.layers")
        for alias in node.names
    }
    assert {name for name in found & types if (relative(path), name) not in STRUCTURE} == set()


def compared_strings(path: Path) -> Iterator[str]:
    """The literals that something is compared with, is looked for in, or is asked whether it starts or ends with."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Compare):
            sides: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            sides = node.args if node.func.attr in ("startswith", "endswith") else []
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        else:
            continue
        literals = (each for side in sides for each in ast.walk(side) if not isinstance(side, ast.Call))
        yield from (each.value for each in literals if isinstance(each, ast.Constant) and isinstance(each.value, str))


@cache
def names_of_layers() -> frozenset[str]:
    """The names of layer types, as FC, and the words that their classes' names are made of, as Pool."""
    names = {name for each in layer_types() for name in each.NAMES} - {"INPUT"}
    return frozenset(names.union(*(re.findall(r"[A-Z][a-z]+", each.__name__) for each in layer_types())))


def is_of_a_layer(text: str) -> bool:
    """True for the name of a layer type, a part of its class's name, and the name of a module."""
    return text in names_of_layers() or text.startswith("nn.")


@pytest.mark.parametrize("path", ASKING, ids=relative)
def test_nothing_is_compared_with_the_name_of_a_layer_type(path: Path) -> None:
    assert [text for text in compared_strings(path) if is_of_a_layer(text)] == []


@pytest.mark.parametrize(
    "line", ['kind == "FC"', 'head in ("ID", "IDENTITY")', '"Pad" in name', 'name.startswith("nn.Adaptive")']
)
def test_such_a_comparison_is_found(line: str, tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(line)
    assert any(map(is_of_a_layer, compared_strings(path)))


def functions_of(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The public functions, cached ones too, methods and properties that a module defines."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(inspect.unwrap(thing)):
            yield name, thing
        elif inspect.isclass(thing):
            kinds = (property, cached_property, classmethod, staticmethod)
            members = [
                each for each, value in vars(thing).items() if inspect.isfunction(value) or isinstance(value, kinds)
            ]
            yield from ((f"{name}.{each}", getattr(thing, each)) for each in members if not each.startswith("_"))


@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) != "__main__"], ids=relative)
def test_every_public_function_has_a_docstring(path: Path) -> None:
    """A method that overrides another may leave it to that one."""
    found = functions_of(importlib.import_module(module_of(path)))
    assert [name for name, each in found if not inspect.getdoc(each)] == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_public_class_has_a_docstring(path: Path) -> None:
    """In its text: dataclasses make up one of their own."""
    classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    assert [node.name for node in classes if ast.get_docstring(node) is None] == []


QUOTED = re.compile(r"`([A-Z][A-Za-z]*[a-z][A-Za-z]*|[a-z_/]+\.py)`")
"""The name of a class, or of a file."""

FOREIGN = {"ClassVar"}
"""Classes of Python's that docstrings name."""


def docstrings(path: Path) -> Iterator[str]:
    """Strings that stand by themselves: docstrings, and those under constants."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def test_classes_and_files_that_docstrings_name_exist() -> None:
    """In backquotes: `Graph`, `parse.py`. A lower-case word may be anything, so that it is not looked at."""
    classes = FOREIGN.union(*map(names_of_types, SOURCES))
    files = {path.name for path in [*SOURCES, GENERATED]}
    quoted = [(relative(path), word) for path in SOURCES for text in docstrings(path) for word in QUOTED.findall(text)]
    assert len(quoted) > 20
    assert [each for each in quoted if each[1] not in classes and each[1].split("/")[-1] not in files] == []


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "docs/how-it-works.md", "docs/emit.md"])
def test_files_that_guides_name_exist(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    files = {path.name for folder in ("cnndsl", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert {name.split("/")[-1] for name in re.findall(r"`([a-z_/]+\.py)`", text)} <= files


def test_no_file_is_too_long() -> None:
    files = [path for folder in ("cnndsl", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    del lengths[relative(GENERATED)]
    assert {path: length for path, length in lengths.items() if length > 400} == {}
