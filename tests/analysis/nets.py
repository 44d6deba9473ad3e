"""Small networks with everything that the language can join: branches, skips, gates, references, taps, repeats."""

from __future__ import annotations

RESIDUAL = """
default CONV(bias=no)
block Bottleneck(c, s=1) = (
    conv1: CONV1-c -> bn1: BN -> RELU
    -> conv2: CONV3-c/s -> bn2: BN -> RELU
    -> conv3: CONV1-{4*c} -> bn3: BN
  + ID or downsample: [CONV1-{4*c}/s -> BN]
) -> RELU
INPUT 64x64x3 -> conv1: CONV7-16/2 -> bn1: BN -> RELU -> POOL3/2(pad=1)
-> layer1: [Bottleneck(16)*3] -> layer2: [Bottleneck(32, 2) -> Bottleneck(32)*3] -> GAP -> fc: FC-10
"""

DENSE = """
default CONV(bias=no)
block DenseLayer(k) = (ID | norm1: BN -> RELU -> conv1: CONV1-{4*k} -> norm2: BN -> RELU -> conv2: CONV3-k)
block Transition = norm: BN -> RELU -> conv: CONV1-{C/2} -> AVGPOOL2
INPUT 64x64x3 -> stem: CONV7-16/2 -> POOL3/2(pad=1)
-> block1: [DenseLayer(8)*4] -> trans1: Transition -> block2: [DenseLayer(8)*3] -> BN -> RELU -> GAP -> FC-10
"""

INCEPTION = """
block Inception(a, b, c) = (
    CONV1-a -> RELU
  | CONV1-b -> RELU -> CONV3-b -> RELU
  | CONV1-c -> RELU -> CONV5-c -> RELU
  | POOL3/1(pad=same) -> CONV1-a -> RELU
)
INPUT 64x64x3 -> CONV7-16/2 -> RELU -> POOL3/2(ceil=yes) -> LRN5
-> i1: Inception(8, 12, 4) -> tap aux(train): [AVGPOOL5/3 -> CONV1-8 -> RELU -> FC-10]
-> i2: Inception(16, 24, 8) -> POOL3/2(ceil=yes) -> GAP -> DROPOUT(0.4) -> FC-10
"""

GATED = """
block Inverted(c, e, s=1) = (
    CONV1-{e*C}(bias=no) -> BN -> HSWISH -> DWCONV3/s(bias=no) -> BN
    -> MUL(ID, GAP -> CONV1-8 -> RELU -> CONV1-{e*C} -> HSIGMOID)
    -> HSWISH -> CONV1-c(bias=no) -> BN
  + ID or CONV1-c/s
)
INPUT 64x64x3 -> CONV3-16/2(bias=no) -> BN -> HSWISH -> [Inverted(16, 2)*2 -> Inverted(24, 3, 2)]*2 -> GAP -> FC-10
"""

UNET = """
INPUT 64x64x3
-> enc1: [CONV3-8 -> RELU]*2 -> POOL2
-> enc2: [CONV3-16 -> RELU]*2 -> POOL2
-> [CONV3-32 -> RELU]*2
-> (@enc2 | CONVT2-16/2) -> [CONV3-16 -> RELU]*2
-> (@enc1 | UPSAMPLE2(mode=bilinear) -> CONV1-8) -> [CONV3-8 -> RELU]*2 -> CONV1-4
"""

SEGNET = """
INPUT 32x32x3 -> CONV3-8 -> BN -> RELU -> p1: POOL2 -> CONV3-16 -> BN -> RELU -> p2: POOL2
-> UNPOOL2(@p2) -> CONV3-8 -> BN -> RELU -> UNPOOL2(@p1) -> CONV3-4
"""

SHUFFLED = """
INPUT 32x32x3 -> CONV3-16/2 -> RELU
-> [(SLICE(0, C/2) | SLICE(C/2, C) -> CONV1-8 -> RELU -> DWCONV3 -> CONV1-8 -> RELU) -> SHUFFLE2]*3
-> PADCHANNELS-32/2 -> GMP -> FC-10 -> SOFTMAX
"""

MERGED = """
INPUT 32x32x3 -> CONV3-8 -> (ID + CONV3-8 + CONV1-8) -> MEAN(ID, CONV3-8) -> MAX(CONV1-8, CONV3-8)
-> SCALE -> LN -> PRELU -> DROPPATH(0.2) -> (GAP | GMP) -> FLATTEN -> DROPOUT -> FC-10
"""

VOLUME = "INPUT 8x16x16x2 -> CONV3-8 -> BN -> RELU -> POOL2 -> CONV3-8 -> RELU -> FC-4"
SIGNAL = "INPUT 400x2 -> CONV9-8/4 -> BN -> RELU -> POOL4 -> CONV3-8 -> GAP -> FC-4"

NETS = {
    "small_residual": RESIDUAL,
    "small_dense": DENSE,
    "small_inception": INCEPTION,
    "small_gated": GATED,
    "small_unet": UNET,
    "small_segnet": SEGNET,
    "small_shuffled": SHUFFLED,
    "small_merged": MERGED,
    "small_volume": VOLUME,
    "small_signal": SIGNAL,
    "one gate twice": """\
        block Mlp(r=4) = fc1: FC-{C//r} -> RELU -> fc2: FC-C
        INPUT 16x16x3 -> CONV3-16 -> RELU -> MUL(ID, (GAP -> mlp: Mlp + GMP -> again mlp) -> SIGMOID) -> GAP -> FC-5
    """,
    "a cell four times": """\
        INPUT 16x16x8 -> cell: [CONV3-8 -> BN -> RELU] -> [again cell]*3 -> GAP -> FC-5
    """,
    "one head on three maps": """\
        block Head(c) = [
          x = conv: CONV3-c -> RELU
          cls = @x -> CONV1-5
          box = @x -> CONV1-4
        ]
        INPUT 32x32x3 -> a: CONV3-8 -> RELU -> b: CONV3-8/2 -> RELU -> c: CONV3-8/2
        h1 = @a -> head: Head(8)
        h2 = @b -> again head
        h3 = @c -> again head
        output h1.cls, h1.box, h2.cls, h2.box, h3.cls, h3.box
    """,
    "a unit with its skip, twice": """\
        INPUT 16x16x8 -> u: [(CONV3-8 -> BN -> SILU -> CONV3-8 + ID) -> RELU] -> again u -> GAP -> FC-5
    """,
    "sizes of other maps": """\
        INPUT 33x29x3 -> e: CONV3-8 -> POOL2 -> d: CONV3-8 -> POOL2 -> CONV3-8
        -> (@d + UPSAMPLE(out=@d, mode=bilinear)) -> RELU -> (@e | UPSAMPLE(out=@e)) -> CONV1-4 -> GAP -> FC-5
    """,
}
