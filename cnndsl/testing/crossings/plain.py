"""Single layers, with parameters in the expressions of their options."""

from __future__ import annotations

from contextlib import suppress

from cnndsl.testing.crossings.arrangements import arranged
from cnndsl.testing.crossings.frames import GeneratedScope, Piece
from cnndsl.testing.crossings.numbers import odd_kernel, rate, stride, width
from cnndsl.testing.crossings.seldom import seldom
from cnndsl.testing.crossings.widths import PIXEL, Misfit, PieceShape, Width

ACTIVATIONS = ("RELU", "RELU", "RELU", "SIGMOID", "TANH", "GELU", "SILU", "HSWISH", "RELU6", "SELU", "MISH")
KINDS = ("RELU", "TANH", "SILU", "LEAKYRELU", "ELU", "SIGMOID")


def activation(frame: GeneratedScope) -> str:
    """Draws an activation: plain, with a slope, or a parameter that names a kind."""
    dice = frame.dice.random()
    if dice < 0.6:
        return frame.pick(ACTIVATIONS)
    if dice < 0.7:
        return frame.one("kind")
    if dice < 0.75:
        return f"{frame.pick(KINDS)} if {_flag(frame)} else {frame.pick(KINDS)}"
    slope = rate(frame, most_one=False)
    return frame.pick(
        (
            f"LEAKYRELU({slope})",
            f"LEAKYRELU(slope={slope})",
            f"TIMES({slope})",
            f"TANH(slope={slope} + 0.5)",
            f"ELU({slope} + 1/2)",
            f"SOFTPLUS(beta={slope} + 1)",
            f"PRELU(init={rate(frame)})",
            f"STARRELU(scale={slope})",
        )
    )


def _flag(frame: GeneratedScope) -> str:
    return frame.one("flag")


def convolution(frame: GeneratedScope, form: PieceShape, wide: Width, step: str = "1") -> Piece:
    """Draws a convolution to so many channels. `step` is the stride as an expression."""
    if form.space is None:
        raise Misfit
    kernel = "1" if form.space.is_pixel else odd_kernel(frame)
    options: list[str] = []
    if frame.chance(0.12):
        options.append(frame.pick(("bias=no", "bias=no", f"bias={frame.one('flag')}", "init=kaiming", "frozen=yes")))
    if frame.chance(0.15) and frame.divides(2, wide) and frame.divides(2, form.width) and kernel != "1":
        options.append(f"groups={groups(frame)}")
    elif frame.chance(0.06) and not form.space.is_pixel:
        options.append("dilation=2")
    if frame.chance(0.1) and kernel in ("1", "3", "5") and step == "1":
        options.append(f"pad={int(kernel) // 2}" if "dilation=2" not in options else "pad=same")
    options += _special(frame, form, kernel, step, options)
    if frame.chance(0.06) and kernel.isdigit():
        options = [f"F={kernel}", f"filters={wide.shown}", *([f"stride={step}"] if step != "1" else []), *options]
        return Piece(f"CONV({', '.join(options)})", PieceShape(wide, form.space.stepped("ceil", step, frame.env())))
    listed = f"({', '.join(options)})" if options else ""
    space = form.space.stepped("ceil", step, frame.env())
    return Piece(f"CONV{kernel}-{wide.word}{_slash(step)}{listed}", PieceShape(wide, space))


def _special(frame: GeneratedScope, form: PieceShape, kernel: str, step: str, options: list[str]) -> list[str]:
    """Draws a padding that follows the size or is filled, and standardised weights; seldom, and where they can be."""
    size = form.space.size if form.space is not None else None
    if size is None or min(size) < 4 or kernel == "1" or not frame.chance(0.12):
        return []
    found: list[str] = []
    if not any(each.startswith("pad=") for each in options) and frame.chance(0.7):
        fillings = ("pad=tfsame", "pad=reflect", "pad=replicate", "pad=circular", "border=reflect")
        found.append("pad=tfsame" if step != "1" else frame.pick(fillings))
    if frame.chance(0.5):
        more = frame.pick(("", "", f", gamma={rate(frame)}", f", eps={rate(frame)} + 1e-6"))
        found.append(f"standardise={frame.pick(('weights', 'scaled'))}{more}")
    return found


def groups(frame: GeneratedScope) -> str:
    """Draws a number of groups that divides every even width."""
    if frame.chance(0.6):
        return "2"
    name = frame.one("groups")
    return frame.pick((name, f"min({name}, 2)", f"max({name}, 1)", f"2//{name}"))


def _slash(step: str) -> str:
    if step == "1":
        return ""
    return f"/{step}" if step.isalnum() else f"/{{{step}}}"


def projection(frame: GeneratedScope, form: PieceShape, target: PieceShape, step: str = "1") -> Piece:
    """Draws one layer that gives a width, from whatever enters."""
    if form.space is None:
        return Piece(f"FC-{target.width.word}", form.wide(target.width))
    return convolution(frame, form, target.width, step)


def keeping(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws one layer that gives the shape that it takes."""
    frame.spend()
    if form.space is None:
        return Piece(frame.pick(("RELU", "SIGMOID", "DROPOUT(0)", activation(frame))), form)
    if (share := frame.pen.forms.random()) < 0.24:
        with suppress(Misfit):
            return arranged(frame, form) if share < 0.12 else Piece(seldom(frame, form), form)
    choices = ["act", "act", "act", "conv", "norm", "same"]
    if not form.space.is_pixel:
        choices += ["conv", "pool", "depthwise"]
    kind = frame.pick(choices)
    if kind == "conv":
        if form.width.is_writable and frame.chance(0.7):
            return convolution(frame, form, form.width)
        return Piece(f"CONV{odd_kernel(frame)}-C" if frame.entry is None else "BN", form)
    texts = {
        "act": lambda: activation(frame),
        "norm": lambda: _norm(frame, form),
        "same": lambda: _same(frame, form),
        "pool": lambda: _pool(frame),
        "depthwise": lambda: f"DWCONV{odd_kernel(frame)}",
    }
    return Piece(texts[kind](), form)


def _pool(frame: GeneratedScope) -> str:
    name = frame.one("kernel") if frame.chance(0.4) else ""
    plain = ("POOL3/1(pad=same)", "AVGPOOL3/1(pad=1)", "POOL3/1(pad=1)", "AVGPOOL3/1(pad=same)")
    sized = (f"POOL{{{name}}}/1(pad=same)", f"AVGPOOL{{{name}}}/1(pad=same)", f"[ZEROPAD({name}) -> CROP({name})]")
    if frame.chance(0.15):
        margin = frame.pick(("1", "0, after=2"))
        return f"[{frame.pick(('REFLECTPAD', 'REPLICATEPAD', 'CIRCULARPAD'))}(1) -> CROP({margin})]"
    return frame.pick(sized if name else plain)


def _norm(frame: GeneratedScope, form: PieceShape) -> str:
    norms = [
        "BN",
        "BN",
        f"BN(momentum={rate(frame)})",
        "BN(affine=no)",
        "GN1",
        "LRN3",
        "SCALE",
        "IN(affine=yes)",
        f"SCALE(shared={_flag(frame)})",
    ]
    norms += [
        "LN(over=channels)",
        f"RMSNORM(affine={_flag(frame)})",
        f"L2NORM(affine={_flag(frame)})",
        f"LRN3(alpha={rate(frame)})",
    ]
    if not (form.space is None or form.space.is_pixel):
        norms += [
            "LN",
            "LN(affine=no)",
            f"BN(affine={_flag(frame)})",
            "GRN",
            "LRN3(over=positions)",
            f"FRN(tlu={_flag(frame)})",
        ]
    norms += [f"BN(eps={rate(frame)} + 1e-5)", f"LRN{{{frame.one('kernel')}}}"] if frame.chance(0.3) else []
    if frame.divides(2, form.width):
        norms += ["GN2", f"GN{{{groups(frame)}}}", f"EVONORM2(act={_flag(frame)})"]
    norm = frame.pick(norms)
    return "BN" if norm.startswith("IN") and (form.space is None or form.space.is_pixel) else norm


def _same(frame: GeneratedScope, form: PieceShape) -> str:
    layers = [f"DROPOUT({rate(frame)})", f"DROPPATH({rate(frame)})", "ID", f"TIMES({rate(frame, most_one=False)})"]
    if frame.divides(2, form.width):
        layers += ["SHUFFLE2", f"SHUFFLE{{{groups(frame)}}}", "SOFTMAX(radix=2)", f"SOFTMAX(radix={groups(frame)})"]
    return frame.pick(layers)


def reshaping(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws one layer that gives other extents, where they can be smaller or larger."""
    if form.space is None or form.space.is_pixel or form.space.size is None or min(form.space.size) < 4:
        raise Misfit
    frame.spend()
    env, space = frame.env(), form.space
    step = stride(frame)
    kind = frame.dice.randrange(6)
    if kind <= 1:
        return convolution(frame, form, width(frame), step)
    if kind == 2:
        return Piece(
            frame.pick(("POOL2", "AVGPOOL2", "LPPOOL2", "SUMPOOL2", "BLURPOOL2")),
            PieceShape(form.width, space.stepped("floor", "2", env)),
        )
    if kind == 3:
        return Piece(f"DWCONV3{_slash(step)}", PieceShape(form.width, space.stepped("ceil", step, env)))
    if kind == 4:
        return Piece(
            f"CONV3-{(wide := width(frame)).word}(pad=valid)", PieceShape(wide, space.stepped("less", "2", env))
        )
    return Piece(f"POOL3{_slash(step)}(pad=1)", PieceShape(form.width, space.stepped("ceil", step, env)))


def enlarging(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws one layer that doubles the extents."""
    if form.space is None or form.space.size is None or max(form.space.size) > 6 or form.space.is_pixel:
        raise Misfit
    frame.spend()
    wide = width(frame)
    space = form.space.stepped("times", "2", frame.env())
    if frame.chance(0.4):
        return Piece(frame.pick(("UPSAMPLE2", "UPSAMPLE2(mode=linear)")), PieceShape(form.width, space))
    options = frame.pick(("", "", "", "(frozen=yes)"))
    if frame.pen.forms.random() < 0.3:
        wide = form.width  # which interpolation of each channel by itself asks for
        options = frame.pen.forms.choice(("(init=bilinear)", "(init=bilinear, frozen=yes, bias=no)"))
    return Piece(f"CONVT{frame.pick(('2', '2', '4'))}-{wide.word}/2{options}", PieceShape(wide, space))


def widening(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws one layer that changes nothing but the number of channels."""
    frame.spend()
    wide = width(frame)
    if form.space is None:
        return Piece(f"FC-{wide.word}", PieceShape(wide, None))
    if frame.chance(0.08):
        return _rearranged(frame, form, wide)
    if frame.pen.forms.random() < 0.06:
        more = frame.pen.forms.choice(("", "", ", bias=no", ", frozen=yes"))
        return Piece(f"FC-{wide.word}(over=channels{more})", form.wide(wide))
    return convolution(frame, form, wide)


def _rearranged(frame: GeneratedScope, form: PieceShape, wide: Width) -> Piece:
    """Takes some of the channels, or adds some of zeros; convolves where there is no knowing."""
    before, after = frame.values(form.width), frame.values(wide)
    if before is not None and after is not None:
        if all(a <= b for a, b in zip(after, before, strict=True)):
            return Piece(f"SLICE(0, {wide.shown})", form.wide(wide))
        if all(a >= b for a, b in zip(after, before, strict=True)):
            return Piece(f"PADCHANNELS-{wide.word}", form.wide(wide))
    return convolution(frame, form, wide)


def ending(frame: GeneratedScope, form: PieceShape) -> list[Piece]:
    """Draws a classifier."""
    frame.spend(2)
    wide = width(frame)
    kind = "RBF" if frame.chance(0.06) else "FC"
    fully = Piece(f"{kind}-{wide.word}", PieceShape(wide, None))
    if form.space is None or frame.chance(0.25):
        return [fully]
    return [Piece("GAP", PieceShape(form.width, PIXEL)), fully]
