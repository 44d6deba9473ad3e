"""Programs that the tests of the emitter share: small forms of the networks that it must write well."""

from __future__ import annotations

BOTTLENECK = """
block Bottleneck(c, s=1) = (
    conv1: CONV1-c -> bn1: BN -> RELU
    -> conv2: CONV3-c/s -> bn2: BN -> RELU
    -> conv3: CONV1-{4*c} -> bn3: BN
  + ID or downsample: [CONV1-{4*c}/s -> BN]
) -> RELU
"""

RESIDUAL = f"""# A small ResNet. After He et al. 2015.
net Small(classes=10)
default CONV(bias=no)
{BOTTLENECK}
INPUT 32x32x3
-> conv1: CONV3-16/2 -> bn1: BN -> RELU -> POOL3/2(pad=1)
-> layer1: [Bottleneck(4)*3]
-> layer2: [Bottleneck(8, 2) -> Bottleneck(8)*2]
-> GAP -> fc: FC-classes
"""

DENSE = """
net Dense(classes=10, k=4)
default CONV(bias=no)
block DenseLayer(k) = (ID | norm1: BN -> RELU -> conv1: CONV1-{4*k} -> norm2: BN -> RELU -> conv2: CONV3-k)
block DenseBlock(n, k) = [denselayer{i}: DenseLayer(k)]*n
block Transition = norm: BN -> RELU -> conv: CONV1-{C/2} -> AVGPOOL2
INPUT 32x32x3
-> features: [
     conv0: CONV7-8/2 -> norm0: BN -> RELU
  -> denseblock1: DenseBlock(2, k) -> transition1: Transition
  -> denseblock2: DenseBlock(3, k) -> norm5: BN
   ]
-> RELU -> GAP -> classifier: FC-classes
"""

INCEPTION = """
net Google(classes=10)
default CONV(bias=no)
block Basic(c, k=1, s=1, p=same) = conv: CONV{k}-c/s(pad=p) -> bn: BN -> RELU
block Inception(a, b1, b3, d) = (
    branch1: Basic(a)
  | branch2: [Basic(b1) -> Basic(b3, 3)]
  | branch3: [Basic(b1, 1x3) -> Basic(b3, 3x1)]
  | branch4: [POOL3/1(pad=same) -> Basic(d)]
)
block Aux(from, classes) = @from -> AVGPOOL(out=2x2) -> conv: Basic(8) -> fc: FC-classes
INPUT 32x32x3
-> conv1: Basic(8, 5, 2, valid) -> inception1: Inception(4, 4, 8, 4)
-> inception2: Inception(8, 4, 8, 4) -> inception3: Inception(8, 8, 8, 8)
-> tap aux1(train): Aux(@inception1, classes) -> tap aux2(train): Aux(@inception2, classes)
-> GAP -> DROPOUT(0.2) -> fc: FC-classes
"""

MOBILE = """
net Mobile(classes=10)
default CONV(bias=no)
default DWCONV(bias=no)
block SE(c) = MUL(ID, avgpool: GAP -> fc1: CONV1-c(bias=yes) -> RELU -> fc2: CONV1-C(bias=yes) -> HSIGMOID)
block Unit(k, e, c, se, nl, s=1) = (
  block: [
    [CONV1-e -> BN -> nl] if e != C -> DWCONV{k}/s -> BN -> nl
    -> SE(divisible(e/4)) if se -> CONV1-c -> BN
  ] + ID if s == 1 and C == c
)
INPUT 32x32x3
-> features: [
    CONV3-8/2 -> BN -> HSWISH
    -> for k, e, c, se, nl, s in (3, 8, 8, yes, RELU, 2), (3, 24, 12, no, RELU, 2), (5, 36, 12, yes, HSWISH, 1) [
      Unit(k, e, c, se, nl, s)
    ]
    -> CONV1-16 -> BN -> HSWISH
   ]
-> GAP -> classifier: [DROPOUT(0.2) -> FC-classes]
"""

UNET = """
net UNet(classes=2)
block Double(c) = CONV3-c -> BN -> RELU -> CONV3-c -> BN -> RELU
block Up(c, skip) = (@skip | up: CONVT2-c/2) -> conv: Double(c)
INPUT 32x32x3
-> enc1: Double(4) -> POOL2 -> enc2: Double(8) -> POOL2 -> mid: Double(16)
-> up2: Up(8, @enc2) -> up1: Up(4, @enc1) -> head: CONV1-classes
"""

NUMBERED = """
INPUT 16x16x3 -> CONV3-8 -> RELU -> (CONV3-8 -> RELU -> CONV3-8 + ID) -> RELU
-> [(CONV3-8 | POOL3/1(pad=same) | ID)]*2 -> (ID | SLICE(0, C/2)) -> SHUFFLE2 -> FC-16 -> RELU -> FC-10
"""

SWITCHES = """
net Seg
INPUT 16x16x3 -> conv1: CONV3-4 -> RELU -> pool1: POOL2 -> conv2: CONV3-8 -> RELU -> pool2: POOL2
-> UNPOOL2(@pool2) -> CONV3-4 -> RELU -> UNPOOL2(@pool1) -> CONV3-4
"""

TAPS = """
net Taps
INPUT 8x8x3 -> a: CONV3-4 -> RELU -> tap mid: CONV1-2 -> b: [CONV3-4 -> BN -> RELU]
-> tap side(train): [GAP -> FC-3] -> GAP -> FC-5
"""

VOLUMES = "INPUT 4x8x8x2 -> CONV3-4 -> BN -> RELU -> POOL2 -> [CONV3-4 -> LEAKYRELU(0.1)]*3 -> GAP -> FC-3"

SIGNALS = "INPUT 64x1 -> CONV9-8/4 -> BN -> RELU -> [CONV3-8 -> BN -> RELU -> POOL2]*2 -> FC-3"

CARD = "INPUT 32x32x3 -> [[CONV3-8 -> RELU]*2 -> POOL2]*3 -> FC-16"

COLLECTED = """
block Dense = BN -> RELU -> CONV3-4
block Gate = [
  x = ID
  gate = MUL(@x -> CONV3-8 -> TANH, @x -> CONV3-8 -> SIGMOID)
  skip = @gate -> CONV1-6
  sum = (@x + @gate -> CONV1-8)
]
INPUT 16x16x3 -> CONV3-8
-> block: [stem: ID -> [(@stem | @layer*) -> layer{i}: Dense]*4 -> (@stem | @layer*)]
-> CONV1-8 -> [gates.g{i}: Gate]*4 -> last: CONV1-6
out = (@last + @gates.g*.skip) -> RELU -> GAP -> FC-5
"""

JOINED = """
INPUT 16x16x3 -> x0: CONV3-8 -> [enc.e{i}: CONV3-8]*4 -> mid: POOL2 -> UPSAMPLE2 -> (ID | @x0 | @enc.e*)
-> [dec.d{i}: [CONV3-8 -> RELU]]*4
out = (@mid -> UPSAMPLE2 | @dec.d*) -> CONV1-4
"""

PROGRAMS = {
    "residual": RESIDUAL,
    "dense": DENSE,
    "inception": INCEPTION,
    "mobile": MOBILE,
    "unet": UNET,
    "numbered": NUMBERED,
    "switches": SWITCHES,
    "taps": TAPS,
    "volumes": VOLUMES,
    "signals": SIGNALS,
    "card": CARD,
    "collected": COLLECTED,
    "joined": JOINED,
}
