"""Every bundled network's drawing and charts, opened by Chromium: `make browser`.

Needs Debian's packages `chromium` and `fonts-dejavu-core`. Each theme is opened in light and in dark surroundings, once
as it is and once by a browser that ignores embedded fonts; it finds no fonts but DejaVu. A text that is wider than what
was reserved for it, that leaves its picture, or that is not set in the font that its picture carries is listed, and the
exit code is 1.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner

from cnndsl.cli import cli
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.truetype import face_name, text_width

ROOT = Path(__file__).resolve().parent.parent
THEMES = ("paper", "dark", "mono")
SCHEMES = {"light": 1, "dark": 0}
"""The numbers by which Chromium knows what surroundings prefer."""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{cache}</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias></fontconfig>
"""
SCRIPT = """
document.fonts.ready.then(() => {
  const found = [];
  document.querySelectorAll("svg").forEach((picture, at) => {
    const page = picture.getBoundingClientRect();
    picture.querySelectorAll("text").forEach((text, number) => {
      const box = text.getBoundingClientRect();
      const across = Math.max(page.left - box.left, box.right - page.right);
      const outside = Math.max(across, page.top - box.top, box.bottom - page.bottom);
      found.push([at, number, text.getComputedTextLength(), outside]);
    });
  });
  const fonts = [...document.fonts];
  const failed = fonts.filter(font => font.status === "error").length;
  document.getElementById("result").textContent = JSON.stringify([found, fonts.length, failed]);
});
"""
TOLERANCE = 0.3


def commands(theme: str) -> Iterator[list[str]]:
    """The commands that draw; `{}` is the file."""
    for file in sorted((ROOT / "architectures").glob("*.cnn")):
        if file.stem != "recipe":  # it has parameters without values
            yield ["render", file.stem, "-o", "{}", "--theme", theme]
    for several in (("resnet18", "resnet50"), ("vgg11", "vgg16"), ("googlenet",)):
        yield ["render", *several, "--style", "table", "-o", "{}", "--theme", theme]
    for name in ("vgg16", "resnet50", "unet"):
        yield ["fit", name, "--memory", "24GB", "--training", "-o", "{}", "--theme", theme]
    yield ["rf", "vgg16", "--at", "features.30", "-o", "{}", "--theme", theme]


def pictures(theme: str, folder: Path) -> list[tuple[str, str]]:
    """What is drawn, with the command that drew it."""
    found: list[tuple[str, str]] = []
    for arguments in commands(theme):
        target = folder / f"{len(found)}-{theme}.svg"
        result = CliRunner().invoke(cli, [target.as_posix() if each == "{}" else each for each in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        found.append((" ".join(arguments), target.read_text(encoding="utf-8")))
    return found


def texts(picture: str) -> list[tuple[str, float, float]]:
    """Each text of a picture with what is reserved for it, and with its width in the bundled font."""
    found: list[tuple[str, float, float]] = []
    for each in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text"):
        text, size = "".join(each.itertext()), float(each.get("font-size", "0"))
        weight, is_code = int(each.get("font-weight", "400")), each.get("font-family") is not None
        reserved = width(text, size, weight, mono=is_code)  # type: ignore[arg-type]
        found.append((text, reserved, text_width(text, size, face_name(weight, is_code))))  # type: ignore[arg-type]
    return found


def measured(drawings: list[str], scheme: int, folder: Path) -> tuple[list[list[float]], int, int]:
    """What Chromium says: each text's picture, number, width, and how far it leaves the picture; fonts; failures."""
    page = folder / "page.html"
    body = "\n".join(f"<div>{each}</div>" for each in drawings)
    page.write_text(
        f"<!doctype html><meta charset=utf-8><body>{body}<pre id=result></pre><script>{SCRIPT}</script>", "utf-8"
    )
    (folder / "fonts.conf").write_text(FONTS.format(cache=folder / "cache"), "utf-8")
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("make browser needs Chromium: apt-get install chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=30000", "--dump-dom"]
    options += [f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={folder / 'profile'}"]
    environment = {**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    said = subprocess.run(
        [browser, *options, page.as_uri()], capture_output=True, text=True, env=environment, check=True, timeout=300
    ).stdout
    result = re.search(r'<pre id="result">(.+?)</pre>', said, re.DOTALL)
    if result is None:
        raise SystemExit("Chromium did not measure the page")
    return json.loads(unescape(result[1]))


def problems(theme: str, scheme: str, embedded: bool, drawn: list[tuple[str, str]], folder: Path) -> Iterator[str]:
    """What is wrong with the pictures of a theme."""
    drawings = [picture if embedded else re.sub("<style>.*?</style>", "", picture) for _, picture in drawn]
    rows, fonts, failed = measured(drawings, SCHEMES[scheme], folder)
    known = [texts(picture) for _, picture in drawn]
    where = f"{theme}, {scheme}, {'embedded' if embedded else 'DejaVu'}"
    if len(rows) != sum(map(len, known)) or failed or bool(fonts) != embedded:
        yield f"{where}: {len(rows)} texts, {fonts} fonts, {failed} of them not read"
        return
    for at, number, length, outside in rows:
        text, reserved, own = known[int(at)][int(number)]
        place = f"{where}: {drawn[int(at)][0]}: {text!r}"
        if length > reserved + TOLERANCE:
            yield f"{place} is {length:.1f} wide, {reserved:.1f} are reserved"
        if outside > TOLERANCE:
            yield f"{place} leaves the picture by {outside:.1f}"
        if embedded and abs(length - own) > TOLERANCE and "\u25a1" not in text:
            yield f"{place} is {length:.1f} wide, {own:.1f} in the bundled font"
    print(f"{where}: {len(rows)} texts of {len(drawn)} pictures", flush=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), list[str]()
        for theme in THEMES:
            drawn = pictures(theme, folder)
            for scheme in SCHEMES:
                for embedded in (True, False):
                    found += problems(theme, scheme, embedded, drawn, folder)
    print("\n".join(found[:100] or ["no text is wider than its room"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
