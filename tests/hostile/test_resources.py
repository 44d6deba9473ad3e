"""Any text of up to 8 KiB gives a result or a located error within a second and 200 MB, whatever is done with it.

Unless it is a network of more than 10,000 layers: then it takes what such a network takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import test_networks

ROOT = Path(__file__).parent.parent.parent
CORPUS = sorted((ROOT / "fuzz" / "corpus").iterdir())
NET = "INPUT 8x8x3 -> "
LONGEST = int(os.environ.get("CNNDSL_HOSTILE_BYTES", 8 * 2**10))
COPIES, MEGABYTES = 45, 200  # a second, on a machine on which the guard's copy takes 22 ms


def filled(first: str, each: str, last: str = "", joint: str = "") -> str:
    """As many of something as fit."""
    number = (LONGEST - len(first) - len(last)) // (len(each.format(9999)) + len(joint))
    return first + joint.join(each.format(at) for at in range(number)) + last


TEXTS = {
    "layers": filled(NET, "RELU", joint="->"),
    "convolutions": filled(NET, "CONV3-{}", joint=" -> "),
    "labels": filled(NET, "a{}: ID", joint="->"),
    "labelled groups": filled(NET, "a{}: [RELU -> TANH]", joint=" -> "),
    "branches": filled(f"{NET}(", "ID", ")", "+"),
    "concatenated branches": filled(f"{NET}(", "RELU", ")", "|"),
    "merges": filled(NET, "(RELU + ID)", joint="->"),
    "choices": filled(f"{NET}(RELU + ", "CONV3-5", " or ID)", " or "),
    "optional parts": filled(NET, "RELU?a{}", joint="->"),
    "references": filled(f"{NET}a: RELU -> ", "(ID + @a)", joint="->"),
    "taps": filled(NET, "tap t{}: GAP", " -> RELU", "->"),
    "tables": filled(f"{NET}for c in ", "{}", " [CONV1-c]", ","),
    "rows": filled(f"{NET}for c, d in ", "({}, 1)", " [CONV1-{c + d + 1}]", ","),
    "blocks": filled("", "block B{} = RELU\n", f"{NET}B1"),
    "calls": filled(f"block B = RELU\n{NET}", "B", joint="->"),
    "calls with arguments": filled(f"block B(c, s=1) = CONV3-c/s\n{NET}", "B({})", joint="->"),
    "calls of calls": filled("block B0 = ID\n", "block C{0} = (ID + RELU)\n", f"{NET}[C1]*500"),
    "parameters": filled("net Net(", "p{}=1", f")\n{NET}RELU", ","),
    "domains": filled("net Net(", "p{} in 0..99999 = 1", f")\n{NET}RELU", ","),
    "values of a domain": filled("net Net(n in {{", "{}", f"}})\n{NET}RELU", ",").replace("{{", "{").replace("}}", "}"),
    "free parameters": filled(NET, "CONV3-a{}", joint="->"),
    "names": filled("", "let a{} = 1\n", f"{NET}RELU"),
    "contracts": filled(f"{NET}RELU\n", "assert params == 0\n"),
    "contracts on parts": filled(f"{NET}a: [b: RELU]\n", "assert a.b.output == 8x8x3\n"),
    "broken contracts": filled(f"{NET}RELU\n", "assert params == 1\n"),
    "unknown facts": filled(f"{NET}RELU\n", "assert parms == 1\n"),
    "defaults": filled("", "default CONV(bias=no)\n", f"{NET}CONV"),
    "arguments": filled(f"{NET}CONV3-4(", "pad=1", ")", ","),
    "channels": filled(f"{NET}PICK(", "0", ")", ","),
    "extents": filled("INPUT ", "9", " -> RELU", "x"),
    "terms": filled("let a = ", "1", f"\n{NET}RELU", "+"),
    "terms, in a contract": filled(f"{NET}RELU\nassert 1 == ", "1", "", "+"),
    "function arguments": filled("let a = min(", "1", f")\n{NET}RELU", ","),
    "comments": filled("", "#\n", f"{NET}RELU"),
    "one comment": filled("#", "x", f"\n{NET}RELU"),
    "blank lines": filled("", "\n", f"{NET}RELU"),
    "unknown layers": filled(NET, "NOPE{}", joint="->"),
    "one name for all": filled(NET, "a: RELU", joint="->"),
    "unknown references": filled(NET, "(ID + @b{})", joint="->"),
    "unknown options": filled(NET, "CONV(p{}=1)", joint="->"),
    "unknown files": filled("", 'use "f{}.cnn": A\n', f"{NET}A"),
    "one file, often": filled("", 'use "vgg16.cnn": A\n', f"{NET}A"),
    "circles": filled("block A = B0\n", "block B{} = A\n", f"{NET}A"),
    "arrows": filled("INPUT ", "-> ", ""),
    "statements": filled("", "block\n"),
    "values": filled("", "let a = 1 2\n"),
    "stray characters": filled("", "$"),
    "quotes": filled("", '"'),
    "quoted": filled('use "', "a", '": A'),
    "opening brackets": filled(NET, "("),
    "closing brackets": filled(NET, ")"),
    "brackets": filled(NET, "()"),
    "mixed brackets": filled(NET, "[(", ""),
    "braces": filled(NET, "CONV{{{{", "").replace("{{", "{"),
    "question marks": filled(f"{NET}RELU", "?"),
    "counts": filled(f"{NET}RELU", "*1"),
    "dots": filled("assert ", "a", " == 1", "."),
    "stars": filled(NET, "*"),
    "nulls": "\0" * LONGEST,
    "emoji": "🙂" * (LONGEST // 4),
    "a long line": f"{NET}{' ' * LONGEST}RELU",
    "repeats": f"{NET}[[RELU -> CONV3-3]*50]*50",
    "repeated merges": f"{NET}[(RELU + ID)]*1000",
    "dense blocks": f"{NET}[(ID | CONV3-4)]*500",
    "magnification": "INPUT 2x2x3 -> [UPSAMPLE3 -> POOL3/2]*1000",
    "huge kernels": "INPUT 1x1x1 -> [CONV999999999999999-1]*100 -> FC-1",
    "huge maps": "INPUT 999999x999999x1 -> (CONV3-1 | CONV5-1/2 -> UPSAMPLE2)",
    "turns that are not counted before": f"{NET}[[[RELU]*i]*i]*12",
    "half a network": f"{NET}[RELU -> [CONV3-4 -> (RELU + ",
    "uneven branches": filled(f"{NET}(", "CONV3-{}", ")", "+"),
    "every error": filled(NET, "CONV3-{}(groups=7)", joint="->"),
}


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[bytes], Any]]:
    """Takes a program through every step in a fresh process."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    command = [sys.executable, str(Path(__file__).with_name("guard.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def ask(data: bytes) -> Any:
            child.stdin.write(f"{len(data)}\n".encode() + data)  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
            return json.loads(child.stdout.readline())  # type: ignore[union-attr]

        yield ask
        child.stdin.close()


def within_bounds(answer: Any) -> None:
    assert set(answer["codes"]) <= {0, 1}, answer["said"]
    assert answer["copies"] < COPIES
    assert answer["megabytes"] < MEGABYTES


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text(text: str, run: Callable[[bytes], Any]) -> None:
    within_bounds(run(text.encode()))


OTHERS = {
    **test_networks.TOO_MANY,
    **test_networks.TOO_DEEP,
    **test_networks.VOLUMES,
    **{f"number: {name}": f"{text}\n{NET}RELU" for name, text in test_networks.NUMBERS.items()},
    **{f"nested: {name}": text for name, text in test_networks.NESTED.items()},
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_nests_and_what_explodes(text: str, run: Callable[[bytes], Any]) -> None:
    within_bounds(run(text.encode()))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_the_corpus(file: Path, run: Callable[[bytes], Any]) -> None:
    from fuzz.target import check

    within_bounds(run(file.read_bytes()))
    check(file.read_bytes(), seconds=10)
