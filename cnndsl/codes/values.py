"""E020 and E021: expressions, the parameters of a network, the network itself."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0201",
        "a name without a value",
        """
        A name in an expression is one of these: a `let` of the file or of the block around it, a parameter of the net
        or of the block, a variable of the `for` around it, `i` inside a repeat, or C, H, W (D in 3-D). A `let` may use
        only those before it. C, H and W are the input shape of the part, and in a block that of its call. There are
        nine functions: min, max, ceil, floor, round, abs, divisible, len and sum. Yes and no are `yes` and `no`.

        In a file that begins with `net`, all parameters are declared there. In a file without one, a name that
        nothing defines is a parameter: then the file is a family, see E0214.
        """,
        """
        net Small(width=32)
        INPUT 32x32x3 -> CONV3-widht
        """,
        """
        net Small(width=32)
        INPUT 32x32x3 -> CONV3-width
        """,
    ),
    code(
        "E0202",
        "a division by zero",
        """
        The divisor of `/`, `//` and `%` must not be zero, nor may zero be taken to a negative power. Expressions are
        exact: `1/3` is a third, not 0.333.
        """,
        "INPUT 32x32x3 -> CONV3-{64/(C - 3)}",
        "INPUT 32x32x3 -> CONV3-{64/(C - 2)}",
    ),
    code(
        "E0203",
        "a value that is too large",
        """
        No value may exceed 10^18, and no fraction may need a larger denominator. A power that would is not computed. A
        list has at most 1,000 elements, with those of the lists in it.
        """,
        """
        let n = 10G * 10G
        INPUT 32x32x3 -> CONV3-64 if n > 0
        """,
        """
        let n = 10G * 10
        INPUT 32x32x3 -> CONV3-64 if n > 0
        """,
    ),
    code(
        "E0204",
        "a fact of a part, outside of an assert",
        """
        What is true of the finished network, `layer3.output` or `features.params`, can be asked in an `assert` only:
        no part of a network may depend on what comes of it. The shape at hand is C, H and W.
        """,
        "INPUT 32x32x3 -> stem: CONV3-64 -> CONV3-{stem.params}",
        "INPUT 32x32x3 -> stem: CONV3-64 -> CONV3-{2*C}",
    ),
    code(
        "E0205",
        "a value of the wrong type",
        """
        Values are numbers, yes and no, shapes, lists, and names (of kinds, blocks and outputs). Arithmetic and
        comparisons by size want numbers; `and`, `or`, `not`, an `if`, an `assert` and a choice `A?name` want yes or no;
        an index wants a list. An element of a list is `widths[1]`.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> RELU if C",
        "INPUT 32x32x3 -> CONV3-64 -> RELU if C == 64",
    ),
    code(
        "E0206",
        "a function that does not take these arguments",
        """
        min and max take one to sixteen numbers, or a list of some; ceil, floor, round and abs take one; divisible takes
        one and, where it is not 8, the number to be divisible by: a positive integer. len takes a list, sum a list of
        numbers.
        """,
        "INPUT 32x32x3 -> CONV3-{floor(64, 3)}",
        "INPUT 32x32x3 -> CONV3-{floor(64/3)}",
    ),
    code(
        "E0207",
        "a count that is none",
        """
        A part is repeated a whole number of times. Zero is allowed, and leaves the part out.
        """,
        "INPUT 32x32x3 -> [CONV3-64]*{C/2}",
        "INPUT 32x32x3 -> [CONV3-64]*{C//2}",
    ),
    code(
        "E0208",
        "a fraction where an integer is needed",
        """
        Filters, sizes, strides, exponents and indices are integers, and nothing is rounded silently. `/` divides
        exactly, `//` rounds down; floor, ceil and round say how to round, and divisible rounds as MobileNet does.
        """,
        "INPUT 32x32x3 -> CONV3-{C/2}",
        "INPUT 32x32x3 -> CONV3-{ceil(C/2)}",
    ),
    code(
        "E0209",
        "too many layers",
        """
        A network has at most 250,000 layers. Repeats are counted before they are made, so the answer comes at once.
        """,
        "INPUT 8 -> [[[RELU]*1000]*1000]*1000",
        "INPUT 8 -> [[[RELU]*10]*10]*10",
    ),
    code(
        "E0210",
        "an index that is beyond a list",
        """
        The elements of a list are counted from 1, as the turns of a repeat are: `widths[1]` is the first one,
        `widths[len(widths)]` the last. A range, `widths[2..3]`, has both ends in the list, or is empty, as in
        `widths[1..0]`.
        """,
        """
        net Small(widths=(16, 32))
        INPUT 32x32x3 -> [CONV3-{widths[i]} -> POOL2]*3
        """,
        """
        net Small(widths=(16, 32))
        INPUT 32x32x3 -> [CONV3-{widths[i]} -> POOL2]*{len(widths)}
        """,
    ),
    code(
        "E0211",
        "a parameter that the network does not have",
        """
        What is set from outside, by `--set` or by an argument of `load`, must be a parameter of the net: one that
        `net` declares or, in a file without `net`, a free name or the name of a choice.
        """,
        "$ cnndsl stats vgg16 --set clases=10",
        "$ cnndsl stats vgg16 --set classes=10",
    ),
    code(
        "E0212",
        "a value outside of its domain",
        """
        A parameter with a domain, `N in 0..3` or `k in {3, 5, 7}`, takes the values that the domain lists, its
        default included.
        """,
        """
        net Recipe(k in {3, 5, 7} = 4)
        INPUT 32x32x3 -> CONV{k}-64
        """,
        """
        net Recipe(k in {3, 5, 7} = 5)
        INPUT 32x32x3 -> CONV{k}-64
        """,
    ),
    code(
        "E0213",
        "a range that is none",
        """
        A range, `1..5`, runs upwards over integers, both ends included. In a `for` it may be empty, `1..0`; the
        domain of a parameter has at least one value and at most 100,000. Other values are listed: `{1, 2.5, 4}`.
        """,
        """
        net Recipe(n in 3..1 = 2)
        INPUT 32x32x3 -> [CONV3-64]*n
        """,
        """
        net Recipe(n in 1..3 = 2)
        INPUT 32x32x3 -> [CONV3-64]*n
        """,
    ),
    code(
        "E0214",
        "a family of networks, of which one must be chosen",
        """
        A parameter without a value makes the file a family: one that `net` declares without a default or, in a file
        without `net`, a name that nothing defines. To compile one member, give each of them a value: `--set N=2`, or
        `load("recipe.cnn", N=2)`. `cnndsl sweep` walks them all.
        """,
        "INPUT 32x32x3 -> [CONV3-64 -> RELU]*N -> FC-10",
        """
        net Recipe(N in 0..3 = 2)
        INPUT 32x32x3 -> [CONV3-64 -> RELU]*N -> FC-10
        """,
    ),
    code(
        "E0215",
        "a file without a network",
        """
        A network is a chain that begins with INPUT. A file that only defines blocks can be used by others, `use
        "blocks.cnn": Block`, but there is nothing in it to compile.
        """,
        "block Pair(c) = CONV3-c -> RELU",
        """
        block Pair(c) = CONV3-c -> RELU
        INPUT 32x32x3 -> Pair(64)
        """,
    ),
    code(
        "E0216",
        "a network that does not begin with INPUT",
        """
        The first thing in a network is its input: `INPUT 224x224x3`, height x width x channels, or INPUT alone, which
        is just that. The number of axes is taken from it: `INPUT 16000x1` makes the network one-dimensional.
        """,
        "CONV3-64 -> RELU -> FC-10",
        "INPUT 32x32x3 -> CONV3-64 -> RELU -> FC-10",
    ),
    code(
        "E0217",
        "`net` in the midst of a file",
        """
        `net Name(parameters)` stands once, before everything else; only `cnn 1` may stand before it.
        """,
        """
        let width = 64
        block Pair = CONV3-width -> RELU
        net Small
        INPUT 32x32x3 -> Pair
        """,
        """
        net Small
        let width = 64
        block Pair = CONV3-width -> RELU
        INPUT 32x32x3 -> Pair
        """,
    ),
    code(
        "E0218",
        "a second network",
        """
        A file has one network. What two networks share can be a block in a file that both use. A network has one input
        without a name, or inputs with names: `left = INPUT 64x64x3`.
        """,
        """
        INPUT 32x32x3 -> FC-10
        INPUT 64x64x3 -> FC-10
        """,
        "INPUT 32x32x3 -> FC-10",
    ),
    code(
        "E0219",
        "INPUT in the midst of a network",
        """
        A network has its input at its beginning. Several inputs have names, stand by themselves before all chains,
        `left = INPUT 64x64x3`, and chains begin with `@left`. What a branch takes from elsewhere is a reference,
        `@name`, to something that stands earlier.
        """,
        "INPUT 32x32x3 -> (CONV3-64 | INPUT 32x32x1)",
        "image: INPUT 32x32x3 -> CONV3-64 -> (ID | @image)",
    ),
)
