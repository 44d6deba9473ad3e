"""Small texts with all that networks are made of, to be changed in one place."""

TEXTS = {
    "residual": """
default CONV(bias=no)
block Basic(c, s=1) = (
    conv1: CONV3-c/s -> bn1: BN -> RELU -> conv2: CONV3-c -> bn2: BN
  + ID or downsample: [CONV1-c/s -> BN]
) -> RELU
INPUT 32x32x3
-> conv1: CONV7-8/2 -> bn1: BN -> RELU -> POOL3/2(pad=1)
-> layer1: [Basic(8)*2] -> layer2: [Basic(16, 2) -> Basic(16)] -> GAP -> fc: FC-10
""",
    "inception": """
block ConvBN(c, k, s=1) = conv: CONV{k}-c/s(bias=no) -> bn: BN(eps=0.001) -> RELU
INPUT 33x33x3
-> stem: ConvBN(8, 3, 2) -> POOL3/2(ceil=yes) -> LRN(size=5)
-> mixed: ( branch1: ConvBN(4, 1)
          | branch2: [ConvBN(4, 1) -> ConvBN(6, 3)]
          | branch3: [POOL3/1(pad=same) -> ConvBN(4, 1)]
          | branch4: [AVGPOOL3/1(pad=1, countpad=no) -> ConvBN(4, 1)] )
-> tap side(train): [@mixed -> AVGPOOL2 -> CONV1-4 -> RELU -> FC-8 -> DROPOUT(0.7) -> FC-5]
-> GAP -> DROPOUT(0.2) -> fc: FC-5
""",
    "mobile": """
default CONV(bias=no)
default DWCONV(bias=no)
default BN(eps=0.001, momentum=0.01)
block Excite = MUL(ID, GAP -> fc1: CONV1-{C/4}(bias=yes) -> RELU -> fc2: CONV1-C(bias=yes) -> HSIGMOID)
block Inverted(e, c, s=1) = (
    block: [CONV1-e -> BN -> HSWISH -> DWCONV3/s -> BN -> HSWISH -> Excite -> CONV1-c -> BN -> DROPPATH(0.1)]
  + ID if s == 1 and C == c
)
INPUT 32x32x3 -> features: [CONV3-8/2 -> BN -> HSWISH -> Inverted(16, 8) -> Inverted(24, 12, 2) -> Inverted(24, 12)]
-> GAP -> classifier: [FC-16 -> SILU -> DROPOUT(0.2) -> FC-10]
""",
    "dense": """
block Dense(k) = (ID | norm1: BN -> RELU -> conv1: CONV1-{4*k}(bias=no) -> norm2: BN -> RELU -> conv2: CONV3-k(bias=no))
INPUT 32x32x3 -> conv0: CONV3-8 -> denseblock: [Dense(4)*3] -> norm: BN -> RELU -> conv: CONV1-8 -> pool: AVGPOOL2/2
-> late: [Dense(4)*2] -> GAP -> classifier: FC-10
""",
    "next": """
block Next(c) = (
    ID
  + dwconv: DWCONV7 -> norm: LN(over=channels, eps=1e-6) -> fc1: FC-{4*c}(over=channels) -> GELU
    -> fc2: FC-c(over=channels) -> gamma: SCALE(bias=no) -> DROPPATH(0.2)
)
INPUT 32x32x3 -> stem: CONV4-8/4 -> Next(8)*2 -> down: CONV2-12/2 -> Next(12) -> GAP -> LN -> head: FC-7
""",
    "segmenting": """
INPUT 32x32x3
-> one: [CONV3-8 -> GN(groups=4) -> LEAKYRELU(0.2)]
-> two: [POOL2 -> CONV3-16(dilation=2) -> IN -> ELU]
-> (@two -> UPSAMPLE2(mode=bilinear) -> CONV1-8 + @one) -> PRELU
-> (CONVT2-8/2 -> POOL2 | ID) -> tap map: ID
-> CONV3-4(groups=2) -> SOFTMAX
""",
    "shuffled": """
block Unit(c) = (
    a: SLICE(0, C/2)
  | SLICE(C/2, C) -> CONV1-c -> BN -> RELU -> DWCONV3 -> BN -> CONV1-c -> BN -> RELU
) -> SHUFFLE(groups=2)
INPUT 32x32x4 -> CONV3-16/2 -> Unit(8)*2 -> MAX(CONV3-16, CONV1-16 -> SIGMOID) -> SUB(CONV1-8, CONV3-8) -> FC-6
""",
}
