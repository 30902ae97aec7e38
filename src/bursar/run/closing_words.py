"""The last line of an agent that was told to wrap up: whether the task is done, and what is left if not. Pure."""

from __future__ import annotations

DONE = "DONE"
LEFT = "LEFT:"
SAID_NOTHING = "it did not say what"
_MARKUP = "*_`#>- "
_LONGEST = 300


def read_left(message: str) -> str | None:
    """What it says is left, cut short; None if it says that the whole task is done.

    An agent that says neither has not said that it is done, and no half task passes for a whole one.
    """
    last = next((line.strip() for line in reversed(message.splitlines()) if line.strip(_MARKUP)), "")
    plain = last.strip(_MARKUP)
    if plain.rstrip(".!") == DONE:
        return None
    if plain.startswith(LEFT):
        return plain.removeprefix(LEFT).strip(_MARKUP)[:_LONGEST] or SAID_NOTHING
    return SAID_NOTHING
