"""What is known of an error's code: its title, the rule behind it, an example that breaks it and one that keeps it."""

from __future__ import annotations

from textwrap import dedent, fill, indent

from cnndsl.records import record

_WIDTH = 88
COMMAND = "$ "
"""What an example begins with that is a command and no program."""
PYTHON = ">>> "
"""What each line begins with of an example in Python."""


@record
class Code:
    """An error's code. `wrong` gives exactly this error, `right` none.

    An example is a program, a command behind a `$`, or Python behind `>>>`. One of several files names each of the
    others in a line `# file: other.cnn` ahead of its text.
    """

    number: str
    title: str
    rule: str
    wrong: str
    right: str

    def __str__(self) -> str:
        paragraphs = [fill(" ".join(each.split()), _WIDTH) for each in self.rule.split("\n\n")]
        head = f"{self.number}: {self.title}"
        examples = [
            f"{name}\n\n{indent(text, '    ')}" for name, text in (("Wrong:", self.wrong), ("Right:", self.right))
        ]
        return "\n\n".join([head, *paragraphs, *examples])


def code(number: str, title: str, rule: str, wrong: str, right: str) -> Code:
    """A code whose texts are written with the indentation of the source around them."""
    return Code(number, title, *(dedent(text).strip("\n") for text in (rule, wrong, right)))
