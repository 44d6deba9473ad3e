"""E03: shapes that do not go together."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0301",
        "a window that does not fit its input",
        """
        A window spans e = dilation*(kernel - 1) + 1 positions and must fit into the input with its padding: the
        output is floor((W + pads - e)/stride) + 1, and must be at least 1. Mostly there is one pooling too many: each
        POOL2 halves the map, so that 32 pixels are used up after five of them.
        """,
        "INPUT 32x32x3 -> [CONV3-64 -> POOL2]*6 -> FC-10",
        "INPUT 32x32x3 -> [CONV3-64 -> POOL2]*5 -> FC-10",
    ),
    code(
        "E0302",
        "a layer for maps behind one that gives a vector",
        """
        FC and FLATTEN turn a map of H x W positions into one vector, which has no positions any more. Convolutions,
        poolings and their like come before, or after a RESHAPE that makes the vector a map.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> FC-10 -> POOL2",
        "INPUT 32x32x3 -> CONV3-64 -> POOL2 -> FC-10",
    ),
    code(
        "E0303",
        "a wrong number of axes",
        """
        INPUT says how many axes a network has: none to three, and the channels. A size of one number, CONV3, holds
        for every axis; one of several, CONV3x5, must have as many as there are axes.
        """,
        "INPUT 16000x1 -> CONV3x3-64",
        "INPUT 16000x1 -> CONV3-64",
    ),
    code(
        "E0304",
        "groups that do not divide the channels",
        """
        A grouped convolution deals its input's channels and its filters out to the groups evenly, so their number
        divides both. That of GN, EVONORM, SHUFFLE and SOFTMAX divides the channels of the input, as the square of
        PIXELSHUFFLE's factor does; that of PIXELUNSHUFFLE divides the extents.
        """,
        "INPUT 32x32x3 -> CONV3-64(groups=2)",
        "INPUT 32x32x4 -> CONV3-64(groups=2)",
    ),
    code(
        "E0305",
        "a pooling that cannot be",
        """
        The padding of a pooling is smaller than its window, or some windows would see padding alone. With `out` the
        size of the output is given, and the windows follow from it: then there is no size, stride or padding to say.
        """,
        "INPUT 32x32x3 -> POOL2(pad=2)",
        "INPUT 32x32x3 -> POOL2(pad=1)",
    ),
    code(
        "E0306",
        "an unpooling that does not fit its pooling",
        """
        UNPOOL puts values where the max-pooling that it names took its own from. So it names a POOL, has that pool's
        size and stride, and takes a map of the shape that the pool gave.
        """,
        "INPUT 32x32x3 -> pool1: POOL2 -> pool2: POOL2 -> UNPOOL2(@pool1)",
        "INPUT 32x32x3 -> pool1: POOL2 -> pool2: POOL2 -> UNPOOL2(@pool2) -> UNPOOL2(@pool1)",
    ),
    code(
        "E0307",
        "a transposed convolution whose padding does not come out",
        """
        The output of CONVT is (W - 1)*stride - 2*pad + e + out_pad with e = dilation*(kernel - 1) + 1. With `same`,
        the default, it shall be stride*W, which needs a kernel as large as the stride, and both even or both odd.
        Else say `pad` and, for what is left over, `out_pad`, which is smaller than the stride.
        """,
        "INPUT 32x32x3 -> CONVT3-64/2",
        "INPUT 32x32x3 -> CONVT3-64/2(pad=1, out_pad=1)",
    ),
    code(
        "E0308",
        "channels that are not there",
        """
        Channels are counted from 0. SLICE(a, b) takes those from a up to b, b left out; PICK takes those that it
        lists; PADCHANNELS-n adds zeros up to n channels in all.
        """,
        "INPUT 32x32x3 -> PICK(0, 3)",
        "INPUT 32x32x3 -> PICK(0, 2)",
    ),
    code(
        "E0309",
        "statistics over a single value",
        """
        IN, GN and EVONORM normalise an image by its own statistics, RMSNORM(by=deviation) the channels of a position,
        and `standardise` each filter of a convolution; those of one value say nothing.
        """,
        "INPUT 32x32x3 -> GAP -> IN",
        "INPUT 32x32x3 -> IN -> GAP",
    ),
    code(
        "E0310",
        "an upsampling that cannot be",
        """
        UPSAMPLE takes a factor or the size of its output, not both. Its mode is for a number of axes: bilinear and
        bicubic for two, trilinear for three, linear for any. `align` has no meaning for mode=nearest.
        """,
        "INPUT 16000x1 -> UPSAMPLE2(mode=bilinear)",
        "INPUT 16000x1 -> UPSAMPLE2(mode=linear)",
    ),
    code(
        "E0311",
        "a layer that does nothing",
        """
        SCALE multiplies by a learned weight and adds a learned bias; without either it is ID. The groups of SOFTMAX do
        nothing without a radix.
        """,
        "INPUT 32x32x3 -> SCALE(weight=no, bias=no)",
        "INPUT 32x32x3 -> SCALE(bias=no)",
    ),
    code(
        "E0312",
        "the branches of a merge have different shapes",
        """
        `+`, MAX and MEAN merge value by value, so all branches have the same shape. `|` puts channels behind each
        other, so all else must agree. MUL also takes an operand of 1x1 pixels, or of one channel, and repeats it over
        the other one: a gate.

        Where a skip connection does not fit, `ID or CONV1-…` gives it a projection just there.
        """,
        "INPUT 32x32x3 -> (CONV3-64/2 + ID)",
        "INPUT 32x32x3 -> (CONV3-64/2 + ID or CONV1-64/2)",
    ),
    code(
        "E0313",
        "`or` outside of a merge",
        """
        `A or B` chooses the first whose shape fits the merge around it. So it stands as a whole branch of a merge,
        directly in its brackets.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> ID or CONV1-64",
        "INPUT 32x32x3 -> (CONV3-64 + ID or CONV1-64)",
    ),
    code(
        "E0314",
        "margins that cannot be",
        """
        CROP and ZEROPAD take margins, or with `out` the size of their output, not both: then the margins follow from
        the input. CROP makes a map smaller along each axis or leaves it as it is, ZEROPAD makes it larger.
        """,
        "INPUT 32x32x3 -> e: CONV3-8 -> POOL2 -> CROP(out=@e)",
        "INPUT 32x32x3 -> e: CONV3-8 -> POOL2 -> ZEROPAD(out=@e)",
    ),
    code(
        "E0315",
        "a parameter without one name and one tensor",
        """
        With `parameter`, SCALE is no module of its own: its tensor is a parameter of the module around it, and the
        layer's label is the parameter's name. So it has a weight or a bias, not both, and a label that is a name: no
        number, no dot, no dash. A parameter in a module of its own has a label around it: `ls: [gamma: SCALE(…)]`.
        """,
        "INPUT 32x32x3 -> layer_scale: SCALE(parameter=map)",
        "INPUT 32x32x3 -> layer_scale: SCALE(bias=no, parameter=map)",
    ),
    code(
        "E0316",
        "a shape of another number of values",
        """
        RESHAPE gives the values that enter in another shape: none is lost, and none is added.
        """,
        "INPUT 100 -> FC-1500 -> RESHAPE(7x7x32)",
        "INPUT 100 -> FC-1568 -> RESHAPE(7x7x32)",
    ),
    code(
        "E0317",
        "a difference of other than two branches",
        """
        SUB(A, B) takes B away from A, value by value. Of three branches it would not be seen which is taken away: a sum
        in brackets says so.
        """,
        "INPUT 32x32x3 -> SUB(CONV3-8, CONV1-8, CONV5-8)",
        "INPUT 32x32x3 -> SUB(CONV3-8, (CONV1-8 + CONV5-8))",
    ),
    code(
        "E0318",
        "a padding that cannot be",
        """
        Mirroring, `reflect`, repeats no border line, so it pads by less than the map's size; `circular` pads by that at
        most. `pad` says what is beyond the border (`tfsame`: zeros), or `border` does, not both. With a stride, only
        zeros can be more on one side than on the other, and only before plain weights: a layer in front pads the rest.
        """,
        "INPUT 4x4x3 -> CONV9-8(pad=reflect)",
        "INPUT 4x4x3 -> CONV9-8(pad=replicate)",
    ),
    code(
        "E0319",
        "a convolution along channels that cannot be",
        """
        CHANNELCONV slides its one filter over the channels of a vector, or of a map of one position, as GAP gives it.
        Its kernel is odd, so that each channel has as many neighbours before as after it.
        """,
        "INPUT 32x32x16 -> MUL(ID, CHANNELCONV3 -> SIGMOID)",
        "INPUT 32x32x16 -> MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID)",
    ),
    code(
        "E0320",
        "an interpolation of channels that are not the same",
        """
        A transposed convolution with `init=bilinear` enlarges each channel by itself. So it has as many filters as
        channels come in, and one group for all of them, or one for each.
        """,
        "INPUT 8x8x21 -> CONVT4-64/2(init=bilinear)",
        "INPUT 8x8x21 -> CONVT4-21/2(init=bilinear)",
    ),
)
