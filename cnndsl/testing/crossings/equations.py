"""Further chains: in brackets, and behind the chain of the network."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.testing.crossings.chains import chain, element
from cnndsl.testing.crossings.frames import TAPS, GeneratedScope, Misfit, Mode, NamedOutputs, Piece
from cnndsl.testing.crossings.widths import PieceShape


def several(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws several chains in brackets, each of which is used by a later one."""
    if frame.mark:
        raise Misfit
    inner = frame.deeper()
    lines: list[str] = []
    names: list[str] = []
    first = chain(inner, form, frame.pick((1, 2)), mode)
    for at in range(frame.pick((1, 2, 2, 3))):
        label = frame.name()
        start = frame.pick(names) if names else ""
        if names and frame.chance(0.25):
            lines.append(f"{label} = {_starred(frame, start)}")
            names.append(label)
            continue
        body = first if not names else chain(inner, first.form, frame.pick((1, 1, 2)), "keep")
        lines.append(f"{label} = {f'@{start} -> ' if start else ''}{body.text}")
        names.append(label)
        frame.room.marks.append(NamedOutputs(label, first.form, frame.training))
        if at and frame.chance(0.2):
            names.remove(start) if len(names) > 2 else None
    # Every value is used here, whatever used it before; the last chain gives what the brackets give.
    used = [f"@{name}" for name in names]
    branches = [f"{each} -> {chain(inner, first.form, 1, 'keep').text}" if frame.chance(0.4) else each for each in used]
    last = f"({' + '.join(branches)})" if len(branches) > 1 else f"MAX({used[0]}, {branches[0]})"
    frame.spend()
    tail = f" -> {element(inner, first.form, 'keep').text}" if frame.chance(0.5) else ""
    name = f"{frame.name()} = " if len(branches) == 1 or frame.chance(0.8) else ""
    if not name:
        last = last if last.startswith("@") else f"{used[0]} -> MUL(ID, {', '.join(used)})"
    return Piece(f"[{'  '.join(lines)}  {name}{last}{tail}]", first.form)


def _starred(frame: GeneratedScope, start: str) -> str:
    """Draws turns of a repeat, each with a value of its own, and their merge by a star. The shape stays."""
    turn, total = frame.name(), frame.name()
    number = frame.pick((1, 2, 3, 5))
    for _ in range(number + 1):
        frame.spend()
    others = f", @{start}" if frame.chance(0.3) else ""
    merged = frame.pick((f"(+ @{turn}*)", f"(@{turn}* + @{start})", f"MAX(@{turn}*{others})", f"MEAN(@{turn}*)"))
    body = frame.pick(("RELU", "BN -> TANH", "TIMES(0.5)", f"MUL(ID, @{start})"))
    if frame.chance(0.4):  # parts of one container, each behind the one before
        held = f"{frame.label()}.{turn}"
        merged = merged.replace(f"@{turn}*", f"@{held}*")
        return f"[@{start} -> [{held}{{i}}: [{body} -> BN]]*{number}  {total} = {merged}]"
    return f"[[{turn}{{i}} = @{start} -> {body}]*{number}  {total} = {merged}]"


def further(frame: GeneratedScope) -> list[str]:
    """Draws chains that follow that of the network, and what it gives."""
    marks = [mark for mark in frame.room.marks if not mark.training and "{" not in mark.name]
    lines: list[str] = []
    outputs: list[str] = []
    for _ in range(frame.pick((1, 2, 3))):
        if not marks:
            break
        mark = frame.pick(marks)
        label = frame.name()
        frame.pen.left = max(frame.pen.left, 2)
        body = chain(replace(frame, depth=frame.depth + 1), mark.form, frame.pick((1, 2)), "free")
        lines.append(f"{label} = @{mark.name} -> {body.text}")
        outputs.append(label)
        made = NamedOutputs(label, body.form, training=False)
        frame.room.marks.append(made)
        marks.append(made)
    if not outputs:
        return lines
    frame.dice.shuffle(outputs)
    others = [mark.name for mark in marks if "." in mark.name and frame.chance(0.3)]
    others = [name for name in others if name.rpartition(".")[2] not in TAPS]  # taps are outputs already
    short = {each: name for name in others if (each := name.rpartition(".")[2]) not in frame.room.names}
    return [*lines, f"output {', '.join([*outputs, *short.values()])}"]
