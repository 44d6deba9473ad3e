"""E023: kinds, labels, references, taps, rows."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0230",
        "a star or `each` that is not a branch of a merge, or a merge of one branch",
        """
        A merge needs two or more branches: a squeeze-and-excitation gate is `MUL(ID, GAP -> … -> SIGMOID)`, where
        `ID` is the value that the gate scales.

        `@unit*` stands for all earlier parts with a label `unit{…}`, and `@unit*.skip` for the value `skip` of each
        of them. A star is a whole branch of a merge and expands to as many branches as there are parts. If the merge
        has no other branch, write its operator first, `(+ @unit*)`; at least one part must exist.

        `each d in 6, 12, 18 […]` is a whole branch of a merge too, and expands to one branch per row: `(| each d in
        6, 12, 18 [CONV3-64(dilation=d)])`. Nothing may follow it in the branch.
        """,
        "INPUT 32x32x3 -> [unit{i}: CONV3-64]*3 -> (ID + @unit* -> BN)",
        "INPUT 32x32x3 -> [unit{i}: CONV3-64]*3 -> (+ @unit*) -> BN",
    ),
    code(
        "E0231",
        "an unknown layer type or block",
        """
        A word in a chain is a layer type (in upper or lower case: CONV, Conv, conv), a block of this file or of a
        file that it uses, or a parameter with such a value. Digits after a layer type are its size. Attention and
        recurrence (LSTM, GRU, Transformer) are not part of the language. A package can add layer types:
        `examples/plugin` adds LSTM, NONLOCAL and SNCONV.
        """,
        "INPUT 32x32x3 -> CNOV3-64",
        "INPUT 32x32x3 -> CONV3-64",
    ),
    code(
        "E0232",
        "a reference to something that does not exist",
        """
        `@name` is the output of an earlier part with this name, in the same module or an enclosing one. Parts inside
        a named part have a path: `@layer1.conv2`. `@unit*` stands for the parts whose label is written with a
        placeholder, `unit{…}`; at least one such label must come earlier, or in the same repeat.
        """,
        "INPUT 32x32x3 -> conv1: CONV3-64 -> RELU -> (ID + @conv2)",
        "INPUT 32x32x3 -> conv1: CONV3-64 -> RELU -> (ID + @conv1)",
    ),
    code(
        "E0233",
        "a reference that drops the value before it",
        """
        A reference starts a branch or a tap. In the middle of a chain it would discard the value before it, and the
        layers that computed it would have no effect.
        """,
        "INPUT 32x32x3 -> a: CONV3-64 -> CONV3-64 -> @a -> FC-10",
        "INPUT 32x32x3 -> a: CONV3-64 -> CONV3-64 -> (ID | @a) -> FC-10",
    ),
    code(
        "E0234",
        "something that always runs reads something that exists in training only",
        """
        The parts of `tap aux(train): A` do not exist at inference, so only taps for training may refer to them.
        """,
        "INPUT 32x32x3 -> tap aux(train): CONV3-8 -> CONV3-8 -> (ID + @aux)",
        "INPUT 32x32x3 -> tap aux: CONV3-8 -> CONV3-8 -> (ID + @aux)",
    ),
    code(
        "E0235",
        "a name that is used twice in one module",
        """
        Names become attributes of the emitted module and keys of its `state_dict`, so each may be used only once in a
        module. A labelled part, a labelled repeat and each call of a block make a module of their own; square
        brackets without a label do not. In a repeat, `{i}` inserts the number of the iteration.
        """,
        "INPUT 32x32x3 -> [conv: CONV3-64 -> RELU]*2",
        "INPUT 32x32x3 -> [conv{i}: CONV3-64 -> RELU]*2",
    ),
    code(
        "E0237",
        "a row that does not fit its `for`",
        """
        `for c, n in (64, 3), (128, 4) […]` runs its body once per row, and each row has one value per name. The same
        holds for the rows of a list, `for c, n in rows […]`.
        """,
        "INPUT 32x32x3 -> for c, n in (64, 3), (128) [[CONV3-c]*n]",
        "INPUT 32x32x3 -> for c, n in (64, 3), (128, 4) [[CONV3-c]*n]",
    ),
    code(
        "E0238",
        "a chain that starts from nothing",
        """
        Only the first chain starts from INPUT. Every other chain must start from an earlier value, `@name`.
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
        "a layer whose output nothing uses",
        """
        The output of a layer must be read by the next layer or by a reference, or be an output of the network;
        otherwise the layer would have parameters but no effect. Before a new chain, or before a part that only reads
        references, the last value needs a name and something that uses it.
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
