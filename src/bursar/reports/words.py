"""What texts for people are made of: colours, counts, and the words of others, made harmless."""

from __future__ import annotations

from collections.abc import Callable

from bursar.layout import columns_of, count_of

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "31", "2", "1"

_BETWEEN = " · "
_INDENT = "       "  # below the name of a task

Paint = Callable[[str, str], str]


def painter(in_colour: bool) -> Paint:
    """A function that puts text into an ANSI style, or leaves it alone."""
    return (lambda style, text: f"\033[{style}m{text}\033[0m") if in_colour else (lambda _, text: text)


def plain(text: str) -> str:
    """The text on one line, with a mark in place of everything that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "�" for sign in text)


def fold(text: str, width: int | None) -> str:
    """The text with lines that are wider broken between their parts (` · `), so that no part is where it need not be.

    Args:
        width: in columns; None for any.
    """
    return text if width is None else "\n".join(_fold_line(line, width) for line in text.split("\n"))


def _fold_line(line: str, width: int) -> str:
    if columns_of(line) <= width:
        return line
    first, *others = line.split(_BETWEEN)
    lines = [first]
    for part in others:
        longer = f"{lines[-1]}{_BETWEEN}{part}"
        if columns_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(f"{_INDENT}{_BETWEEN.lstrip()}{part}")
    return "\n".join(lines)


__all__ = ["BOLD", "DIM", "GREEN", "RED", "YELLOW", "Paint", "count_of", "fold", "painter", "plain"]
