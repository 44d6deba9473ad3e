"""E03: shapes that do not go together."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0301",
        "a window that does not fit its input",
        """
        A window spans e = dilation*(kernel - 1) + 1 positions and must fit into the padded input: the output has
        floor((W + pads - e)/stride) + 1 positions, which must be at least 1. The usual reason is one pooling too
        many: each POOL2 halves the map, so nothing is left of 32 pixels after five of them.
        """,
        "INPUT 32x32x3 -> [CONV3-64 -> POOL2]*6 -> FC-10",
        "INPUT 32x32x3 -> [CONV3-64 -> POOL2]*5 -> FC-10",
    ),
    code(
        "E0302",
        "a layer that needs a map after one that returns a vector",
        """
        FC and FLATTEN turn a map of H x W positions into one vector without positions. Convolutions, poolings and
        similar layers come before them, or after a RESHAPE that turns the vector back into a map.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> FC-10 -> POOL2",
        "INPUT 32x32x3 -> CONV3-64 -> POOL2 -> FC-10",
    ),
    code(
        "E0303",
        "the wrong number of axes",
        """
        INPUT sets the number of spatial axes of a network: none to three, followed by the channels. A size of one
        number, CONV3, applies to every axis; a size of several, CONV3x5, needs one number per axis.
        """,
        "INPUT 16000x1 -> CONV3x3-64",
        "INPUT 16000x1 -> CONV3-64",
    ),
    code(
        "E0304",
        "groups that do not divide the channels",
        """
        A grouped convolution splits its input channels and its filters evenly among the groups, so the number of
        groups must divide both. The groups of GN, EVONORM, SHUFFLE and SOFTMAX must divide the channels of the input,
        and so must the square of the factor of PIXELSHUFFLE. The factor of PIXELUNSHUFFLE must divide the extents.
        """,
        "INPUT 32x32x3 -> CONV3-64(groups=2)",
        "INPUT 32x32x4 -> CONV3-64(groups=2)",
    ),
    code(
        "E0305",
        "an invalid pooling",
        """
        The padding of a pooling must be smaller than its window, or some windows would contain only padding. With
        `out`, the size of the output is given and the windows follow from it, so size, stride and padding cannot be
        set.
        """,
        "INPUT 32x32x3 -> POOL2(pad=2)",
        "INPUT 32x32x3 -> POOL2(pad=1)",
    ),
    code(
        "E0306",
        "an unpooling that does not fit its pooling",
        """
        UNPOOL puts each value back where its max-pooling took it from. It names a POOL, has the same size and stride,
        and takes a map of the shape that the POOL returned.
        """,
        "INPUT 32x32x3 -> pool1: POOL2 -> pool2: POOL2 -> UNPOOL2(@pool1)",
        "INPUT 32x32x3 -> pool1: POOL2 -> pool2: POOL2 -> UNPOOL2(@pool2) -> UNPOOL2(@pool1)",
    ),
    code(
        "E0307",
        "a transposed convolution with inconsistent padding",
        """
        The output of CONVT has (W - 1)*stride - 2*pad + e + out_pad positions, where e = dilation*(kernel - 1) + 1.
        With `same`, the default, this must equal stride*W, so the kernel must be at least the stride, and both even
        or both odd. Otherwise set `pad` and, for the remainder, `out_pad`, which must be smaller than the stride.
        """,
        "INPUT 32x32x3 -> CONVT3-64/2",
        "INPUT 32x32x3 -> CONVT3-64/2(pad=1, out_pad=1)",
    ),
    code(
        "E0308",
        "channels that do not exist",
        """
        Channels are counted from 0. SLICE(a, b) takes the channels from a up to but not including b; PICK takes the
        channels that it lists; PADCHANNELS-n adds zeros up to n channels in total.
        """,
        "INPUT 32x32x3 -> PICK(0, 3)",
        "INPUT 32x32x3 -> PICK(0, 2)",
    ),
    code(
        "E0309",
        "statistics over a single value",
        """
        IN, GN and EVONORM normalise an image by its own statistics, RMSNORM(by=deviation) the channels of a position,
        and `standardise` each filter of a convolution. Statistics of a single value carry no information.
        """,
        "INPUT 32x32x3 -> GAP -> IN",
        "INPUT 32x32x3 -> IN -> GAP",
    ),
    code(
        "E0310",
        "an invalid upsampling",
        """
        UPSAMPLE takes a factor or the size of its output, not both. Each mode has its number of axes: two for
        bilinear and bicubic, three for trilinear, any for linear. `align` has no effect with mode=nearest.
        """,
        "INPUT 16000x1 -> UPSAMPLE2(mode=bilinear)",
        "INPUT 16000x1 -> UPSAMPLE2(mode=linear)",
    ),
    code(
        "E0311",
        "a layer that does nothing",
        """
        SCALE multiplies by a learned weight and adds a learned bias; without both it does nothing. The groups of
        SOFTMAX have no effect without a radix.
        """,
        "INPUT 32x32x3 -> SCALE(weight=no, bias=no)",
        "INPUT 32x32x3 -> SCALE(bias=no)",
    ),
    code(
        "E0312",
        "the branches of a merge have different shapes",
        """
        `+`, MAX and MEAN merge value by value, so all branches must have the same shape. `|` concatenates channels,
        so the branches must agree in everything else. MUL also takes an operand with one position, or with one
        channel, and repeats it over the other: a gate.

        If a skip connection does not fit at some calls, `ID or CONV1-…` uses a projection at those calls only.
        """,
        "INPUT 32x32x3 -> (CONV3-64/2 + ID)",
        "INPUT 32x32x3 -> (CONV3-64/2 + ID or CONV1-64/2)",
    ),
    code(
        "E0313",
        "`or` outside a merge",
        """
        `A or B` uses the first choice whose shape fits the enclosing merge. It must be a whole branch, directly
        inside the parentheses of the merge.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> ID or CONV1-64",
        "INPUT 32x32x3 -> (CONV3-64 + ID or CONV1-64)",
    ),
    code(
        "E0314",
        "invalid margins",
        """
        CROP and ZEROPAD take margins or, with `out`, the size of their output, from which the margins follow; not
        both. CROP cannot enlarge a map along any axis, and ZEROPAD cannot shrink it.
        """,
        "INPUT 32x32x3 -> e: CONV3-8 -> POOL2 -> CROP(out=@e)",
        "INPUT 32x32x3 -> e: CONV3-8 -> POOL2 -> ZEROPAD(out=@e)",
    ),
    code(
        "E0315",
        "a parameter that is not one named tensor",
        """
        With `parameter`, SCALE is not a module of its own: its tensor becomes a parameter of the enclosing module,
        named by the layer's label. So it has a weight or a bias, not both, and a label that is a Python name: no
        number, dot or dash. To put the parameter into a module of its own, label that: `ls: [gamma: SCALE(…)]`.
        """,
        "INPUT 32x32x3 -> layer_scale: SCALE(parameter=map)",
        "INPUT 32x32x3 -> layer_scale: SCALE(bias=no, parameter=map)",
    ),
    code(
        "E0316",
        "a shape with another number of values",
        """
        RESHAPE rearranges the values of its input into another shape. It neither drops nor adds any.
        """,
        "INPUT 100 -> FC-1500 -> RESHAPE(7x7x32)",
        "INPUT 100 -> FC-1568 -> RESHAPE(7x7x32)",
    ),
    code(
        "E0317",
        "a difference of more or fewer than two branches",
        """
        SUB(A, B) subtracts B from A, value by value. With three branches it would not be clear which are subtracted;
        put a sum in parentheses instead.
        """,
        "INPUT 32x32x3 -> SUB(CONV3-8, CONV1-8, CONV5-8)",
        "INPUT 32x32x3 -> SUB(CONV3-8, (CONV1-8 + CONV5-8))",
    ),
    code(
        "E0318",
        "an invalid padding",
        """
        Mirrored padding, `reflect`, does not repeat the border line, so it must be smaller than the map; `circular`
        can be as large as the map. Either `pad` or `border` sets the values beyond the border (`tfsame`: zeros), not
        both. With a stride, only zeros may differ between the two sides, and only with plain weights; otherwise, pad
        with a layer of its own.
        """,
        "INPUT 4x4x3 -> CONV9-8(pad=reflect)",
        "INPUT 4x4x3 -> CONV9-8(pad=replicate)",
    ),
    code(
        "E0319",
        "an invalid convolution along channels",
        """
        CHANNELCONV slides its only filter over the channels of a vector, or of a map with one position, as GAP
        returns it. Its kernel is odd, so that each channel has as many neighbours before as after it.
        """,
        "INPUT 32x32x16 -> MUL(ID, CHANNELCONV3 -> SIGMOID)",
        "INPUT 32x32x16 -> MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID)",
    ),
    code(
        "E0320",
        "an interpolation that mixes channels",
        """
        A transposed convolution with `init=bilinear` enlarges each channel separately. So it has as many filters as
        input channels, and either one group or one per channel.
        """,
        "INPUT 8x8x21 -> CONVT4-64/2(init=bilinear)",
        "INPUT 8x8x21 -> CONVT4-21/2(init=bilinear)",
    ),
)
