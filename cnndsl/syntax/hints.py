"""Hints for common mistakes: habits from other languages, from papers, from the blackboard.

Each rule examines the stop and returns one line of advice that can be followed, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.errors import Span, did_you_mean, unmistakable
from cnndsl.layers import KINDS
from cnndsl.syntax.brackets import opened_at
from cnndsl.syntax.branch_hints import branches
from cnndsl.syntax.habit_hints import HABIT_HINTS
from cnndsl.syntax.parse_failure import STATEMENTS, Stop
from cnndsl.syntax.statement_hints import beginning, free_name, in_brackets
from cnndsl.syntax.value_hints import VALUE_HINTS
from cnndsl.syntax.words import LABEL, name_and_size

_KEYWORDS = frozenset({*STATEMENTS, "in", "if", "else", "or", "and", "not", "tap", "for", "each", "yes", "no"})
_ARROW = "an arrow is `->`"
_COMMENT = "a comment begins with `#`"
_FORM = "a layer is KIND[size][-width][/stride] without spaces, as in CONV3-64/2"
_LOGIC = "write `and`, `or`, `not`"
_FOREIGN = {
    **dict.fromkeys("→⟶➔➜⇒⟹–—−", _ARROW),  # noqa: RUF001 - dashes that are meant as arrows
    **dict.fromkeys("×✕✖·∙⋅", "separate extents with the letter `x`; a product is `*`"),
    **dict.fromkeys("“”„«»", 'use plain quotation marks: `"`'),
    **dict.fromkeys("‘’'`", 'file names go between `"`; other names take no quotation marks'),  # noqa: RUF001 - quotes of texts
    "⊕": "add branches with `+`: `(A + B)`",
    "∥": "concatenate branches with `|`: `(A | B)`",
    ";": "statements need no separator",
    "^": "a power is `**`: `2**k`",
    "&": _LOGIC,
    "~": _LOGIC,
    "!": _LOGIC,
    "$": "a value goes in braces: `CONV3-{c}`",
    "\\": "a chain may continue on the next line as it is",
    "\u00a0": "this is a special space character: replace it with an ordinary space",
}
_BEGINNING = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*\s*:\s*)?[A-Za-z_][A-Za-z0-9_]*\s*\(\s*@")
_ASCII = frozenset('()[]{}<>-+*/%=|?:,.@#"_ \t\r\n\f')


def foreign(stop: Stop) -> str:
    """Return what to write in place of a character that the language does not have; empty if it has it."""
    char = stop.found[:1]
    if stop.type or not char or char in _ASCII or (char.isascii() and char.isalnum()):
        return ""
    quoted = re.match(r"'([A-Za-z_]\w*)'", stop.after)
    if quoted and stop.takes("NUMBER"):
        return f"words and names take no quotation marks: `{quoted[1]}`"
    if char in _FOREIGN:
        return _FOREIGN[char]
    if char.isalpha():
        return "use only the letters A to Z, digits and `_` in names; comments may contain other characters"
    return "use the digits 0 to 9" if char.isdigit() else "remove it; comments may contain anything"


def misspelled(stop: Stop) -> tuple[Span, str] | None:
    """Return the span of the line's first word and a hint, if it looks like a misspelt keyword of a statement."""
    text = stop.source.text
    line = max(text.rfind("\n", 0, stop.offset) + 1, stop.start)
    match = re.compile(r"[ \t]*([A-Za-z_]+)(?=[ \t]+[A-Za-z_\"])").match(text, line)
    if match is None or match.end() > stop.offset or match[1] in _KEYWORDS or match[1].upper() == "INPUT":
        return None
    near = unmistakable(match[1], [*STATEMENTS, "INPUT"])
    help = did_you_mean(near) if near else ""
    return (Span(stop.source, match.start(1), match.end(1)), help) if help else None


def hint(stop: Stop) -> str:
    """Return one line of advice that can be followed; empty if none is evident."""
    return next((text for rule in _RULES if (text := rule(stop))), "")


def _arrow(stop: Stop) -> str:
    if stop.found == "->" and stop.takes("LSQB"):
        return "write a layer between the two arrows; `ID` is one that does nothing" if _follows_arrow(stop) else ""
    if _ends_early(stop) and _follows_arrow(stop):
        return "the arrow before it leads nowhere: continue the chain, or remove the arrow"
    return _ARROW if stop.after.startswith(("--", ">", "=>", "- >")) and stop.takes("ARROW", "LSQB") else ""


def _follows_arrow(stop: Stop) -> bool:
    return stop.before.rstrip().endswith("->")


def _ends_early(stop: Stop) -> bool:
    """Return whether the text ends at the stop, or something else begins there."""
    return stop.is_end or stop.begins_statement or stop.begins_chain or stop.found in (")", "]")


def _unfinished(stop: Stop) -> str:
    """Return the hint for `b =` without a value."""
    choice = re.search(r"\blet[^\n]*=\s*([^\n]*\bif\b(?![^\n]*\belse\b)[^\n]*?)\s*$", stop.end_of_before)
    if choice is not None and stop.takes("ELSE"):
        return f"an `if` in a value needs an `else`: `{choice[1]} else …`"
    begun = re.search(r"(?:\b(block|let)\s+)?\b([A-Za-z_]\w*)((?:\s*\([^()]*\))?)\s*=\s*$", stop.end_of_before)
    if begun is None or not stop.takes("LSQB", "NUMBER") or not (_ends_early(stop) or stop.found == "->"):
        return ""
    keyword, name, parameters = begun.groups()
    if keyword or not stop.takes("LSQB"):
        return (
            f"for example, `{keyword} {name}{parameters} = {'64' if keyword == 'let' else 'CONV3-64'}`"
            if keyword
            else ""
        )
    start = f"`{name} = @{_earlier(stop, name)} -> {'CONV3-64`' if stop.found != '->' else '…`'}"
    return (
        f"say where it starts: {start}"
        if stop.found == "->"
        else f"complete the chain, for example {start}, or remove `{name} =`"
    )


def _earlier(stop: Stop, name: str) -> str:
    """Return the name of a value known at the stop, as far as the text shows it: the last one that is not `name`."""
    text, before = "", stop.before[-20_000:]
    while text != before:
        text, before = before, re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", "", before)
    text = text[max(0, *(each.start() for each in re.finditer(r"^block\b", text, re.MULTILINE)), 0) :]
    found = re.findall(r"(?:^|[\[(>])\s*([A-Za-z_]\w*)\s*(?::|=(?!=))", text, re.MULTILINE)
    return next((each for each in reversed(found) if each != name), "a")


def _output(stop: Stop) -> str:
    """Return the hint for `output a` after an arrow, or in brackets."""
    name = re.match(r"output[ \t]+([A-Za-z0-9_.]+)", stop.after)
    if name is None or stop.type not in ("", "WORD", "OUTPUT"):
        return ""
    if not opened_at(stop):
        return "`output` begins a statement: remove the arrow before it" if _follows_arrow(stop) else ""
    return (
        f"remove it: `output` is for the network. A part returns what its last chain returns; in a part `f: …` "
        f"`@f.{name[1]}` is the value `{name[1]}`"
    )


def _again(stop: Stop) -> str:
    """Return the hint for `again t()`, `again [t]`, `again x-y`."""
    applied = re.search(r"\bagain\s+([A-Za-z0-9_.]+)$", stop.end_of_before)
    if applied and stop.found == "(":
        return f"`again` applies a part as it is, without parentheses: `again {applied[1]}`"
    if applied and stop.found in ("-", "/") and name_and_size(applied[1])[0].upper() in KINDS:
        return "`again` takes the label of a part: `t: CONV3-16`, then `again t`"
    if applied and stop.found in ("-", "/"):
        rest = re.match(r"[A-Za-z0-9_./-]*[A-Za-z0-9_]", stop.after)
        return f'a name with `{stop.found}` goes in quotation marks: `again "{applied[1]}{rest[0]}"`' if rest else ""
    if stop.word != "again" or stop.found != "[":
        return ""
    name = re.match(r"\[\s*([A-Za-z0-9_.]+)\s*\]", stop.after)
    return f"without parentheses: `again {name[1]}`" if name else "label the part, `t: […]`, then apply it: `again t`"


def _application(stop: Stop) -> str:
    """Return the hint for `t@2`, which is the name in tables of a part that is applied again."""
    part = re.search(r"([A-Za-z_][A-Za-z0-9_.]*)$", stop.end_of_before)
    number = re.match(r"@([0-9]+)((?:\.[A-Za-z0-9_]+)*)", stop.after)
    if part is None or number is None or not stop.is_adjacent:
        return ""
    sign = "@" if stop.end_of_before[: part.start()].endswith("@") else ""
    label = part[1].replace(".", "_") + number[1]
    return f"label the application, `{label}: again {part[1]}`, and write `{sign}{label}{number[2]}`"


def _chain(stop: Stop) -> str:
    """Return the hint for a chain that begins with brackets, read as a layer's, or for `output` without names."""
    if stop.found == "output" and stop.takes("ARROW"):
        return "name the outputs of the network without `@`: `output a, b`"
    name = free_name(stop.source.text)
    if stop.takes("ARROW") and _BEGINNING.match(stop.after):
        return beginning(stop.after, stop.source.text)
    is_argument = stop.takes("COMMA") and stop.takes("IF") and not stop.takes("ARROW")
    before = stop.before + "(" if stop.found == "(" and stop.takes("ARROW") else stop.before if is_argument else ""
    if re.search(r"\n[ \t]*\([^()\n]*$", before):
        return in_brackets(stop.source.text, stop.offset, name)
    called = re.search(r"(?:^|\n)[ \t]*((?i:MUL|MAX|MEAN)|SUB)[ \t]*\([^\n]*$", before) if stop.found == "->" else None
    return f"a chain that begins with a merge needs a name: `{name} = {called[1].upper()}(…)`" if called else ""


def _dash(stop: Stop) -> str:
    """Return the hint for `CONV3 -64`, `INPUT - CONV`, `CONV3/2-64`."""
    if stop.found not in ("-", "/") or not stop.takes("ARROW"):
        return ""
    suffix = re.match(r"[-/][A-Za-z0-9{][^\s()\[\],]*", stop.after)
    if suffix is None:
        return _ARROW if stop.found == "-" else ""
    if stop.is_adjacent or not stop.word or "-" in stop.word:
        return _FORM
    return f"without the space: `{stop.word}{suffix[0]}`"


def _comment(stop: Stop) -> str:
    return _COMMENT if stop.after.startswith(("//", "/*")) and stop.takes("ARROW") else ""


def _dots(stop: Stop) -> str:
    """Return the hint for `convs..1: CONV3-64`."""
    rest = re.match(r"\.\.+(\w+)\s*:", stop.after)
    return f"separate the names of a path with a single dot: `{stop.word}.{rest[1]}`" if rest and stop.word else ""


def _missing_value(stop: Stop) -> str:
    """Return the hint for `CONV3-64(pad=)`."""
    name = re.search(r"([A-Za-z_]\w*)\s*=\s*$", stop.end_of_before)
    is_missing = name is not None and stop.found in (")", ",") and opened_at(stop)
    return f"write a value after `{name[1]}=`, or omit the option" if name and is_missing else ""


_NUMBERS = {"-": "the width of a layer", "/": "the stride of a layer", "x": "each extent"}
"""The meaning of a number, by the symbol before it."""


def fraction(stop: Stop) -> str:
    """Return the message for a number in the head of a layer that is not whole: `CONV3-64.5`; empty otherwise."""
    rest = re.match(r"\.[0-9]+", stop.after)
    number = re.search(r"([-/x]?)([0-9]+)$", stop.end_of_before)
    if stop.found != "." or not stop.is_adjacent or rest is None or number is None:
        return ""
    return f"{_NUMBERS.get(number[1], 'the size of a layer')} must be a whole number, not {number[2]}{rest[0]}"


def unnamed(stop: Stop) -> str:
    """Return the message for an `@` without a name; empty for anything else."""
    if stop.found != "@":
        return ""
    rest = re.match(r"@\s*(\w+|\S)?", stop.after)
    return f"expected a name after `@`, found {f'`{rest[1]}`' if rest and rest[1] else 'the end of the file'}"


def _dot(stop: Stop) -> str:
    if stop.found != "." or not stop.is_adjacent or fraction(stop):
        return ""
    return "this name has letters, digits and `_` only; labels, `@a.b` and `assert a.b.output` may have dots"


def _equals(stop: Stop) -> str:
    if stop.found != "=" or stop.takes("EQUAL"):
        return ""
    if stop.takes("COMPARISON"):
        return "to compare two values, use `==`"
    is_named = stop.takes("ARROW") and stop.word
    return f"a label is `{stop.word}: …`, a value `let {stop.word} = …`" if is_named else ""


def _option(stop: Stop) -> str:
    """Return the hint for `pad:1`, `pad 1`."""
    value = re.match(r":?\s*([A-Za-z0-9_.]+)", stop.after)
    is_option = stop.takes("EQUAL") and stop.takes("COMMA") and stop.takes("PERCENT")
    return f"set an option with `=`: `{stop.word}={value[1]}`" if value and is_option else ""


def _comparison(stop: Stop) -> str:
    if stop.type != "COMPARISON" and stop.found not in ("<", ">", "<=", ">=", "==", "!="):
        return ""
    if re.search(r"\bif\b[^()]*\+[^()]*$", stop.before):
        return "in the test of an `if`, put a sum in parentheses: `if (a + b) > c`"
    return "join comparisons with `and`: `1 < n and n < 5`" if stop.takes("AND") else ""


def _number(stop: Stop) -> str:
    """Return the hint for `2*[A]`, `1conv: A`, `5Q`."""
    if not re.match(r"[0-9]", stop.after):
        return ""
    count = re.match(r"([0-9]+)\s*\*", stop.after)
    if count and stop.takes("WORD"):
        return f"the count follows the part: `[…]*{count[1]}`"
    if re.match(r"[0-9]+[A-Za-z_]", stop.after) and stop.takes("WORD"):
        return "a name begins with a letter"
    return ""


def _missing_arrow(stop: Stop) -> str:
    """Return the hint for `A B` inside brackets."""
    is_label = stop.type in ("QUOTED", "OPENING", "NUMBERED", "DOTTED")
    begins = is_label or (stop.type in ("WORD", "LSQB", "MERGE", "NAME", "LPAR") and stop.found not in _KEYWORDS)
    goes_on = stop.takes("ARROW") or (stop.takes("RSQB", "PLUS") and not stop.takes("LSQB", "MINUS"))
    if not begins or not goes_on:
        return ""
    times = re.match(r"[xX]([0-9]+)\b", stop.after)
    if times and stop.is_adjacent and stop.before[-1] in ")]":
        part = re.search(r"\[[^\[\]\n]{1,40}\]$", stop.before)
        return f"to repeat a part, use `*`: `{part[0] if part else '[…]'}*{times[1]}`"
    if re.search(r"INPUT\s+[0-9]+$", stop.before, re.IGNORECASE):
        return "separate extents with a lower-case `x`, without spaces: `INPUT 224x224x3`"
    label = re.match(rf"{LABEL}\s*:", stop.after)
    shown = f"{label[0]} …" if label and len(stop.found) < len(label[0]) else stop.found
    return f"an arrow is missing: `-> {shown}`"


def _empty(stop: Stop) -> str:
    if stop.found not in (")", "]", "}") or stop.before.rstrip()[-1:] not in ("(", "[", "{"):
        return ""
    return "square brackets need at least one layer; `ID` is one that does nothing" if stop.takes("LSQB") else ""


def _for(stop: Stop) -> str:
    """Return the hint for a body without square brackets, or for `each c of 1, 2`, an `each` without its `in`."""
    if stop.takes("LSQB") and not stop.takes("REFERENCE"):
        keyword = re.findall(r"\b(for|each)\s[^\[]*$", stop.end_of_before)
        return f"the body goes in square brackets: `{keyword[0] if keyword else 'for'} c in 64, 128 [CONV3-c]`"
    is_each = stop.word == "each" and not stop.is_adjacent and re.match(r"[A-Za-z_]\w*", stop.after)
    return "to make branches for several values, write `each c in 64, 128 [CONV3-c]`" if is_each else ""


def _default(stop: Stop) -> str:
    is_chain = stop.found == "->" and re.search(r"\bdefault\s+[^\s]+\s*$", stop.before)
    added = re.match(r"->\s*[\w/{}-]+(?:\([^()]*\))?", stop.after)
    help = f"`default` sets the options of a single layer type; remove `{added[0] if added else '->'}`"
    return help if is_chain else ""


def _percent(stop: Stop) -> str:
    share = re.search(r"([0-9]+)\s*%\s*$", stop.before)
    return f"write it as a decimal: {int(share[1][:3]) / 100:g}" if share and not stop.takes("PERCENT") else ""


def _reference(stop: Stop) -> str:
    return f"add the name of an earlier part: `@{_earlier(stop, '')}`" if stop.found == "@" else ""


def _star(stop: Stop) -> str:
    """Return the hint for `(@unit* if n + ID)`, `(@unit* or ID + A)`: before a word the `*` is a repeat's."""
    is_star = re.search(r"@[A-Za-z0-9_.]+\*\s*(if|or|else)\s*$", stop.before)
    return "a star must be a whole branch, so no `if` or `or` may follow it: `(ID + @unit*)`" if is_star else ""


def _quotes(stop: Stop) -> str:
    name = re.match(r"[^\s:\"']+", stop.after)
    return f'`use "{name[0]}": …`' if stop.takes("STRING") and name else ""


def _use(stop: Stop) -> str:
    return "name the blocks: `: Bottleneck, BasicBlock`" if re.search(r'\buse\s+"[^"\n]*"\s*$', stop.before) else ""


def _tap(stop: Stop) -> str:
    return "a tap needs a name: `tap aux: …`" if re.search(r"\btap\s+[^\s:]+\s*$", stop.before) else ""


def _else(stop: Stop) -> str:
    return "an `else` belongs to an `if`: `A if test else B`" if stop.found == "else" else ""


def _count(stop: Stop) -> str:
    is_count = stop.takes("LBRACE") and stop.takes("NUMBER") and not stop.takes("MINUS")
    return "a count follows the `*`: `[…]*3`, `[…]*n`, `[…]*{n - 1}`" if is_count else ""


_RULES: tuple[Callable[[Stop], str], ...] = (
    _comment,
    *HABIT_HINTS,
    *VALUE_HINTS,
    _star,
    _unfinished,
    _output,
    _again,
    _application,
    _chain,
    _dash,
    _arrow,
    _dots,
    _missing_value,
    _dot,
    _equals,
    _option,
    branches,
    _comparison,
    _number,
    _missing_arrow,
    _empty,
    _for,
    _default,
    _percent,
    _reference,
    _quotes,
    _use,
    _tap,
    _else,
    _count,
)
