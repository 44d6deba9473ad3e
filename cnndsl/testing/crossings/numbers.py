"""Expressions as users write them in the places of numbers: widths, kernels, strides, rates, counts."""

from __future__ import annotations

from cnndsl.testing.crossings.frames import NUMBERS, GeneratedScope
from cnndsl.testing.crossings.widths import Width

DECIMALS = ("0.5", "0.25", "0.75", "1.5", "1/3", "2/3", "0.29")


def width(frame: GeneratedScope) -> Width:
    """Draws a number of channels: a plain one, a name, or an expression that is a whole number wherever it is known."""
    if frame.chance(0.42):
        return Width.of(frame.pick(NUMBERS))
    for _ in range(4):
        drawn = _expression(frame)
        if frame.is_width(drawn):
            return drawn
    return Width.of(frame.pick(NUMBERS))


def named(frame: GeneratedScope) -> str:
    """Names a width: the block's, the net's, or that of a `let`."""
    if frame.widths and frame.chance(0.7):
        return frame.pick(frame.widths)
    if frame.chance(0.06) and not frame.pen.lets:
        base = frame.pen.parameter("width")
        frame.pen.let(frame.pick((f"{base}//2", f"2*{base}", f"ceil({base}/3)", f"{base}/2", f"max({base}, 6.5)//1")))
    lets = [name for name in frame.pen.lets if name not in frame.hidden]
    if lets and frame.chance(0.3):
        return frame.pick(lets)
    return frame.pen.parameter("width", frame.hidden)


def _expression(frame: GeneratedScope) -> Width:
    name = named(frame)
    if frame.chance(0.35):
        return Width.of(name)
    return frame.pick((_linear, _rounded, _rounded, _shared, _turning, _entering, _powered))(frame, name)


def _linear(frame: GeneratedScope, name: str) -> Width:
    if frame.chance(0.3):
        return Width.of(name) + Width.of(named(frame))
    if frame.chance(0.5):
        return Width.of(name) + Width.of(frame.pick((1, 2, 4)))
    return Width.of(name, 2)


def _rounded(frame: GeneratedScope, name: str) -> Width:
    """Rounds; what must not be below one in any call has a `max` around it."""
    number = frame.pick((2, 2, 3, 4))
    decimal = frame.pick(DECIMALS)
    return Width.of(
        frame.pick(
            (
                f"max({name}//{number}, {frame.pick((1, 2, 3))})",
                f"ceil({name}/{number})",
                f"max(round({name}/{number}), 1)",
                f"max(floor({decimal}*{name}), 1)",
                f"divisible({name}, {frame.pick((2, 4))})",
                f"divisible({decimal}*{name}, 4)",
                f"min({name}, {frame.pick((4, 6, 8))})",
                f"max({name}, {frame.pick((3, 5, 8))})",
                f"ceil(min({name}, {frame.pick(('7.5', '3.5', '4.25'))}))",
                f"round({name} + {frame.pick(('0.5', '1/3', '0.25'))})",
                f"abs({name} - 20)" if name not in frame.widths else f"abs({name})",
                f"({name}//{number})" if name not in frame.widths else f"max({name}//{number}, 1)",
                f"({name} % 3 + 2)",
            )
        )
    )


def _shared(frame: GeneratedScope, name: str) -> Width:
    """Takes a share: rounded, or exactly where that comes out whole; `frame.is_width` looks."""
    share = frame.one("share") if frame.chance(0.7) else frame.pick(DECIMALS)
    exact = [f"({name}*{share})", f"({share}*{frame.pick((8, 16, 12))})", f"({name}/2)", f"({name}*3/2)"]
    rounded = [
        f"ceil({share}*{name})",
        f"max(round({name}*{share}), 1)",
        f"divisible({share}*{frame.pick((8, 12, 16))}, 4)",
        f"max({name}*{share}//1, 2)",
        f"ceil(8*{share}/3)",
    ]
    if name in frame.widths or any(share == own for _, own in frame.others):
        return Width.of(frame.pick(rounded))
    return Width.of(frame.pick(exact + rounded))


def _turning(frame: GeneratedScope, name: str) -> Width:
    if frame.rows == ({},) or "i" not in frame.rows[0]:
        return Width.of(name, 2)
    term = frame.pick(("i", "i", "i", f"ceil({name}*i/2)", f"max({name}//i, 1)", "ceil(2.5*i)"))
    return Width.of(term, frame.pick((2, 4)) if term == "i" else 1) + Width.of(frame.pick((0, 0, 2)))


def _entering(frame: GeneratedScope, name: str) -> Width:
    """Draws a width from `C`, which in a block is the same throughout."""
    if frame.entry is None:
        return Width.of(name)
    return frame.pick((Width.of("C"), Width.of("max(C//2, 1)"), Width.of("C", 2), Width.of("ceil(C/4)")))


def _powered(frame: GeneratedScope, name: str) -> Width:
    """Draws a power of a name, or one with a name in its exponent."""
    forms = [
        f"2**({name} % 3 + 1)",
        f"ceil({name}**2/16)",
        f"max(2**-1*{name}//1, 1)",
        f"(({name} % 2 + 1)**2*2)",
        f"ceil({name}/2**2)",
    ]
    if "i" in frame.rows[0]:
        forms += ["2**i", "2**(i - 1)", f"max({name}*2**(1 - i)//1, 1)", f"ceil({name}**i/8**(i - 1))"]
    return Width.of(frame.pick(forms))


def odd_kernel(frame: GeneratedScope) -> str:
    """Draws a kernel for `same` padding, as a layer's size."""
    if frame.chance(0.75):
        return frame.pick(("3", "1", "3", "1", "2", "5"))
    name = frame.one("kernel")
    forms = [f"{{{name}}}", f"{{2*{name} - 1}}", f"{{max({name}, 2)}}", f"{{{name}//2 + 1}}"]
    if frame.pen.rank == 2:
        forms += [f"{{{name}}}x1", f"1x{{{name}}}"]
    return frame.pick(forms)


def stride(frame: GeneratedScope) -> str:
    """Draws a stride as an expression: a two, or a parameter."""
    if frame.chance(0.6):
        return "2"
    name = frame.one("stride")
    return frame.pick((name, name, f"min({name}, 2)", f"max({name}, 1)"))


def rate(frame: GeneratedScope, most_one: bool = True) -> str:
    """Draws a number between nought and one."""
    if frame.chance(0.4):
        return frame.pick(("0.1", "0.5", "1/3", "0.25", "0"))
    name = frame.one("rate")
    forms = [name, f"{name}/2", f"min({name}, 0.2)", f"max({name}, 1/4)", f"{name}*{name}", f"{name}/3", f"0.3*{name}"]
    forms += [f"{name}**2", f"(1 - {name})**2/4", f"{name}*2**-1"]
    if "i" in frame.rows[0] and frame.chance(0.6):
        return frame.pick(
            (f"{name}*i/4", f"{name}/i", f"{name}*i/{max(3, len(frame.rows))}", f"min({name}*i, 0.9)", f"{name}**i")
        )
    if not most_one:
        forms += [f"{name} + 0.5", f"2*{name}", f"1 - {name}", f"{name} + 1"]
    return frame.pick(forms)


def count(frame: GeneratedScope) -> str:
    """Draws how often something is repeated, at least once."""
    if frame.chance(0.65):
        return frame.pick(("2", "2", "3", "1"))
    name = frame.one("count")
    return frame.pick(
        (name, name, f"{{{name} + 1}}", f"{{max({name}, 1)}}", f"{{ceil({name}/2)}}", f"{{min({name}, 2)}}")
    )


def test(frame: GeneratedScope) -> str:
    """Draws the test of a choice."""
    if frame.chance(0.15):
        return frame.pick(("yes", "no", "1 > 2", "not no"))
    if "i" in frame.rows[0] and frame.chance(0.5):
        return frame.pick(("i == 1", "i > 1", "i % 2 == 0", "i != 2"))
    if frame.entry is not None and frame.widths and frame.chance(0.3):
        return f"C == {frame.widths[0]}"
    if frame.chance(0.6):
        flag = frame.one("flag")
        return frame.pick((flag, flag, f"not {flag}"))
    name = named(frame)
    return frame.pick((f"{name} > 5", f"{name} % 2 == 0", f"{name} <= 8", f"{name} == 8 or {name} == 4"))
