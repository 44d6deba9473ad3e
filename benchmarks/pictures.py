"""Pictures of five networks beside those of other tools: time of the whole process, size, smallest text in a column.

    python benchmarks/pictures.py [--python OTHER/bin/python] [--runs 3] [--folder build/peers]

The other tools run under `--python`, which needs `pip install torch torchview visualtorch torchvista modelvision
keras pydot pygraphviz`; a tool that fails has its error as its row. The tools for PyTorch draw the modules that
`cnndsl compile` writes; Keras, on its PyTorch backend, draws the models in `peers_keras.py`. Graphviz is the one in
pygraphviz's wheel. Times are of the processor, the median of the runs. Text is scaled with its picture to 240 pt, a
column of a paper. torchvista writes a page that draws in a browser: its time is without that, and Chromium then draws
it. Its size is that of the drawing's lines, since the page itself scales to the window.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

NETS = {
    "lenet5": (1, 1, 32, 32),
    "vgg16": (1, 3, 224, 224),
    "resnet18": (1, 3, 224, 224),
    "googlenet": (1, 3, 224, 224),
    "unet": (1, 1, 572, 572),
}
ENDINGS = {
    "cnndsl": "svg",
    "torchview": "svg",
    "keras": "svg",
    "visualtorch": "png",
    "torchvista": "html",
    "modelvision": "svg",
}
COLUMN = 240


def module(net: str):
    """Build the module that `cnndsl compile` wrote."""
    import importlib

    from torch import nn

    written = vars(importlib.import_module(net))
    built = [each for each in written.values() if isinstance(each, type) and issubclass(each, nn.Module)]
    return built[-1]().eval()


def torchview(net: str, file: Path) -> None:
    from pygraphviz import AGraph
    from torchview import draw_graph

    drawn = draw_graph(module(net), input_size=NETS[net], device="meta").visual_graph
    AGraph(string=drawn.source).draw(str(file), prog="dot")


def keras(net: str, file: Path) -> None:
    from keras.utils import model_to_dot
    from peers_keras import MODELS
    from pygraphviz import AGraph

    dot = model_to_dot(MODELS[net](), show_shapes=True, dpi=72)
    AGraph(string=dot.to_string()).draw(str(file), prog="dot")


def visualtorch(net: str, file: Path) -> None:
    from visualtorch import render

    render(module(net), NETS[net], style="flow").save(file)


def torchvista(net: str, file: Path) -> None:
    import torch
    from torchvista import trace_model

    trace_model(module(net), torch.zeros(NETS[net]), export_path=str(file), export_format="html")


def modelvision(net: str, file: Path) -> None:
    from modelvision import render

    render(module(net), str(file), input_shape=NETS[net])


PEERS: dict[str, Callable[[str, Path], None]] = {
    each.__name__: each for each in (torchview, keras, visualtorch, torchvista, modelvision)
}


def in_browser(page: Path) -> str:
    """Return the SVG that a page draws in Chromium, or nothing."""
    browser = which("chromium") or which("google-chrome")
    if browser is None:
        return ""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--timeout=60000", "--dump-dom"]
    done = subprocess.run(
        [*command, page.absolute().as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    found = re.findall(r"<svg.*?</svg>", done.stdout, re.DOTALL)
    return max(found, key=len, default="")


def pixels(file: Path) -> str:
    """Describe a PNG by its header."""
    head = file.read_bytes()[16:24]
    return f"{int.from_bytes(head[:4]):,} x {int.from_bytes(head[4:]):,} px | -"


def size_of(svg: str) -> tuple[float, float]:
    """Return the width and height of an SVG in points; a number without a unit is in pixels of 0.75 pt."""
    start = re.search(r"<svg[^>]*>", svg, re.DOTALL)
    found = re.findall(r'\b(width|height)="([\d.]+)(pt|px)?"', start[0] if start else "")
    sizes = {name: float(value) * (1 if unit == "pt" else 0.75) for name, value, unit in found}
    return sizes["width"], sizes["height"]


def extent(svg: str) -> tuple[float, float]:
    """Return the width and height of the lines of an SVG that has no size, in points."""
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(re.findall(r' d="([^"]+)"', svg)))
    across, down = zip(*((float(x), float(y)) for x, y in points), strict=True)
    return 0.75 * (max(across) - min(across)), 0.75 * (max(down) - min(down))


def measured(file: Path) -> str:
    """Return size and smallest text of a picture as cells of a table."""
    if file.suffix == ".png":
        return pixels(file)
    svg = in_browser(file) if file.suffix == ".html" else file.read_text("utf-8")
    if " d=" not in svg:
        return "nothing drawn | -"
    width, height = extent(svg) if file.suffix == ".html" else size_of(svg)
    box = re.search(r'<svg[^>]*viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', svg)
    unit = width / float(box[1]) if box else 0.75
    texts = re.findall(r'font-size(?:="|:\s*)([\d.]+)(pt)?', svg)
    smallest = min(float(size) * (1 if points else unit) for size, points in texts)
    return f"{width:,.0f} x {height:,.0f} pt | {smallest * min(1, COLUMN / width):.1f} pt"


def seconds(command: list[str], environment: dict[str, str], log: Path) -> float:
    """Return the seconds of the processor that a process takes. Raises RuntimeError with its last line."""
    with log.open("w") as said, subprocess.Popen(command, env=environment, stdout=said, stderr=said) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError((log.read_text().strip().splitlines() or ["failed"])[-1][:120])
    return usage.ru_utime + usage.ru_stime


def row(tool: str, net: str, options: argparse.Namespace) -> str:
    """Measure one tool on one network."""
    file = options.folder / f"{net}-{tool}.{ENDINGS[tool]}"
    command = [options.python, __file__, "--peer", tool, "--net", net, "--folder", str(options.folder)]
    if tool == "cnndsl":
        command = [sys.executable, "-m", "cnndsl", "render", net, "--width", "column", "-f", "-o", str(file)]
    here = Path(__file__).parent
    paths = [str(here.parent)] if tool == "cnndsl" else [str(options.folder), str(here)]
    environment = os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(paths)}
    try:
        times = [seconds(command, environment, options.folder / "log.txt") for _ in range(options.runs)]
    except RuntimeError as reason:
        return f"| {net} | {tool} | {reason} | - | - |"
    return f"| {net} | {tool} | {statistics.median(times):.2f} s | {measured(file)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/peers"))
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--net", choices=NETS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        PEERS[options.peer](options.net, options.folder / f"{options.net}-{options.peer}.{ENDINGS[options.peer]}")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    print("| network | tool | time | size | smallest text |\n|---|---|---|---|---|", flush=True)
    for net in NETS:
        command = [sys.executable, "-m", "cnndsl", "compile", net, "--force", "-o", str(options.folder / f"{net}.py")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for tool in ENDINGS:
            print(row(tool, net, options), flush=True)


if __name__ == "__main__":
    main()
