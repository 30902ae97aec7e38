"""Quantities as flags take them: plain numbers whose unit the flag names. Nothing is guessed or rounded."""

from __future__ import annotations

import re

from bursar.budget import LARGEST_QUANTITY, Limit, Unit, parse_limit
from bursar.errors import UserError
from bursar.money import NANO_PER_USD

_BARE = re.compile(r"[0-9][0-9,.]*[kKmM]?")
_TOKENS = re.compile("[0-9]{1,19}")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_USD = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")


def parse_flag_limit(flag: str, text: str, unit: Unit) -> Limit:
    """The limit that a flag of that unit was given: `5000`, `200k` or `5`; the unit may be written too.

    Raises:
        UserError: no such number, none at all, or of another unit.
    """
    word = "tokens" if unit is Unit.TOKENS else "USD"
    try:
        limit = parse_limit(f"{text} {word}" if _BARE.fullmatch(text) else text)
    except UserError as error:
        raise UserError(f"{flag}: {error.message}", hint=error.hint) from error
    if limit.unit is not unit:
        raise UserError(f"{flag}: the limit `{text}` is not in {word}")
    return limit


def parse_used_tokens(flag: str, text: str) -> int:
    """A number of tokens, 0 included.

    Raises:
        UserError: it is no whole number in plain digits, or over 2⁶³ − 1.
    """
    if not _TOKENS.fullmatch(text) or int(text) > LARGEST_QUANTITY:
        raise UserError(f"{flag} must be a whole number from 0 to {LARGEST_QUANTITY}, not {text!r}")
    return int(text)


def parse_used_usd(flag: str, text: str) -> int:
    """An amount in USD as nano-USD, 0 included.

    Raises:
        UserError: it is no such number, finer than a nano-USD, or over 2⁶³ − 1 of them.
    """
    found = _USD.fullmatch(text)
    nano_usd = int(found[1]) * NANO_PER_USD + int((found[2] or "").ljust(9, "0")) if found else -1
    if not 0 <= nano_usd <= LARGEST_QUANTITY:
        raise UserError(f"{flag} must be an amount in USD like 0.21, not {text!r}")
    return nano_usd


def parse_seconds(flag: str, text: str, *, most: float = 7 * 24 * 3600.0) -> float:
    """A time span in seconds, 0 included, at most a week.

    Raises:
        UserError: it is no such number.
    """
    if not _SECONDS.fullmatch(text) or float(text) > most:
        raise UserError(f"{flag} must be a number of seconds from 0 to {most:,.0f}, not {text!r}")
    return float(text)
