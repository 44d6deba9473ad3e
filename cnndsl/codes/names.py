"""E023: kinds, labels, references, taps, rows."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0230",
        "a star or an `each` that is no branch of a merge, or a merge of one branch",
        """
        A merge needs two or more branches: a squeeze-and-excitation gate is `MUL(ID, GAP -> … -> SIGMOID)`, where
        `ID` is what the gate multiplies.

        `@unit*` stands for all parts that are labelled `unit{…}` and stand earlier, `@unit*.skip` for the value `skip`
        of each of them. So it is a whole branch of a merge, and stands for as many branches as there are parts. Where a
        merge has no other branch, its operator stands in front, `(+ @unit*)`, and there is at least one part.

        `each d in 6, 12, 18 […]` is a whole branch of a merge as well, and stands for as many branches as it has rows:
        `(| each d in 6, 12, 18 [CONV3-64(dilation=d)])`. Nothing follows it.
        """,
        "INPUT 32x32x3 -> [unit{i}: CONV3-64]*3 -> (ID + @unit* -> BN)",
        "INPUT 32x32x3 -> [unit{i}: CONV3-64]*3 -> (+ @unit*) -> BN",
    ),
    code(
        "E0231",
        "an unknown layer or block",
        """
        A word in a chain is a kind of layer (in any case: CONV, Conv, conv), a block of this file or one that it
        uses, or a parameter that was given one of these. Digits behind a kind are its size. Attention and recurrence
        (LSTM, GRU, Transformer) are no layer types of the language. A package can add layer types: `examples/plugin`
        adds LSTM, NONLOCAL and SNCONV.
        """,
        "INPUT 32x32x3 -> CNOV3-64",
        "INPUT 32x32x3 -> CONV3-64",
    ),
    code(
        "E0232",
        "a reference to something that is not there",
        """
        `@name` is the output of what is called so and stands earlier: in the module around it, or in one of those
        around that. Parts inside of a named part have a path: `@layer1.conv2`. `@unit*` are the parts whose label is
        written `unit{…}`, with a hole; at least one such label is written earlier, or in the same repeat.
        """,
        "INPUT 32x32x3 -> conv1: CONV3-64 -> RELU -> (ID + @conv2)",
        "INPUT 32x32x3 -> conv1: CONV3-64 -> RELU -> (ID + @conv1)",
    ),
    code(
        "E0233",
        "a reference that drops the value before it",
        """
        A reference starts a branch, or a tap. In the midst of a chain it would throw away what comes in there, so
        that some layers would have no effect.
        """,
        "INPUT 32x32x3 -> a: CONV3-64 -> CONV3-64 -> @a -> FC-10",
        "INPUT 32x32x3 -> a: CONV3-64 -> CONV3-64 -> (ID | @a) -> FC-10",
    ),
    code(
        "E0234",
        "something that always runs needs something that exists in training only",
        """
        The parts of `tap aux(train): A` are left out when the network is in use. So nothing outside of taps for
        training may refer to them.
        """,
        "INPUT 32x32x3 -> tap aux(train): CONV3-8 -> CONV3-8 -> (ID + @aux)",
        "INPUT 32x32x3 -> tap aux: CONV3-8 -> CONV3-8 -> (ID + @aux)",
    ),
    code(
        "E0235",
        "a name that is used twice in one module",
        """
        Names are those of attributes of the emitted module and of weights in a file, so each is used once in its
        module. A label on brackets or on a repeat, and each call of a block, makes a module of its own; brackets
        without a label do not. In a repeat, `{i}` numbers the turns.
        """,
        "INPUT 32x32x3 -> [conv: CONV3-64 -> RELU]*2",
        "INPUT 32x32x3 -> [conv{i}: CONV3-64 -> RELU]*2",
    ),
    code(
        "E0237",
        "a row that does not fit its `for`",
        """
        `for c, n in (64, 3), (128, 4) […]` runs its body once a row, and each row has a value for each name. So has
        each row of a list of rows, `for c, n in rows […]`.
        """,
        "INPUT 32x32x3 -> for c, n in (64, 3), (128) [[CONV3-c]*n]",
        "INPUT 32x32x3 -> for c, n in (64, 3), (128, 4) [[CONV3-c]*n]",
    ),
    code(
        "E0238",
        "a further chain that starts from nothing",
        """
        Nothing comes into a further chain. So whatever stands first in it starts from an earlier value, `@name`.
        """,
        """
        INPUT 32x32x3 -> a: CONV3-64
        b = (@a | POOL3/1(pad=same))
        output b
        """,
        """
        INPUT 32x32x3 -> a: CONV3-64
        b = (@a | @a -> POOL3/1(pad=same))
        output b
        """,
    ),
    code(
        "E0239",
        "a layer whose value nothing uses",
        """
        What a layer gives is read by the next one or by a reference, or the network gives it. Else the layer would have
        parameters and no effect. Where a further chain begins, or something that takes nothing but references, the
        value before it needs a name, and someone who uses it.
        """,
        """
        INPUT 32x32x3 -> a: CONV3-64 -> RELU
        b = @a -> POOL2
        """,
        """
        INPUT 32x32x3 -> a: [CONV3-64 -> RELU]
        b = @a -> POOL2
        """,
    ),
)
