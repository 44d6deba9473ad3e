"""What a rule of `lint` says of a network."""

from __future__ import annotations

import cnndsl
from cnndsl.linting.lint import lint


def said(rule: str, text: str) -> list[tuple[str, str]]:
    """What a rule says of a network, and the way out."""
    return [(each.message, each.help) for each in lint(cnndsl.loads(text).graph) if each.code == rule]


def messages(rule: str, text: str) -> list[str]:
    return [message for message, _ in said(rule, text)]
