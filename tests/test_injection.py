"""Nothing of a program reaches an output but as a checked name, a number, or text that is escaped there.

Every text that the language and the command line have (comments, names, labels, references, paths, settings, file
names, entries of weights) carries poison for every output: Python, DOT, SVG, HTML, LaTeX, CSV, Markdown, JSON, SARIF,
GitHub's commands and the terminal. Each output is read by a parser of its own kind, and must say the same as that of
a harmless program.
"""

from __future__ import annotations

import ast
import builtins
import csv
import json
import keyword
import re
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from cnndsl import CnnError, loads
from cnndsl.cli import cli
from cnndsl.emit.drawing.dot import dot
from cnndsl.errors import Source
from cnndsl.files import FileError
from cnndsl.graph.labels import MODULE_ATTRIBUTES
from cnndsl.network import compiled
from cnndsl.report.formats import FORMATS

POISON = {
    "docstring": '"""; import os; os.system("touch pwned"); """',
    "end of a docstring": '"',
    "backslash": "\\",
    "escape in a string": "\\N{DIGIT ONE}\\x22\\u0022",
    "format": "{__import__('os')} %s ${x} $x",
    "DOT": '"]; evil [URL="javascript:alert(1)"]; "',
    "DOT escapes": "\\N\\G\\l\\",
    "DOT label": "<<b>x</b>>",
    "HTML": "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>",
    "HTML entity": "&lt;script&gt;&#60;",
    "HTML attribute": "' onclick=alert(1) \" onclick=alert(1) ",
    "LaTeX": "\\input{/etc/passwd}\\write18{touch pwned}%$\\csname",
    "LaTeX line": "%\\end{tabular}",
    "CSV": "=cmd|'/C calc'!A0,\"x\"",
    "Markdown": "| x | [a](javascript:alert(1)) `code` ![](http://x)",
    "GitHub": "::error file=x::y%0A::set-output name=x::y",
    "shell": "$(touch pwned)`touch pwned`;touch pwned",
    "not ASCII": "é卷🙂",
}
STEERING = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;title\x07",
    "C1": "\x9b31m",
    "line": "a\nb",
    "return": "a\rb",
    "direction": "\u202eabc",
    "separator": "a\u2028b",
}
"""What steers a terminal, or hides: refused in programs, and escaped where a file's name has it."""

BODY = "INPUT 8x8x3 -> part: [CONV3-4 -> RELU]*2 -> POOL2 -> pool: POOL2 -> up: UNPOOL2(@pool) -> GAP -> fc: FC-10\n"
CLEAN = f"net Net\n{BODY}"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not any(path.name == "pwned" for path in tmp_path.rglob("*"))


QUOTED = ("a-/b", "-", "/", "--", "//", "/-/", "--x", "0-1", "1e5-", "-1", "x-1/", "-N", "-r/", "self-x", "a-b/c")
"""Labels in quotes: all the signs that these may have, where outputs give them a meaning."""


def labelled(label: str) -> str:
    """The harmless program with a label in quotes wherever a part is named or referred to."""
    text = f"{CLEAN.rstrip()}\noutput fc"
    for name in ("part", "pool", "up", "fc"):
        text = re.sub(rf"\b{name}: ", f'"{label}{name}": ', text)
        text = re.sub(rf"(@|output ){name}\b", rf'\1"{label}{name}"', text)
    return text


def labels(source: Source) -> str:
    """What the labels of a program begin with."""
    return source.text.partition('-> "')[2].partition("part")[0] if source.name == "label.cnn" else "x-"


def harmless(source: Source) -> Source:
    """The program that a poisoned one must say the same as; its labels are in quotes where those of the other are."""
    return Source("label.cnn", labelled("x-")) if source.name == "label.cnn" else Source("net.cnn", CLEAN)


def poisoned() -> Iterator[tuple[str, Source]]:
    """The harmless program with poison in each place that takes any text."""
    for name, poison in POISON.items():
        yield f"comment, {name}", Source("net.cnn", f"# {poison}\n{CLEAN}")
        yield f"comment inside, {name}", Source("net.cnn", CLEAN.replace("-> GAP", f"-> # {poison}\n GAP"))
        yield f"comment in a hole, {name}", Source("net.cnn", CLEAN.replace("@pool", f"@poo{{'l' # {poison}\n}}"))
        yield f"file, {name}", Source(f"{poison.replace('/', '')}.cnn", CLEAN)
    for name, poison in STEERING.items():
        yield f"file, {name}", Source(f"{poison}.cnn", CLEAN)
    for label in QUOTED:
        yield f"label, {label}", Source("label.cnn", labelled(label))


CASES = {name: source for name, source in poisoned() if "hole" not in name}
cases = pytest.mark.parametrize("source", CASES.values(), ids=CASES)


# Python


def shape_of_code(text: str) -> str:
    """The code of a module without what is only read by people, and without the names of its own classes."""
    tree = ast.parse(text)
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    text = ast.dump(tree)
    for at, name in enumerate(classes):
        text = text.replace(f"'{name}'", f"'Class{at}'")
    return text


@cases
def test_python(source: Source) -> None:
    text, wanted = (compiled(each, {}).source() for each in (source, harmless(source)))
    if source.name == "label.cnn":
        found, expected = (list(map(type, ast.walk(ast.parse(each)))) for each in (text, wanted))
        assert found == expected
    else:
        assert shape_of_code(text) == shape_of_code(wanted)
    assert not CONTROL.search(text)
    compile(text, "net.py", "exec")


NAMES = sorted(
    {*keyword.kwlist, *keyword.softkwlist, *MODULE_ATTRIBUTES, *dir(builtins), "__class__", "__init__", "__del__"}
    | {"self", "x", "torch", "nn", "F", "Tensor", "math", "model", "device", "divisible", "Timer", "input", "output"}
    | {"_", "__", "cls", "params", "y", "p", "seconds", "i", "C", "H", "W", "layers", "channels", "args", "kwargs"}
)
PLACES = (
    "INPUT 8x8x3 -> NAME: CONV3-4 -> NAME2: [RELU -> NAME: FC-2]",
    "INPUT 8x8x3 -> tap NAME: GAP -> FC-2",
    "block NAME(c) = CONV3-c -> RELU\nINPUT 8x8x3 -> [NAME(3)]*2 -> NAME(4) -> FC-2",
    "block Part(NAME) = CONV3-NAME -> RELU\nINPUT 8x8x3 -> [Part(3)]*2 -> Part(4) -> FC-2",
    "net Net(NAME=3)\nlet NAME2 = 2*NAME\nINPUT 8x8x3 -> CONV3-NAME -> FC-NAME2",
    "net NAME\nINPUT 8x8x3 -> FC-2",
    "INPUT 8x8x3 -> for NAME in 1..3 [CONV3-NAME -> a{NAME}: RELU] -> FC-2",
)


def attributes(text: str) -> set[str]:
    """What the classes of a module assign to themselves."""
    targets = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute))
    return {node.attr for node in targets if isinstance(node.value, ast.Name) and node.value.id == "self"}


@pytest.mark.parametrize("place", PLACES)
def test_names_that_python_or_pytorch_have(place: str) -> None:
    """Refused, at their place; or a module that can be compiled, with labels as they are."""
    for name in NAMES:
        source = emitted(place.replace("NAME", name))
        if source is not None:
            compile(source, f"{name}.py", "exec")
            assert "NAME:" not in place or name in attributes(source), name


def emitted(text: str) -> str | None:
    """The module of a program; None where the program is refused."""
    try:
        return loads(text).source()
    except CnnError as stop:
        located = [each.span is not None for each in stop.diagnostics]
    assert all(located), text
    return None


# Documents


@cases
def test_json(source: Source) -> None:
    found, wanted = (json.loads(compiled(each, {}).stats().render("json")) for each in (source, harmless(source)))
    for row in (*found["layers"], *wanted["layers"]):
        for key in ("path", "text"):
            row[key] = re.sub(rf"(x-|{labels(source)})(?=part|pool|up|fc)", "", row[key])
    assert found["layers"] == wanted["layers"]


@cases
def test_csv(source: Source) -> None:
    text = compiled(source, {}).stats().render("csv")
    rows = list(csv.reader(text.splitlines()))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == len(compiled(harmless(source), {}).graph)
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r") and len(cell) > 1]


@cases
def test_markdown(source: Source) -> None:
    text = compiled(source, {}).stats().render("markdown")
    lines = [re.sub(r"\\.", "", line) for line in text.splitlines()]
    wanted = compiled(harmless(source), {}).stats().render("markdown").splitlines()
    assert [line.count("|") for line in lines] == [re.sub(r"\\.", "", line).count("|") for line in wanted]
    assert not re.search(r"[<>`]|\]\(|!\[", "\n".join(lines))


class Tags(HTMLParser):
    """Counts elements and attributes; keeps the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.update([tag, *(f"{tag} {name}" for name, _ in attrs)])

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@cases
def test_html(source: Source) -> None:
    found = Tags(compiled(source, {}).stats().render("html"))
    assert found.tags == Tags(compiled(harmless(source), {}).stats().render("html")).tags
    stats = compiled(source, {}).stats()
    assert Tags(stats._repr_html_()).tags == Tags(compiled(harmless(source), {}).stats()._repr_html_()).tags


@cases
def test_latex(source: Source) -> None:
    columns = ["path", "text", "output", "params"]
    text = compiled(source, {}).stats().render("latex", columns=columns)
    commands = {
        "textgreater",
        "textless",
        "textbar",
        "textquotedbl",
        "toprule",
        "midrule",
        "bottomrule",
        "begin",
        "end",
        "times",
        "quad",
        *("centering", "caption", "label", "fontsize", "selectfont", "setlength", "tabcolsep", "belowcaptionskip"),
        *("raggedright", "arraybackslash", "hspace"),
    }
    code = [line for line in text.splitlines() if not line.startswith("%")]
    assert set(re.findall(r"\\([a-zA-Z]+)", "\n".join(code))) <= commands
    assert [line.replace("\\&", "").count("&") for line in code] == [
        line.replace("\\&", "").count("&")
        for line in compiled(harmless(source), {}).stats().render("latex", columns=columns).splitlines()
        if not line.startswith("%")
    ]


@cases
@pytest.mark.parametrize("fold", [False, True])
def test_dot_and_svg(source: Source, fold: bool) -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    drawn, wanted = (
        pygraphviz.AGraph(string=dot(net.graph, fold_repeats=fold))
        for net in (
            compiled(source, {}),
            compiled(harmless(source), {}),
        )
    )
    assert drawn.nodes() == wanted.nodes()
    assert drawn.edges() == wanted.edges()
    assert {name for node in drawn.nodes() for name in node.attr} == {
        name for node in wanted.nodes() for name in node.attr
    }
    if fold:
        return
    compiled(source, {}).render("net.svg")
    elements = list(ElementTree.parse("net.svg").iter())
    assert {each.tag.rpartition("}")[2] for each in elements} <= {
        "svg",
        "g",
        "title",
        "desc",
        "style",
        "rect",
        "text",
        "path",
        "a",
    }
    names = {name.rpartition("}")[2] for each in elements for name in each.attrib}
    assert not [name for name in names if name.startswith("on")]
    links = {value for each in elements for name, value in each.attrib.items() if name.endswith("href")}
    assert not [link for link in links if link]


# The terminal


@cases
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_steers_the_terminal(source: Source, form: str) -> None:
    assert not CONTROL.search(compiled(source, {}).stats().render(form))


@pytest.mark.parametrize("poison", STEERING.values(), ids=STEERING)
def test_what_steers_a_terminal_is_refused_in_programs(poison: str) -> None:
    for text in (f"# {poison}\n{CLEAN}", CLEAN.replace("-> GAP", f"-> {poison}: GAP"), f'use "{poison}": A\n{CLEAN}'):
        if "\n" in poison and text.startswith("#"):
            continue
        with pytest.raises(CnnError) as caught:
            loads(text)
        assert all(each.span is not None for each in caught.value.diagnostics)


BAD = "INPUT 8x8x3 -> CONV3-4(pad=no) -> NOPE\n"
DIAGNOSTICS = ("full", "concise", "json", "github", "sarif")
COMMANDS = [
    ("stats", "FILE"),
    *(("stats", "FILE", "--format", form) for form in FORMATS),
    *(("check", "FILE", "--output-format", form) for form in DIAGNOSTICS),
    *(("lint", "FILE", "--output-format", form) for form in DIAGNOSTICS),
    ("rf", "FILE"),
    ("rf", "FILE", "--at", "fc", "-o", "rf.svg"),
    ("fit", "FILE", "--memory", "8GB", "--plot"),
    ("diff", "FILE", "vgg16"),
    ("diff", "FILE", "vgg16", "--format", "markdown"),
    ("diff", "FILE", "vgg16", "--format", "json"),
    ("compare", "FILE", "vgg11", "--sort", "params"),
    ("compare", "FILE", "--columns", "params,summary", "--format", "latex"),
    ("compare", "lenet5", "--set", "FILE"),
    ("sweep", "FILE"),
    ("sweep", "FILE", "--format", "csv"),
    ("compile", "FILE", "-o", "-"),
    ("compile", "FILE", "-o", "net.py"),
    ("compile", "FILE", "--check"),
    ("render", "FILE", "-o", "-"),
    ("render", "FILE", "-o", "net.gv"),
    ("fmt", "FILE"),
    ("fmt", "--diff", "FILE"),
    ("new", "FILE"),
    ("FILE",),
    ("stats", "vgg16", "--set", "FILE"),
    ("stats", "vgg16", "--set", "classes=FILE"),
    ("stats", "vgg16", "--columns", "FILE"),
    ("lint", "vgg16", "--select", "FILE"),
    ("rf", "vgg16", "--at", "FILE"),
    ("sweep", "vgg16", "--where", "FILE"),
    ("sweep", "vgg16", "--set", "classes=FILE"),
    ("sweep", "vgg16", "--sort", "FILE"),
    ("sweep", "vgg16", "--pareto", "FILE"),
    ("fit", "vgg16", "--memory", "FILE"),
    ("bench", "vgg16", "--device", "FILE"),
    ("zoo", "FILE"),
    ("render", "vgg16", "-o", "FILE.xyz"),
    ("compile", "vgg16", "--weights", "FILE"),
]


@pytest.mark.parametrize("poison", {**STEERING, **POISON}.values(), ids={**STEERING, **POISON})
@pytest.mark.parametrize("text", [CLEAN, BAD], ids=["good", "bad"])
def test_names_of_files_and_arguments(poison: str, text: str) -> None:
    name = f"{poison.replace('/', '')}.cnn"
    Path(name).write_text(text, encoding="utf-8")
    for command in COMMANDS:
        if command[0] == "bench" and "torch" not in sys.modules:
            continue
        result = CliRunner().invoke(cli, [part.replace("FILE", name) for part in command])
        assert result.exception is None or isinstance(result.exception, SystemExit | CnnError | FileError), command
        assert not CONTROL.search(result.output), command
        if "github" in command:
            assert all(line.startswith("::") for line in result.stdout.splitlines()), command
        if result.stdout and ("json" in command or "sarif" in command):
            json.loads(result.stdout)
    for path in (Path("rf.svg"),):
        if path.exists():
            assert "script" not in {each.tag.rpartition("}")[2] for each in ElementTree.parse(path).iter()}


@pytest.mark.parametrize("poison", {**STEERING, **POISON}.values(), ids={**STEERING, **POISON})
def test_entries_of_weights(poison: str) -> None:
    header = json.dumps({poison: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    Path("net.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
    result = CliRunner().invoke(cli, ["compile", "vgg16", "--weights", "net.safetensors", "-o", "-"])
    assert result.exit_code == 1
    assert not CONTROL.search(result.output)
