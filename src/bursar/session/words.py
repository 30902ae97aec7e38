"""Numbers, names and models as people and scripts write them: nothing is guessed, and nothing is rounded."""

from __future__ import annotations

import re

from bursar.budget import LARGEST_QUANTITY
from bursar.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS: Mapping[str, int] = {"opus": 200_000, "sonnet": 200_000, "haiku": 200_000}
"""The models that are known by name, and the tokens of context of each: the limit where nobody names one."""

DEFAULT_MODEL = "opus"

_NUMBER = re.compile("[0-9]{1,19}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_NAME = 200


def limit_of(model: str) -> int:
    """How many tokens a session of that model has where nobody says.

    Raises:
        UserError: no such model is known; the message names those that are.
    """
    if model not in MODELS:
        known = ", ".join(MODELS)
        raise UserError(f"the model {_shown(model)} is unknown; known models: {known}", hint="bursar token init opus")
    return MODELS[model]


def parse_tokens(text: str) -> int:
    """The whole number of tokens that `text` is, from 1 to 2⁶³ − 1, in plain digits.

    Raises:
        UserError: a sign, a point, an exponent, a separator, nothing, zero, or more than that.
    """
    number = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= number <= LARGEST_QUANTITY:
        raise UserError(
            f"the number of tokens must be a whole number from 1 to {LARGEST_QUANTITY}, not {_shown(text)}",
            hint="write it in plain digits, like 30000",
        )
    return number


def parse_name(text: str, what: str) -> str:
    """`text` as the name of an operation, a phase or the like: it can be read aloud.

    Raises:
        UserError: it is blank, longer than 200 characters, or has control characters.
    """
    if not text.strip() or len(text) > _LONGEST_NAME or _CONTROL.search(text):
        raise UserError(
            f"the {what} must be a text of 1 to {_LONGEST_NAME} characters without control characters,"
            f" not {_shown(text)}"
        )
    return text


def format_limit(tokens: int) -> str:
    """`200k`, `1M`, `150,500`: short where that says it exactly."""
    if tokens % 1_000_000 == 0:
        return f"{tokens // 1_000_000}M"
    if tokens % 1_000 == 0:
        return f"{tokens // 1_000}k"
    return f"{tokens:,}"


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 64 else text[:64] + "…") if not text.isprintable() else f"`{text[:64]}`"
