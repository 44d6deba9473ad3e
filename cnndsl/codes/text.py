"""E01: the text and its syntax."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0101",
        "a character that the language does not have",
        """
        A program is UTF-8 text. Outside comments it may only contain the letters A to Z and a to z, the digits 0 to 9
        and the punctuation that the language uses. Comments may contain any visible character. Invisible characters,
        such as those that change the direction of writing, are rejected everywhere: they could make a program look
        different from what it is.
        """,
        "INPUT 32x32x3 → CONV3-64",
        "INPUT 32x32x3 -> CONV3-64",
    ),
    code(
        "E0102",
        "something that is not allowed at this point",
        """
        The message says what was expected here and what was found. A chain consists of layers with arrows between
        them and ends where a new statement begins, so a missing arrow is only noticed at the next layer. Line breaks
        have no meaning.
        """,
        """
        INPUT 32x32x3
        -> CONV3-64
        RELU
        """,
        """
        INPUT 32x32x3
        -> CONV3-64
        -> RELU
        """,
    ),
    code(
        "E0103",
        "the program is too large",
        """
        Parentheses and square brackets may nest 50 deep, and so may calls; parentheses, square brackets, labels,
        calls and their bodies together may nest 100 deep. A file may have four million characters. No published
        network comes close. If a part nests deeply, define a block for it.
        """,
        f"INPUT 8 -> {'[' * 51}RELU{']' * 51}",
        "INPUT 8 -> [[RELU]]",
    ),
    code(
        "E0104",
        "an invalid number",
        """
        Numbers are decimal, with an optional fraction and exponent; `_` may separate digits. A unit may follow
        without a space: K, M, G, T for powers of 1000, Ki, Mi, Gi, Ti for powers of 1024, each with an optional B for
        bytes. A number may have at most eighteen digits.
        """,
        """
        let budget = 5Q
        INPUT 32x32x3 -> FC-10
        assert params < budget
        """,
        """
        let budget = 5M
        INPUT 32x32x3 -> FC-10
        assert params < budget
        """,
    ),
    code(
        "E0105",
        "a version of the language that the compiler does not know",
        """
        The first line of a file may be `cnn 1`, the version of the language that it is written for. The compiler
        rejects a version that it does not know.
        """,
        """
        cnn 2
        INPUT 32x32x3 -> FC-10
        """,
        """
        cnn 1
        INPUT 32x32x3 -> FC-10
        """,
    ),
    code(
        "E0106",
        "a malformed word",
        """
        A layer is one word without spaces, KIND[size][-width][/stride], such as CONV3-64/2. Size, width and stride
        are each a whole number, a name, or an expression in braces: CONV{k}-{4*c}/s. Labels consist of letters,
        digits and `_`, and may contain placeholders: `conv{i}`.
        """,
        "INPUT 32x32x3 -> CONV 3x3",
        "INPUT 32x32x3 -> CONV3x3",
    ),
    code(
        "E0107",
        "a tap for something other than training",
        """
        A tap adds an output, either always, `tap aux: A`, or only in training, `tap aux(train): A`.
        """,
        "INPUT 32x32x3 -> tap aux(test): FC-10 -> CONV3-64",
        "INPUT 32x32x3 -> tap aux(train): FC-10 -> CONV3-64",
    ),
    code(
        "E0108",
        "unbalanced parentheses, brackets, braces or quotation marks",
        """
        Every `(`, `[` and `{` needs its own closing partner, and a quotation mark must be closed on the same line.
        `[…]` groups a part, `(…)` holds the branches of a merge or the options of a layer, `{…}` holds an expression
        in a word.
        """,
        "INPUT 32x32x3 -> [CONV3-64 -> RELU*2 -> POOL2",
        "INPUT 32x32x3 -> [CONV3-64 -> RELU]*2 -> POOL2",
    ),
)
