"""E04 and E05: contracts, and what comes from outside: settings, files, tests."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0401",
        "a contract that does not hold",
        """
        `assert` is checked whenever the network is compiled. The message has the value that is true and the one that
        the file asserts: either the network is wrong, or the assert.
        """,
        """
        INPUT 28x28x1 -> FC-10
        assert params == 7840
        """,
        """
        INPUT 28x28x1 -> FC-10
        assert params == 7850
        assert weights == 7840
        """,
    ),
    code(
        "E0402",
        "a contract about something that is not there",
        """
        An assert may mention the metrics of the whole network, such as params, macs, depth and output, or those of a
        part that has a name: `layer3.output`, `layer3.output.H`; and the names that the file defines. docs/figures.md
        lists the metrics.
        """,
        """
        INPUT 28x28x1 -> fc: FC-10
        assert fc2.output == 10
        """,
        """
        INPUT 28x28x1 -> fc: FC-10
        assert fc.output == 10
        """,
    ),
    code(
        "E0501",
        "a setting that cannot be read",
        """
        A setting is `name=value`, each name once, and the value is one of the language: a number, yes or no, a shape,
        a name.
        """,
        "$ cnndsl stats vgg16 --set classes",
        "$ cnndsl stats vgg16 --set classes=10",
    ),
    code(
        "E0502",
        "a file that cannot be read",
        """
        FILE is a file, the name of a bundled network, or `-` for the standard input.
        """,
        "$ cnndsl check vgg61",
        "$ cnndsl check vgg16",
    ),
    code(
        "E0503",
        "a `--where` that is not one test",
        """
        `cnndsl sweep --where` takes one test over the figures and the parameters of a member, as an assert would have
        it.
        """,
        "$ cnndsl sweep vgg16 --where 'params < 5M let k = 3'",
        "$ cnndsl sweep vgg16 --where 'params < 5M'",
    ),
    code(
        "E0504",
        "a graph of networkx that is no network",
        """
        Each node has a layer, `layer="CONV3-64"`, and each edge is a value that a layer reads; where a node reads
        several in an order, edges have numbers, `operand=0`. One node is an INPUT, one is the output, and no edges
        form a circle.
        """,
        """
        >>> import cnndsl, networkx
        >>> graph = networkx.DiGraph([("x", "conv")])
        >>> graph.nodes["x"]["layer"] = "INPUT 8x8x3"
        >>> cnndsl.from_networkx(graph)
        """,
        """
        >>> import cnndsl, networkx
        >>> graph = networkx.DiGraph([("x", "conv")])
        >>> graph.nodes["x"]["layer"] = "INPUT 8x8x3"
        >>> graph.nodes["conv"]["layer"] = "CONV3-64"
        >>> cnndsl.from_networkx(graph)
        """,
    ),
    code(
        "E0505",
        "a file of another tool that is not understood",
        """
        `cnndsl import` reads a file by the rules of the tool that it was written for. Nothing is guessed: a section, a
        layer or a key that the importer doesn't know could change the network, and so does one without a counterpart
        in the language. docs/import.md lists what is known.
        """,
        r"""
        >>> from cnndsl.errors import Source
        >>> from cnndsl.importers.program import program
        >>> program(Source("net.cfg", "[net]\nheight=8\nwidth=8\nchannels=3\n[maxpool]\nsize=2\nceil_mode=0"))
        """,
        r"""
        >>> from cnndsl.errors import Source
        >>> from cnndsl.importers.program import program
        >>> program(Source("net.cfg", "[net]\nheight=8\nwidth=8\nchannels=3\n[maxpool]\nsize=2"))
        """,
    ),
)
