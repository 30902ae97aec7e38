"""What texts for people are made of: colours, counts, and the words of others, made harmless."""

from __future__ import annotations

from collections.abc import Callable

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "31", "2", "1"

Paint = Callable[[str, str], str]


def painter(in_colour: bool) -> Paint:
    """A function that puts text into an ANSI style, or leaves it alone."""
    return (lambda style, text: f"\033[{style}m{text}\033[0m") if in_colour else (lambda _, text: text)


def plain(text: str) -> str:
    """The text on one line, with a mark in place of everything that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "�" for sign in text)


def count_of(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
