"""What a terminal is sent: names, commands and messages are others' words, and must not steer it; and lines fit.

A plan can hold signs that move the cursor, erase a line or hide what follows, and a person is asked to approve what
they see. Lines that are wider than the terminal are folded between words. What is not written to a terminal stays as
it is, byte for byte. It imports next to nothing.

Source: docs/decisions/0059-what-fits-on-a-screen.md
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TextIO

_KEPT = "\n\t\u200d"  # the last joins signs to one, as in many emoji
_STYLES = frozenset({"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"})  # of ours
_LONGEST_STYLE = 5
_ALWAYS_FITS = 40  # signs: nobody asks how wide the terminal is for less


def guard_terminal() -> None:
    """From now on nothing steers the terminal that standard output or standard error is, if they are."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, HarmlessTerminal) and stream is not None and stream.isatty():
            setattr(sys, name, HarmlessTerminal(stream))


class HarmlessTerminal:
    """A text stream to a terminal; all but writing is that stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """The text is written, with what is neither shown nor one of our own styles escaped, folded between words."""
        self._stream.write(self._folded(text if text.isprintable() else show_all(text)))
        return len(text)

    def _folded(self, text: str) -> str:
        if len(text) <= _ALWAYS_FITS or (width := width_of(self._stream)) is None:
            return text
        from bursar.layout import fold_words  # here, because most of what is said is short

        return fold_words(text, width)

    def writelines(self, lines: Iterable[str]) -> None:
        """Each is written."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def width_of(stream: TextIO) -> int | None:
    """How many columns the terminal has now; None where the stream is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def wants_colour(stream: object) -> bool:
    """The stream is a terminal that knows colours, and nobody has said that they are unwanted."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return bool(getattr(stream, "isatty", bool)()) and not is_plain


def show_all(text: str) -> str:
    """The text with every sign escaped that a terminal would obey, or not show; our own styles stay."""
    shown, at = [], 0
    while at < len(text):
        sign = text[at]
        if sign == "\x1b" and (style := _style_at(text, at)):
            shown.append(style)
            at += len(style)
            continue
        shown.append(sign if _is_shown(sign) else repr(sign)[1:-1])
        at += 1
    return "".join(shown)


def _style_at(text: str, at: int) -> str:
    end = text.find("m", at, at + _LONGEST_STYLE) + 1
    return text[at:end] if text[at:end] in _STYLES else ""


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or sign in _KEPT or (sign.isspace() and sign > "\x9f" and sign not in "\u2028\u2029")
