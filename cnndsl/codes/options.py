"""E022: the options of layers."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0221",
        "an option that the layer type does not have",
        """
        Each layer type has its own options, which the language reference lists. Nothing is silently ignored, so an
        unknown option is an error.
        """,
        "INPUT 32x32x3 -> CONV3-64(padding=1)",
        "INPUT 32x32x3 -> CONV3-64(pad=1)",
    ),
    code(
        "E0222",
        "an option or argument that is given twice",
        """
        Give a value once: in the word, `CONV3-64`, or as an option, `CONV(kernel=3, filters=64)`; as a positional
        argument or by its name. `F S P K` are other names for kernel, stride, pad and filters.
        """,
        "INPUT 32x32x3 -> CONV3-64(K=32)",
        "INPUT 32x32x3 -> CONV3(K=32)",
    ),
    code(
        "E0223",
        "a size, width or stride that the layer type does not take",
        """
        In KIND[size][-width][/stride], POOL has no width, because it keeps the channels of its input; FC has a width
        but no size: FC-4096; RELU has none of the three. INPUT is followed by a shape and nothing else.
        """,
        "INPUT 32x32x3 -> FC4096",
        "INPUT 32x32x3 -> FC-4096",
    ),
    code(
        "E0224",
        "a positional argument that the layer type does not take",
        """
        Some layer types take positional arguments, such as DROPOUT(0.5) or SLICE(0, 16). For all others, name each
        argument.
        """,
        "INPUT 32x32x3 -> CONV3-64(2)",
        "INPUT 32x32x3 -> CONV3-64(stride=2)",
    ),
    code(
        "E0225",
        "a missing option",
        """
        Most options have a default. Where no default makes sense, the option is required: the width of PADCHANNELS,
        the amount of ZEROPAD and CROP, the range of SLICE, the channels of PICK, the max-pooling that UNPOOL undoes.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> SLICE(0)",
        "INPUT 32x32x3 -> CONV3-64 -> SLICE(0, 32)",
    ),
    code(
        "E0226",
        "an option with a value of the wrong type",
        """
        The value of an option is a number, one extent per axis (3x5), yes or no, one of a few words, or an output
        `@name`. To choose a word with a parameter, declare the parameter in `net` or in the block.
        """,
        "INPUT 32x32x3 -> CONV3-64(bias=0)",
        "INPUT 32x32x3 -> CONV3-64(bias=no)",
    ),
    code(
        "E0227",
        "an option outside its bounds",
        """
        Sizes, widths and strides are at least 1, paddings at least 0, probabilities from 0 to 1. The size of
        LRN(over=positions) is odd.
        """,
        "INPUT 32x32x3 -> CONV3-64/0",
        "INPUT 32x32x3 -> CONV3-64/1",
    ),
)
