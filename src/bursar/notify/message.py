"""What is sent: a title and a sentence. It carries names and numbers of budgets, and no secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import msgspec

from bursar.budget import Level

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8
_LONGEST_TEXT = 2000


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, ready to be sent."""

    title: str
    body: str
    level: Level


def build_message(level: Level, text: str, source: str, environment: Mapping[str, str] = os.environ) -> Message:
    """The message for an alert of a project named `source`, cleaned of secrets."""
    title = f"bursar · {source} · {level}" if source else f"bursar · {level}"
    return Message(title=remove_secrets(title, environment), body=remove_secrets(text, environment), level=level)


def remove_secrets(text: str, environment: Mapping[str, str]) -> str:
    """`text` in one printable line, at most 2,000 characters long.

    A budget may be named after anything, so whatever stands in an environment variable that is named like a secret
    (`…KEY…`, `…TOKEN…`) is replaced by three asterisks.
    """
    secrets = {
        value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return "".join(character if character.isprintable() else " " for character in text)[:_LONGEST_TEXT]


def is_loud_enough(level: Level, min_level: Level) -> bool:
    """Whether an alert of `level` is to be sent where alerts from `min_level` on are."""
    levels = list(Level)
    return levels.index(level) >= levels.index(min_level)
