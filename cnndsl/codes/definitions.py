"""E024 and E025: blocks, definitions, other files."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0240",
        "too many arguments",
        """
        A block takes as many arguments as it has parameters.
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
        "a parameter of a block without a value",
        """
        Every parameter of a block has a value: from the call or, where it has one, its default.
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
        Arguments are given by place, or by the names of the parameters: `Pair(64, s=2)`.
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
        Blocks do not recurse, neither directly nor through others: a network is finite, and what repeats is a repeat.
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
        The form KIND[size][-width][/stride] is for kinds of layers. A block takes all its arguments in brackets.
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
        Parameters of the net, `let`s, blocks and what is used from other files share one space of names in a file,
        and nothing is redefined. The parameters of a block are known inside of it alone and may hide a name of the
        file.
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
        `default` sets options of a kind of layer, for all layers of that kind that follow in the file. The parameters
        of a block have their defaults where they are declared.
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
        "a block with the name of a kind",
        """
        A block cannot be called like a kind in capitals. In another case it can: Conv(64) is the block then, and
        CONV and Conv3-64 stay the kind. INPUT alone begins a network in any case, so that no block is called Input.
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
        `again tower` applies the part with the label `tower` once more, with the same weights. The part belongs to the
        module at hand, and its layers fit what comes in as it is: weights for 64 channels do not fit 32.
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
        "a `let` that is neither of the file nor of a block",
        """
        A `let` stands on a line of its own, or in a block: right behind the `=`, before the chain, or at the head of
        the square brackets that are the whole block. It holds in the whole block, and nowhere else.
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
        "a file that is not there",
        """
        `use "blocks.cnn": Block` looks for the file beside the one that uses it, then among the bundled
        architectures, and nowhere else: a file's name has no folders.
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
        `use` brings blocks from another file: those that it defines, and those that it uses itself.
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
        "files that use each other in a circle",
        """
        A file that uses another cannot be used by it in turn, neither directly nor through a third.
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
