"""E022: the options of layers."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0221",
        "an option that the kind does not have",
        """
        Each kind has its own options; the language reference lists them. Nothing that is written is silently ignored,
        so an unknown option is an error.
        """,
        "INPUT 32x32x3 -> CONV3-64(padding=1)",
        "INPUT 32x32x3 -> CONV3-64(pad=1)",
    ),
    code(
        "E0222",
        "an option or an argument that is given twice",
        """
        A value is given once: in the word, `CONV3-64`, or as an option, `CONV(kernel=3, filters=64)`; by its place
        among the arguments, or by its name. `F S P K` are other names of kernel, stride, pad and filters.
        """,
        "INPUT 32x32x3 -> CONV3-64(K=32)",
        "INPUT 32x32x3 -> CONV3(K=32)",
    ),
    code(
        "E0223",
        "a size, width or stride where the kind takes none",
        """
        In KIND[size][-width][/stride], POOL has no width, since it keeps the channels of its input; FC has a width,
        but no size: FC-4096; RELU has none of the three. INPUT is followed by a volume alone.
        """,
        "INPUT 32x32x3 -> FC4096",
        "INPUT 32x32x3 -> FC-4096",
    ),
    code(
        "E0224",
        "an argument without a name where the kind takes none",
        """
        Some kinds take arguments by their place, such as DROPOUT(0.5) or SLICE(0, 16). With all others each argument
        has its name.
        """,
        "INPUT 32x32x3 -> CONV3-64(2)",
        "INPUT 32x32x3 -> CONV3-64(stride=2)",
    ),
    code(
        "E0225",
        "an option without which the layer cannot be",
        """
        Most options have a default. Where none makes sense, the option must be given: the width of PADCHANNELS, the
        amount of ZEROPAD and CROP, the range of SLICE, the channels of PICK, the max-pooling that UNPOOL undoes.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> SLICE(0)",
        "INPUT 32x32x3 -> CONV3-64 -> SLICE(0, 32)",
    ),
    code(
        "E0226",
        "an option with a value of the wrong type",
        """
        An option is a number, an extent for each axis (3x5), yes or no, one of a few words, or an output `@name`. A
        parameter that stands for a word must be declared by the `net` or block around it.
        """,
        "INPUT 32x32x3 -> CONV3-64(bias=0)",
        "INPUT 32x32x3 -> CONV3-64(bias=no)",
    ),
    code(
        "E0227",
        "an option outside of its bounds",
        """
        Sizes, widths and strides are at least 1, paddings at least 0, probabilities from 0 to 1. The size of
        LRN(over=positions) is odd.
        """,
        "INPUT 32x32x3 -> CONV3-64/0",
        "INPUT 32x32x3 -> CONV3-64/1",
    ),
)
