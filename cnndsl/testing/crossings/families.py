"""Programs in the manner of published networks: residual stages, dense growth, towers with auxiliary outputs, skips.

Between backticks a template has alternatives, with `~` between them; what stands behind `try` are settings for the net.
"""

from __future__ import annotations

import random
import re

CHOICE = re.compile(r"`([^`]*)`")

RESIDUAL = """net R(n in 1..4=`2~1~3`, base=`4~8`, classes=`3~8`, drop=`0.1~1/3`)
  try n=1 n=3 base=6 classes=8 drop=0.3
`default CONV(bias=no)~default BN(momentum=drop)~`
block Unit(c, s=1) = (
  conv1: CONV3-c/s -> bn1: BN -> `RELU~RELU -> DROPOUT(drop)~tap inner(train): CONV1-2 -> RELU`
  -> conv2: CONV`3~1`-c -> bn2: BN`~ -> DROPPATH(drop)~ -> DROPPATH(drop/2)`
  + ID or down: [CONV1-c/s -> BN]
) -> RELU
INPUT 8x8x`3~4` -> stem: [CONV3-base -> BN -> RELU]
-> `for c, s in (4, 1), (8, 2) [stage{c}: [Unit(c, s) -> Unit(c)*{n - 1}]]~[stage{i}: [Unit(base*i)
  -> Unit(base*i)*n]]*2`
-> `tap aux(train): [@stem -> GAP -> FC-classes] -> ~tap feat: [@stem -> RELU] -> ~~`GAP -> fc: FC-classes"""

BOTTLENECK = """net R(w=`1/2~0.5~1`, c=`8~4`, deep=`yes~no`) try w=0.25 w=1 c=16 deep=no
block Neck(c, s=1, e=4) = (
  CONV1-c -> BN -> RELU -> mid: CONV3-c/s -> BN -> RELU -> CONV1-{e*c} -> BN
  + ID or down: [`CONV1-{e*c}/s~AVGPOOL{s} -> CONV1-{e*c}~CONV{s}-{e*c}/s` -> BN]
) -> `RELU~LEAKYRELU(w/4)`
INPUT 8x8x3 -> CONV3-{ceil(c*w)} -> layer1: [Neck(4, e=2) -> Neck(4, e=2)]
  -> layer2: [Neck(`4~c*w`, 2) if deep else Neck(4, 2, 2) -> Neck(4, e=`4~2`)*2]
-> `tap side: [GAP -> FC-2] -> ~`BN -> `(ID | @layer1 -> AVGPOOL2) -> GAP~GAP` -> FC-{2*c}"""

DENSE = """net D(k=`4~3~8`, n=`2~3`, theta=`0.5~1/2~1/3`) try k=2 k=6 n=1 theta=0.75 theta=1/4
block Layer(k) = (ID | `norm1: `BN -> RELU -> conv1: CONV1-{`2~4`*k} -> BN -> `RELU~tap mid(train): CONV1-1
  -> RELU` -> conv2: CONV3-k)
block Dense(n, k) = [denselayer{i}: Layer(k)]*n
block Transition(t) = norm: BN -> conv: CONV1-{max(floor(t*C), 1)} -> AVGPOOL2
INPUT 8x8x4 -> features: [conv0: CONV3-{2*k} -> denseblock1: Dense(n, k) -> transition1: Transition(theta)
  -> denseblock2: Dense(`n~2~n + 1`, k) -> norm5: BN]
-> `tap early: [@features.transition1 -> GAP -> FC-3] -> ~(ID | @features.conv0 -> POOL2) -> ~`RELU -> GAP
  -> classifier: FC-{2*k}"""

TOWERS = """net I(classes=`3~4`, c=`4~8`, act=`RELU~TANH`, full=`yes~no`) try classes=8 c=6 act=SILU full=no
block Basic(c, k=1, s=1) = conv: CONV{k}-c/s(bias=no) -> bn: BN -> act
block Mixed(a, b, d=4) = (
  branch1: Basic(a)
  | branch3: [Basic(`b~a`) -> mid: Basic(b, 3)]
  | `branch5: [Basic(a, 1x3) -> Basic(b, 3x1)]~branch5: [(Basic(a) | Basic(b, 3))
  -> Basic(d)]~[tap t(train): CONV1-1 -> Basic(d)] if full`
  | pool: [POOL3/1(pad=same) -> Basic(d)]
)
block Aux(from, n) = @from -> AVGPOOL(out=2x2) -> conv: Basic(4) -> fc: FC-n
INPUT 8x8x3 -> stem: Basic(c, 3, `1~2`) -> mixed1: Mixed(c, 8) -> mixed2: Mixed(4, `c~8`, 2)
  -> `mixed3: Mixed(c, 8) -> ~`
tap aux1(train): Aux(@mixed1, classes) -> tap aux2`(train)~`: Aux(@mixed`1~2`.branch1, classes) -> GAP
  -> DROPOUT(`0~0.2`) -> fc: FC-classes"""

MOBILE = """net M(width=`1~0.5~3/4`, classes=`4~3`, r=`4~2`, p=`0.2~0`)
 try width=0.25 width=1/2 width=1.5 classes=8 r=3 p=0.5
default CONV(bias=no)
block SE(r) = MUL(ID, GAP -> fc1: CONV1-{max(C//r, 1)} -> RELU -> fc2: CONV1-C(bias=yes) -> HSIGMOID)
block Unit(e, c, se, nl, s=1) = (
  `block~conv`: [[CONV1-e -> BN -> nl] if e != C -> DWCONV`3~5`/s -> BN -> nl -> SE(`r~4`) if se -> CONV1-c
  -> BN`~ -> DROPPATH(p)`]
  + ID if s == 1 and C == c
)
INPUT 8x8x3 -> features: [CONV3-{divisible(16*width, 4)} -> BN -> HSWISH
-> for e, c, se, nl, s in (8, 8, yes, RELU, 1), (24, 8, no, RELU, 1), (16, 12, yes, HSWISH, 2) [Unit(e, c, se, nl, s)]
-> Unit(divisible(24*width, 4), `12~divisible(12*width, 4)`, yes, RELU) -> CONV1-{ceil(32*width)}]
-> GAP -> classifier: [DROPOUT(p) -> FC-classes]"""

UNET = """net U(c=`4~3`, classes=`2~3`, deep=`yes~no`, slope=`0.1~1/8`) try c=5 classes=4 deep=no slope=0.3
block Double(c) = CONV3-c -> `BN -> ~`LEAKYRELU(slope) -> `last: ~`CONV3-c -> RELU
block Up(c, skip) = `(@skip | up: CONVT2-c/2)~(up: CONVT2-c/2 | @skip -> CONV1-{c//2 + 1})~(@skip -> CONV1-c
  + UPSAMPLE2 -> CONV1-c)` -> conv: Double(c)
INPUT 8x8x`1~4` -> enc1: Double(c) -> POOL2 -> enc2: Double(2*c) -> POOL2
  -> mid: [Double(4*c) if deep else `Double(2*c)~CONV1-{2*c}`]
-> `tap deep2: [CONV1-classes -> UPSAMPLE4] -> ~`up2: Up(2*c, @enc2) -> `tap side(train): [CONV1-classes]
  -> ~`up1: Up(c, @enc1)
-> `(ID + @up1.conv -> CONV1-c) -> ~(ID | @enc1) -> ~`head: CONV1-classes"""

SWITCHES = """net S(c=`4~8`, n=`1~2`, k=`3~5`) try c=6 n=2 n=3 k=1
block Rows(c) = [CONV{k}-c -> BN -> RELU]*n
INPUT `8x8x3~9x7x3` -> enc1: [Rows(c) -> pool: POOL2] -> enc2: [conv: Rows(`c~2*c`) -> pool: POOL2]
-> `tap code: [GAP -> FC-3] -> ~mid: (ID + tap code: [CONV1-2] -> CONV1-C) -> `dec2: [UNPOOL2(@enc2.pool)
  -> Rows(c)] -> `(ID + @enc1.pool) -> ~`
dec1: [`Rows(c)~ID` -> UNPOOL2(@enc1.pool) -> CONV3-`2~c`]"""

PYRAMID = """net P(d=`4~8`, n=`2~1`, aux=`yes~no`) try d=6 n=3 aux=no
block Lateral(q, d) = (@q -> CONV1-d + UPSAMPLE2`~ -> CONV3-C` -> CONV1-d)
block Head(from, n) = @from -> [CONV3-C -> RELU]*n -> CONV1-3
INPUT 8x8x3 -> c2: [CONV3-`d~8` -> RELU] -> c3: [CONV3-8/2 -> RELU] -> c4: [CONV3-16/2 -> RELU]
-> p4: CONV1-d -> p3: Lateral(@c3, d) -> p2: Lateral(@c2, d) -> tap low: `[@p4 -> CONV1-3]~[@c4
  -> Lateral(@c3, d)]~@c4` -> tap middle`(train)~`: [@p3 -> CONV1-3]
-> CONV3-d -> (ID | CONV1-d if aux | `@p2~@p2 -> CONV1-C~@c2`) -> CONV1-{2*n}"""

GATES = """net G(r=`2~4`, c=`8~4`, scale=`0.5~1/3`, bn=`yes~no`) try r=1 r=3 c=12 scale=0.25 bn=no
block Gate(x) = MUL(`@x~ID`, (@x -> CONV1-{max(c//r, 1)} + CONV1-{max(c//r, 1)}) -> RELU -> CONV1-1 -> SIGMOID)
block Scaled(n) = (ID + [CONV3-C -> BN if bn -> RELU -> CONV3-C]*n -> TIMES(scale`~/2~*0.3`))
block Around = CONV3-C -> (ID + @skip)
INPUT 8x8x4 -> skip: CONV3-c -> `RELU -> ~`first: Scaled(1) -> `Scaled(2) -> ~`Gate(@skip) -> Around -> `Around
  -> ~Around -> RELU -> Around -> `
tap mask: [`@skip~@first` -> CONV1-1 -> SIGMOID] -> [unit{i}: (ID + CONV3-c -> LEAKYRELU(scale*i/`4~3`)
  + `@skip~@skip -> CONV1-c~@mask -> CONV1-c`)]*`2~3` -> FC-{`c/r~c + 1~c//r`}"""

SHUFFLED = """net H(g=`2~1`, c=`8~4`, n=`2~3`) try g=1 g=2 g=4 c=16 n=1
block Fold(c) = (SLICE(0, c/2) | SLICE(c/2, c) -> CONV1-{c/2} -> BN -> RELU -> DWCONV3 -> CONV1-{c//2}) -> SHUFFLE2
block Grouped(c) = CONV3-c(groups=g) -> GN{g} -> SHUFFLE{g}
INPUT 8x8x4 -> conv: CONV3-c -> [`fold{i}: ~`Fold(c)]*n -> `tap t(train): PICK(0, 1) -> ~`g1: Grouped(c) -> (ID
  + @conv) -> `Grouped(2*c) -> ~`PADCHANNELS-{3*c} -> GAP -> FC-{c*g}"""

PARTS = """net X(c=`4~8`, n=`3~2`, p=`0.1~0.2`, deep=`yes~no`) try c=6 c=16 n=4 n=1 p=0.3 deep=no deep=yes
block Squeeze(r=2) = MUL(ID, GAP -> FC-{max(C//r, 1)} -> `RELU~LEAKYRELU(p)~TANH if deep else RELU` -> FC-C -> SIGMOID)
block Plain = CONV1-C -> LEAKYRELU(p/2)
block Gated(gate, c=4) = [CONV3-c -> `gate~(gate + ID)~gate -> DROPOUT(p)`]
block Undo(q) = `RELU -> ~`UNPOOL2(@q) -> CONV1-c`~ -> BN if deep`
INPUT 8x8x4 -> x: CONV3-c -> Gated(Squeeze) -> Gated(Plain, c)
-> `r: ~again: `[a{i}: CONV3-c -> (ID + @a{max(i - 1, 1)}`~ + @x`) -> RELU]*n
-> `tap late: [GAP -> FC-{c + n}] -> ~`(`ID | CONV1-4~@x -> CONV1-c | ID~ID | @x`) -> CONV3-c
-> for k in 1..`2~3` [u{k}: CONV{k}-c -> (ID + @u1`~ -> LEAKYRELU(p*k)`)]
-> g: [`tap t(train): GAP -> ~`p: POOL2`~ -> RELU~ -> (ID + BN)`] -> Undo(@g.p)
-> `s: (ID + @x)*2~s: [(ID + @u1)]*n~(RELU + s: @x)~tap s: @x`"""

SCATTERED = """net Y(c=`4~8`, n=`2~1`, act=`RELU~TANH`, wide=`yes~no`) try c=6 n=3 act=SILU wide=no
block Cell(c, s=1) = (
  `convs.0~"convs.0"~convs."0"`: CONV3-c/s -> `bns.0~2~"b/0"`: BN -> `"": act~act` -> convs.`1~2~last`: CONV`3~1`-c
  -> `bns.1~"b/1"~5`: BN + ID or `down.0~"d-s"~0`: CONV1-c/s) -> act
block Conv(c) = [{i}: `Cell(c)~CONV3-c -> act`]*2 -> `"": RELU~BN`
block Half(c) = "conv-{c}": CONV3-c -> Conv3-c -> act
INPUT 8x8x3 -> features: [0: CONV3-c -> `1~3`: BN -> `"": RELU~7: act~RELU`] -> trunk: ["block1-{i}": Cell(c)]*n
-> `(ID + @features.0) -> ~(ID | @trunk."block1-"*) -> CONV1-c -> ~(@trunk."block1-1".convs.0 + ID) -> ~`
both.t: [CONV3-c -> BN] -> `again both.t -> ~both.v: again both.t -> (ID + @both.v) -> ~`
"both.u": CONV1-{2*c} if wide -> `"aux-1": ~`Conv(8) -> Half(4) -> GAP -> fc.`0~1~out`: FC-c"""

DILATED = """net W(n=`3~4`, c=`8~4`, rates=(1, 2, `4~3`), act=`RELU~TANH`) try n=2 c=6 rates=(1,5) rates=(2,) act=SILU
block Layer(d, k=2) =
 let f = `c//2~max(c//2, 2)` let m = `f if d > 2 else f~f` [
 x = ID
 gate = MUL(@x -> CONV{k + 1}-m(dilation=d) -> TANH, @x -> CONV3-m(dilation=`d~{d}`) -> SIGMOID)
 skip = @gate -> CONV1-4
 sum = (@x + @gate -> CONV1-c)
]
INPUT `64~48`x2 -> CONV1-c -> for k in 0..n - 1 [layer{k}: Layer(2**k)] -> last: CONV1-4
out = (@last + @layer*.skip) -> act
end = @out -> `for r in rates [CONV3-{4*r}(dilation=r) -> act]~[CONV3-{rates[len(rates)]}(dilation=rates[1]) -> act]*2`
 -> CONV1-{sum(rates)}"""

STAGED = """net G(widths=(4, `8~12`, 16), depths=(1, `2~1`, 1), wide=`yes~no`, k=`3~5`)
  try depths=(2,1,1) wide=no k=1 widths=(8,4,6)
block Unit(c, s=1, ks=(3, k)) = let m = `C/2 if wide else C/4~c//2`
 let pads = (0, 1, `2~1 + 1`) (
 CONV1-m -> BN -> RELU -> DWCONV{ks[1]}/s(pad={pads[(ks[1] + 1)/2]}x{ks[1]//2}) -> `RELU~BN` -> CONV1-c
 + ID or down: CONV1-c/s)
INPUT 16x16x3 -> stem: CONV`3~{k}`-{widths[1]}
-> `for i in 1..len(depths) [stage{i}: [Unit(widths[i], 2 if i > 1 else 1) -> Unit(widths[i])*{depths[i] - 1}]]
~for c, s in ((4, 1), (8, 2), (8, 1)) [stage{c}_{s}: [Unit(c, s, ks=(5, 3)) -> RELU]]
~[unit{i}: Unit(widths[i], ks=(1, 3))]*3`
-> tap side: [CONV1-{max(widths) - min(widths)}] -> GAP -> FC-{sum(depths) + 2**len(depths)}"""

TEMPLATES = (RESIDUAL, BOTTLENECK, DENSE, TOWERS, MOBILE, UNET, SWITCHES, PYRAMID, GATES, SHUFFLED, PARTS, SCATTERED)
WITH_LISTS = (DILATED, STAGED)


def family(dice: random.Random, others: random.Random) -> tuple[str, dict[str, list[str]]]:
    """Draws a program in the manner of published networks, and values to try for its parameters. `others` draws those
    with lists."""
    template = others.choice(WITH_LISTS) if others.random() < 0.2 else dice.choice(TEMPLATES)
    text = CHOICE.sub(lambda found: dice.choice(found[1].split("~")), template)
    head, _, rest = re.sub(r"\n +try ", " try ", text).partition("\n")
    declared, _, tries = head.partition(" try ")
    values: dict[str, list[str]] = {}
    for each in tries.split():
        name, _, value = each.partition("=")
        values.setdefault(name, []).append(value)
    lines = re.sub(r"\s+", " ", re.sub(r"\n(?=block|INPUT|[a-z]+ = @)", "\0", rest)).split("\0")
    return "\n".join([declared, *filter(None, map(str.strip, lines))]), values
