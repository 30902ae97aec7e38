"""Limits and quantities as people write and read them."""

from __future__ import annotations

import re

from bursar.budget.types import Limit, Unit
from bursar.errors import UserError
from bursar.money import NANO_PER_USD, format_usd

LARGEST_QUANTITY = 2**63 - 1
"""The most that any store can count, in tokens or nano-USD."""

_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}
_UNITS = {"token": Unit.TOKENS, "tokens": Unit.TOKENS, "usd": Unit.USD}
_LONGEST = 64
_HINT = "write it like `200k tokens`, `1.5M tokens`, `5 USD` or `0.50 USD`"
_FORM = re.compile(
    r"(?P<dollar>\$ ?)?(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<fraction>[0-9]+))?"
    r"(?: ?(?P<factor>[kKmM])(?![a-zA-Z]))?(?: ?(?P<unit>[a-zA-Z]+))?"
)


def parse_limit(text: str) -> Limit:
    """The limit that `text` means: a number, for tokens perhaps with `k` or `M`, and its unit.

    `200k tokens`, `200,000 tokens`, `1.5M tokens`, `5 USD`, `0.50 usd`, `$5`. Nothing is guessed: there is no default
    unit, no exponent, no rounding.

    Raises:
        UserError: not such a text, zero or negative, parts of a token, finer than a nano-USD, or over 2⁶³ − 1.
    """
    found = _FORM.fullmatch(text.strip(" ")) if len(text) <= _LONGEST else None
    if found is None:
        raise _refusal(text, "is not a number with a unit")
    unit = _unit(text, found)
    quantity, rest = _quantity(found, unit)
    if rest:
        raise _refusal(text, "is not a whole number of tokens" if unit is Unit.TOKENS else "is finer than a nano-USD")
    if quantity == 0:
        raise _refusal(text, "allows nothing")
    if quantity > LARGEST_QUANTITY:
        raise _refusal(text, f"is too large: at most {format_quantity(LARGEST_QUANTITY, unit)}")
    return Limit(quantity, unit)


def format_quantity(quantity: int, unit: Unit) -> str:
    """`200,000 tokens`, `5.00 USD`: a quantity of that unit (for USD: of nano-USD) for people."""
    if unit is Unit.USD:
        return format_usd(quantity)
    return f"{quantity:,} {'token' if quantity == 1 else 'tokens'}"


def _unit(text: str, found: re.Match[str]) -> Unit:
    name = found["unit"]
    if found["dollar"]:
        name = name or "usd"
    if name is None:
        raise _refusal(text, "has no unit")
    unit = _UNITS.get(name.lower())
    if unit is None:
        raise _refusal(text, f"has the unknown unit `{name}`")
    if unit is Unit.TOKENS and found["dollar"]:
        raise _refusal(text, "has two units")
    if unit is Unit.USD and found["factor"]:
        raise _refusal(text, f"has `{found['factor']}`, which is for tokens only")
    return unit


def _quantity(found: re.Match[str], unit: Unit) -> tuple[int, int]:
    """The whole part of the quantity in its smallest unit, and something that is not 0 where a part is left over."""
    fraction = found["fraction"] or ""
    digits = int(found["whole"].replace(",", "") + fraction)
    factor = NANO_PER_USD if unit is Unit.USD else _FACTORS[(found["factor"] or "").lower()]
    scale: int = 10 ** len(fraction)
    return divmod(digits * factor, scale)


def _refusal(text: str, fault: str) -> UserError:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    visible = shown if shown.isprintable() else ascii(shown)[1:-1]
    return UserError(f"the limit `{visible}` {fault}", hint=_HINT)
