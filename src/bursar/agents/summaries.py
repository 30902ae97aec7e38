"""What a person recognises a tool's input by: the command, the file, the pattern."""

from __future__ import annotations

LONGEST_SUMMARY = 120


def summarise(*values: object) -> str:
    """The first of the values that is text, cut short; empty where none is. An input may hold anything."""
    return next((value[:LONGEST_SUMMARY] for value in values if isinstance(value, str)), "")
