"""The description of a distribution: the README with a table where it has a picture.

An index of packages shows no pictures of a repository, and the README names none by an absolute address. hatchling runs
this when it builds a distribution, so that it imports nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"<picture>.*?</picture>\s*<!-- in place of the picture:\n(.*?)\n-->", re.DOTALL)


def description(readme: str) -> str:
    """Return a README with the text that stands in a comment after a picture in place of it."""
    return _PICTURE.sub(lambda found: found[1], readme)


class DescriptionHook(MetadataHookInterface):
    """Sets the field `readme` of the metadata."""

    def update(self, metadata: dict[str, object]) -> None:
        """Add the description to the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": description(text)}
