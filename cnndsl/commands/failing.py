"""Draw a network with errors up to the error, or print why there is no picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.commands.common import complain, note
from cnndsl.commands.pictures import write_picture
from cnndsl.errors import CnnError
from cnndsl.files import FileError
from cnndsl.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnndsl.emit.drawing.cards.model import DrawingModel
    from cnndsl.emit.drawing.cards.tags import LinkOf
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.emit.drawing.layout.page import WidthName
    from cnndsl.errors import Diagnostic, Source
    from cnndsl.values import Value

_UNREAD = "the program cannot be parsed"


@record(slots=True)
class FailingNetwork:
    """A program with errors, and the settings that produce them."""

    source: Source
    settings: Mapping[str, Value]
    errors: Sequence[Diagnostic]
    link: LinkOf | None = None

    def say_nothing_is_written(self, why: str) -> None:
        """Print that there is no picture, and the reason."""
        note(f"no picture was written: {why if self._is_read() else _UNREAD}")

    def draw(self, target: str, width: WidthName | None, options: PictureOptions, *, force: bool) -> None:
        """Draw the part of the network that is known and print a note; if nothing is known, print that there is no
        picture."""
        from cnndsl.emit.drawing.layout.page import picture

        if not self._is_read():
            self.say_nothing_is_written(_UNREAD)
            return
        drawing = self._without_assertions(width) or self._up_to_the_error(width)
        if drawing is None:
            self.say_nothing_is_written("the error leaves nothing to draw")
            return
        try:
            write_picture(target, picture(drawing, width), options, force=force)
        except FileError as other:
            complain(str(other))
            return
        note(f"wrote {target}, {'with the assertions that fail' if drawing.broken else 'drawn up to the error'}")

    def _is_read(self) -> bool:
        from cnndsl.syntax.parse import parse

        try:
            parse(self.source)
        except CnnError:
            return False
        return True

    def _without_assertions(self, width: WidthName | None) -> DrawingModel | None:
        """Return the whole network with the messages of its assertions; None if it has any other error."""
        from dataclasses import replace

        from cnndsl.diagnostics.full import message_text
        from cnndsl.emit.drawing.cards.fold import model
        from cnndsl.emit.drawing.cards.tags import no_link
        from cnndsl.emit.drawing.layout.message import EXCERPT
        from cnndsl.network import graph_of

        try:
            graph = graph_of(self.source, self.settings)
        except CnnError:
            return None
        longest = EXCERPT[width or "column"]
        messages = tuple(message_text(each, longest) for each in self.errors)
        return replace(model(graph, link=self.link or no_link), broken=messages)

    def _up_to_the_error(self, width: WidthName | None) -> DrawingModel | None:
        from cnndsl.diagnostics.full import message_text
        from cnndsl.elaborate.program import elaborated_part
        from cnndsl.emit.drawing.cards.tags import no_link
        from cnndsl.emit.drawing.failure import failure
        from cnndsl.emit.drawing.layout.message import EXCERPT
        from cnndsl.finding import used
        from cnndsl.syntax.parse import parse

        try:
            partial = elaborated_part(parse(self.source), self.settings, used, self.errors)
        except CnnError:  # Python's stack is too small for it
            return None
        if partial is None:
            return None
        longest = EXCERPT[width or "page"]
        return failure(partial, [message_text(each, longest) for each in self.errors], self.link or no_link)
