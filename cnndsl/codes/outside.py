"""E04 and E05: contracts, and what comes from outside: settings, files, tests."""

from __future__ import annotations

from cnndsl.codes.entry import code

ENTRIES = (
    code(
        "E0401",
        "an assertion that does not hold",
        """
        Assertions are checked whenever the network is compiled. The message shows the actual value and the asserted
        one: either the network or the assertion is wrong.
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
        "an assertion about something that does not exist",
        """
        An assertion may use the metrics of the whole network, such as params, macs, depth and output, those of a
        named part, `layer3.output`, `layer3.output.H`, and the names that the file defines. docs/figures.md lists the
        metrics.
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
        "an invalid setting",
        """
        A setting has the form `name=value`, with each name once. The value is a number, yes or no, a shape, a list or
        a name.
        """,
        "$ cnndsl stats vgg16 --set classes",
        "$ cnndsl stats vgg16 --set classes=10",
    ),
    code(
        "E0502",
        "a file that cannot be read",
        """
        FILE is a file, the name of a bundled network, or `-` for standard input.
        """,
        "$ cnndsl check vgg61",
        "$ cnndsl check vgg16",
    ),
    code(
        "E0503",
        "a `--where` that is not a single test",
        """
        `cnndsl sweep --where` takes one test, in the notation of an assertion, over the metrics and parameters of
        each configuration.
        """,
        "$ cnndsl sweep vgg16 --where 'params < 5M let k = 3'",
        "$ cnndsl sweep vgg16 --where 'params < 5M'",
    ),
    code(
        "E0504",
        "a networkx graph that is not a network",
        """
        Each node has a layer, `layer="CONV3-64"`, and each edge is a value that a layer reads. If the order of a
        node's inputs matters, its edges are numbered, `operand=0`. One node is an INPUT, one is the output, and the
        graph has no cycle.
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
        "a file of another tool that cannot be imported",
        """
        `cnndsl import` reads a file by the rules of its own tool and guesses nothing: a section, a layer or a key
        that the importer does not know could change the network, and so could one without a counterpart in the
        language. docs/import.md lists what is supported.
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
