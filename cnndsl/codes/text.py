"""E01: the text and its syntax."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0101",
        "a character that the language does not have",
        """
        A program is text in UTF-8. Outside of comments it consists of the letters A to Z in both cases, the digits 0
        to 9 and the signs of the keyboard that the language uses; comments may hold anything that can be seen. Marks
        that cannot be seen, such as those that turn the direction of writing, are refused everywhere: they could make
        a program look different from what it is.
        """,
        "INPUT 32x32x3 → CONV3-64",
        "INPUT 32x32x3 -> CONV3-64",
    ),
    code(
        "E0102",
        "something stands where it cannot stand",
        """
        The message says what could have stood in that place and what was found there. A chain is layers with arrows
        between them; it ends where a new statement begins, which is why a missing arrow shows only at the layer that
        follows. Line breaks mean nothing.
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
        Brackets nest at most fifty deep, and so do calls; brackets, labels, calls and their bodies together a hundred.
        A file has at most four million characters. No network that a person has drawn comes near. A part that nests
        deeply reads better as a block with a name.
        """,
        f"INPUT 8 -> {'[' * 51}RELU{']' * 51}",
        "INPUT 8 -> [[RELU]]",
    ),
    code(
        "E0104",
        "a number that is none",
        """
        Numbers are decimal, with an optional fraction and exponent; `_` may stand between digits. A unit may follow
        without a blank: K, M, G, T for thousands, Ki, Mi, Gi, Ti for powers of 1024, each with a B for bytes. A
        number has at most eighteen digits.
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
        `cnn 1` may stand first in a file and says for which version of the language it was written. A compiler
        refuses what it does not know, instead of guessing.
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
        "a word that is not well formed",
        """
        A layer is one word, KIND[size][-width][/stride], without blanks inside: CONV3-64/2. Size, width and stride
        are each a whole number, a name, or an expression in braces: CONV{k}-{4*c}/s. Labels are letters, digits and
        `_`, and may have holes too: `conv{i}`.
        """,
        "INPUT 32x32x3 -> CONV 3x3",
        "INPUT 32x32x3 -> CONV3x3",
    ),
    code(
        "E0107",
        "a tap for something else than training",
        """
        A tap gives an extra output, always, or in training only: `tap aux(train): A`. There is no other choice.
        """,
        "INPUT 32x32x3 -> tap aux(test): FC-10 -> CONV3-64",
        "INPUT 32x32x3 -> tap aux(train): FC-10 -> CONV3-64",
    ),
    code(
        "E0108",
        "brackets or quotes that do not match",
        """
        Every `(`, `[` and `{` is closed by its own partner, and a quote on the line on which it begins. `[…]` groups
        a part, `(…)` groups or holds the branches of a merge, `{…}` is a hole in a word.
        """,
        "INPUT 32x32x3 -> [CONV3-64 -> RELU*2 -> POOL2",
        "INPUT 32x32x3 -> [CONV3-64 -> RELU]*2 -> POOL2",
    ),
)
