"""E024 and E025: blocks, definitions, other files."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0240",
        "too many arguments",
        """
        A block takes at most one argument per parameter.
        """,
        """
        block Pair(c) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair(64, 2)
        """,
        """
        block Pair(c, s=1) = CONV3-c/s -> RELU
        INPUT 32x32x3 -> Pair(64, 2)
        """,
    ),
    code(
        "E0241",
        "a block parameter without a value",
        """
        Every parameter of a block needs a value, either from the call or from its default.
        """,
        """
        block Pair(c, s) = CONV3-c/s -> RELU
        INPUT 32x32x3 -> Pair(64)
        """,
        """
        block Pair(c, s=1) = CONV3-c/s -> RELU
        INPUT 32x32x3 -> Pair(64)
        """,
    ),
    code(
        "E0242",
        "an argument for a parameter that the block does not have",
        """
        Arguments are positional, or use the names of the parameters: `Pair(64, s=2)`.
        """,
        """
        block Pair(c, s=1) = CONV3-c/s -> RELU
        INPUT 32x32x3 -> Pair(64, stride=2)
        """,
        """
        block Pair(c, s=1) = CONV3-c/s -> RELU
        INPUT 32x32x3 -> Pair(64, s=2)
        """,
    ),
    code(
        "E0243",
        "a block that calls itself",
        """
        Blocks cannot be recursive, directly or through other blocks. Use a repeat instead.
        """,
        """
        block Tower(c) = CONV3-c -> RELU -> Tower(c)
        INPUT 32x32x3 -> Tower(64)
        """,
        """
        block Tower(c, n) = [CONV3-c -> RELU]*n
        INPUT 32x32x3 -> Tower(64, 3)
        """,
    ),
    code(
        "E0244",
        "a block that is written like a layer",
        """
        The form KIND[size][-width][/stride] is for layer types. All arguments of a block go in parentheses.
        """,
        """
        block Pair(c) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair-64
        """,
        """
        block Pair(c) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair(64)
        """,
    ),
    code(
        "E0245",
        "a name that is defined twice",
        """
        Parameters of the network, `let`s, blocks and imported blocks share one namespace per file, and nothing can be
        redefined. The parameters of a block are local to it and may hide a name of the file.
        """,
        """
        let k = 3
        let k = 5
        INPUT 32x32x3 -> CONV{k}-64
        """,
        """
        let k = 3
        let j = 5
        INPUT 32x32x3 -> CONV{k}-64 -> CONV{j}-64
        """,
    ),
    code(
        "E0246",
        "a default for a block",
        """
        `default` sets options of a layer type for all following layers of that type in the file. The defaults of a
        block's parameters belong in its definition.
        """,
        """
        block Pair(c=32) = CONV3-c -> RELU
        default Pair(c=64)
        INPUT 32x32x3 -> Pair
        """,
        """
        block Pair(c=64) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair
        """,
    ),
    code(
        "E0247",
        "a block with the name of a layer type",
        """
        A block cannot have the name of a layer type in capitals. Other spellings are allowed: `Conv(64)` is then the
        block, while CONV and Conv3-64 remain the layer type. INPUT begins a network in any spelling, so no block can
        be called Input.
        """,
        """
        block CONV(c) = CONV3-c -> BN -> RELU
        INPUT 32x32x3 -> CONV(64)
        """,
        """
        block Conv(c) = CONV3-c -> BN -> RELU
        INPUT 32x32x3 -> Conv(64)
        """,
    ),
    code(
        "E0248",
        "a part that cannot be applied again",
        """
        `again tower` applies the part labelled `tower` once more, with the same weights. The part must be in the same
        module, and its layers must fit the new input without changes: weights for 64 channels do not fit 32.
        """,
        """
        INPUT 32x32x8 -> tower: CONV3-16 -> again tower
        """,
        """
        INPUT 32x32x8 -> tower: CONV3-8 -> again tower
        """,
    ),
    code(
        "E0249",
        "a `let` outside a file or block",
        """
        `let` goes on a line of its own, or into a block: right after the `=`, before the chain, or first in the
        square brackets that are the whole block. It is valid in the whole block and nowhere else.
        """,
        """
        block Unit(c) = (CONV3-c + [let m = c//4 CONV1-m -> CONV1-c])
        INPUT 32x32x3 -> Unit(64)
        """,
        """
        block Unit(c) =
            let m = c//4
            (CONV3-c + CONV1-m -> CONV1-c)
        INPUT 32x32x3 -> Unit(64)
        """,
    ),
    code(
        "E0250",
        "a file that cannot be found",
        """
        `use "blocks.cnn": Block` looks for the file in the folder of the file that uses it, then among the bundled
        networks, and nowhere else. The name of the file contains no folder.
        """,
        """
        use "googlnet.cnn": Inception
        INPUT 28x28x192 -> Inception(64, 96, 128, 16, 32, 32)
        """,
        """
        use "googlenet.cnn": Inception
        INPUT 28x28x192 -> Inception(64, 96, 128, 16, 32, 32)
        """,
    ),
    code(
        "E0251",
        "a block that the file does not have",
        """
        `use` imports blocks from another file: those that it defines, and those that it uses itself.
        """,
        """
        use "googlenet.cnn": Incepton
        INPUT 28x28x192 -> Incepton(64, 96, 128, 16, 32, 32)
        """,
        """
        use "googlenet.cnn": Inception
        INPUT 28x28x192 -> Inception(64, 96, 128, 16, 32, 32)
        """,
    ),
    code(
        "E0252",
        "files that use each other",
        """
        If one file uses another, the second cannot use the first, directly or through a third.
        """,
        """
        use "other.cnn": Pair
        block Single(c) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair(64)
        # file: other.cnn
        use "net.cnn": Single
        block Pair(c) = Single(c) -> Single(c)
        """,
        """
        use "other.cnn": Pair
        INPUT 32x32x3 -> Pair(64)
        # file: other.cnn
        block Single(c) = CONV3-c -> RELU
        block Pair(c) = Single(c) -> Single(c)
        """,
    ),
)
