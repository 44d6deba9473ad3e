"""E020 and E021: expressions, the parameters of a network, the network itself."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0201",
        "a name without a value",
        """
        A name in an expression is one of these: a `let` of the file or of the enclosing block, a parameter of the
        network or of the block, a variable of the enclosing `for`, `i` inside a repeat, or C, H and W (D in 3-D). A
        `let` may only use those before it. C, H and W are the input shape of the part; in a block, that of its call.
        There are nine functions: min, max, ceil, floor, round, abs, divisible, len and sum. The truth values are
        `yes` and `no`.

        In a file that begins with `net`, all parameters are declared there. In a file without `net`, a name that
        nothing defines is a parameter, and the file is a parameterised network: see E0214.
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
        The divisor of `/`, `//` and `%` must not be zero, and zero cannot be raised to a negative power. Expressions
        are exact: `1/3` is a third, not 0.333.
        """,
        "INPUT 32x32x3 -> CONV3-{64/(C - 3)}",
        "INPUT 32x32x3 -> CONV3-{64/(C - 2)}",
    ),
    code(
        "E0203",
        "a value that is too large",
        """
        No value may exceed 10^18, and no fraction may need a larger denominator. A power that would exceed it is not
        computed. A list may have at most 1,000 elements, including those of the lists in it.
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
        "a property of a part outside an assert",
        """
        Properties of the finished network, such as `layer3.output` or `features.params`, are only allowed in an
        `assert`: no part of a network may depend on them. C, H and W are the input shape of the current part.
        """,
        "INPUT 32x32x3 -> stem: CONV3-64 -> CONV3-{stem.params}",
        "INPUT 32x32x3 -> stem: CONV3-64 -> CONV3-{2*C}",
    ),
    code(
        "E0205",
        "a value of the wrong type",
        """
        Values are numbers, yes and no, shapes, lists, and names of layer types, blocks and outputs. Arithmetic and
        comparisons by size need numbers. `and`, `or`, `not`, `if`, `assert` and a choice `A?name` need yes or no. An
        index needs a list: `widths[1]` is an element of `widths`.
        """,
        "INPUT 32x32x3 -> CONV3-64 -> RELU if C",
        "INPUT 32x32x3 -> CONV3-64 -> RELU if C == 64",
    ),
    code(
        "E0206",
        "a function that does not take these arguments",
        """
        min and max take one to sixteen numbers, or a list of numbers. ceil, floor, round and abs take one number.
        divisible takes a number and, optionally, a positive divisor, which is 8 by default. len takes a list, sum a
        list of numbers.
        """,
        "INPUT 32x32x3 -> CONV3-{floor(64, 3)}",
        "INPUT 32x32x3 -> CONV3-{floor(64/3)}",
    ),
    code(
        "E0207",
        "an invalid repeat count",
        """
        A part is repeated a whole number of times. Zero is allowed and leaves the part out.
        """,
        "INPUT 32x32x3 -> [CONV3-64]*{C/2}",
        "INPUT 32x32x3 -> [CONV3-64]*{C//2}",
    ),
    code(
        "E0208",
        "a fraction where an integer is needed",
        """
        Filters, sizes, strides, exponents and indices are integers, and nothing is rounded silently. `/` divides
        exactly and `//` rounds down. `floor`, `ceil` and `round` say how to round; `divisible` rounds as MobileNet
        does.
        """,
        "INPUT 32x32x3 -> CONV3-{C/2}",
        "INPUT 32x32x3 -> CONV3-{ceil(C/2)}",
    ),
    code(
        "E0209",
        "too many layers",
        """
        A network may have at most 250,000 layers. Repeats are counted before they are expanded, so this error comes
        at once.
        """,
        "INPUT 8 -> [[[RELU]*1000]*1000]*1000",
        "INPUT 8 -> [[[RELU]*10]*10]*10",
    ),
    code(
        "E0210",
        "an index outside a list",
        """
        The elements of a list are counted from 1, as the iterations of a repeat are: `widths[1]` is the first element
        and `widths[len(widths)]` the last. Both ends of a range, `widths[2..3]`, must be in the list, unless the
        range is empty, as in `widths[1..0]`.
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
        `--set` and the arguments of `load` can only set parameters of the network: those that `net` declares or, in a
        file without `net`, names without a value and the names of choices.
        """,
        "$ cnndsl stats vgg16 --set clases=10",
        "$ cnndsl stats vgg16 --set classes=10",
    ),
    code(
        "E0212",
        "a value outside its domain",
        """
        A parameter with a domain, `N in 0..3` or `k in {3, 5, 7}`, only takes the values in the domain. Its default
        must be one of them.
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
        "an invalid range",
        """
        A range, `1..5`, runs upwards over integers and includes both ends. In a `for` it may be empty, `1..0`; the
        domain of a parameter has 1 to 100,000 values. List other values in braces: `{1, 2.5, 4}`.
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
        "a parameterised network whose parameters have no value",
        """
        A parameter without a value describes many networks at once: one that `net` declares without a default or, in
        a file without `net`, a name that nothing defines. To compile one of the networks, give each parameter a
        value: `--set N=2`, or `load("recipe.cnn", N=2)`. `cnndsl sweep` goes through all of them.
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
        A network is a chain that begins with INPUT. Other files can use the blocks of a file without a network, `use
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
        A network begins with its input: `INPUT 224x224x3`, height x width x channels, or INPUT alone, which means the
        same. The number of axes follows from it: `INPUT 16000x1` makes a one-dimensional network.
        """,
        "CONV3-64 -> RELU -> FC-10",
        "INPUT 32x32x3 -> CONV3-64 -> RELU -> FC-10",
    ),
    code(
        "E0217",
        "`net` after other statements",
        """
        `net Name(parameters)` may appear once, before everything else except `cnn 1`.
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
        A file has one network. To share parts between two networks, define blocks in a third file and `use` them in
        both. A network has either one input without a name or several with names: `left = INPUT 64x64x3`.
        """,
        """
        INPUT 32x32x3 -> FC-10
        INPUT 64x64x3 -> FC-10
        """,
        "INPUT 32x32x3 -> FC-10",
    ),
    code(
        "E0219",
        "INPUT inside a network",
        """
        A network begins with its input. If it has several, each has a name and is a statement of its own before all
        chains, `left = INPUT 64x64x3`, and a chain begins with `@left`. A branch reads an earlier value through a
        reference, `@name`.
        """,
        "INPUT 32x32x3 -> (CONV3-64 | INPUT 32x32x1)",
        "image: INPUT 32x32x3 -> CONV3-64 -> (ID | @image)",
    ),
)
