"""Plain signs in the place of those that a terminal or a file cannot say, where it is not UTF-8."""

from __future__ import annotations

import codecs

NAME = "bursar.plain"
_PLAIN = {
    "✓": "+", "✗": "x", "■": "#", "█": "#", "░": ".", "·": "-", "…": "...", "→": "->", "←": "<-", "–": "-", "—": "-",
    "▸": ">", "○": "o", "≈": "~", "×": "x", "≤": "<=", "≥": ">=",
}  # fmt: skip


def register() -> str:
    """The name of a way to encode what cannot be: our own signs become plain ones, all else is escaped."""
    codecs.register_error(NAME, _replace)
    return NAME


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    said = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in found)
    return said, error.end
