"""The error for a format whose dependencies are not installed with the package itself."""

from __future__ import annotations

from cnndsl.files import FileError


class MissingExtraError(FileError):
    """A package of the extra `render` is missing."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(f"{what} needs {package}: pip install {package}")
