"""Limits as people write them. Nothing is guessed."""

from __future__ import annotations

import pytest

from bursar.budget import Limit, Unit, format_quantity, parse_limit
from bursar.errors import UserError


@pytest.mark.parametrize(
    ("text", "quantity", "unit"),
    [
        ("200k tokens", 200_000, Unit.TOKENS),
        ("200000 tokens", 200_000, Unit.TOKENS),
        ("200,000 tokens", 200_000, Unit.TOKENS),
        ("1 token", 1, Unit.TOKENS),
        ("1.5M tokens", 1_500_000, Unit.TOKENS),
        ("1.5m tokens", 1_500_000, Unit.TOKENS),
        ("200 K Tokens", 200_000, Unit.TOKENS),
        ("2.0 tokens", 2, Unit.TOKENS),
        ("0.001k tokens", 1, Unit.TOKENS),
        ("9223372036854775807 tokens", 2**63 - 1, Unit.TOKENS),
        ("5 USD", 5_000_000_000, Unit.USD),
        ("5 usd", 5_000_000_000, Unit.USD),
        ("$5", 5_000_000_000, Unit.USD),
        ("$0.50 usd", 500_000_000, Unit.USD),
        ("0.50 USD", 500_000_000, Unit.USD),
        ("  1,234.567890123 USD ", 1_234_567_890_123, Unit.USD),
        ("0.000000001 USD", 1, Unit.USD),
        ("9,223,372,036.854775807 USD", 2**63 - 1, Unit.USD),
    ],
)
def test_a_number_with_a_unit_is_a_limit(text: str, quantity: int, unit: Unit) -> None:
    assert parse_limit(text) == Limit(quantity, unit)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a number with a unit"),
        ("   ", "not a number with a unit"),
        ("tokens", "not a number with a unit"),
        ("0 tokens", "allows nothing"),
        ("0k tokens", "allows nothing"),
        ("0.00 USD", "allows nothing"),
        ("-5 tokens", "not a number with a unit"),
        ("-5 USD", "not a number with a unit"),
        ("$-5", "not a number with a unit"),
        ("+5 tokens", "not a number with a unit"),
        ("NaN tokens", "not a number with a unit"),
        ("nan", "not a number with a unit"),
        ("inf tokens", "not a number with a unit"),
        ("Infinity USD", "not a number with a unit"),
        ("3.9e5 tokens", "not a number with a unit"),
        ("3e5 tokens", "not a number with a unit"),
        ("0x10 tokens", "not a number with a unit"),
        ("1_000 tokens", "not a number with a unit"),
        ("10,00 tokens", "not a number with a unit"),
        ("1,0000 tokens", "not a number with a unit"),
        (",100 tokens", "not a number with a unit"),
        (".5 USD", "not a number with a unit"),
        ("5. USD", "not a number with a unit"),
        ("1.2.3 USD", "not a number with a unit"),
        ("5 6 tokens", "not a number with a unit"),
        ("٣ tokens", "not a number with a unit"),
        ("5\ttokens", "not a number with a unit"),
        ("5 tokens\n", "not a number with a unit"),
        ("\x1b[31m5 tokens", "not a number with a unit"),
        ("5 tokens\x00", "not a number with a unit"),
        ("200000", "has no unit"),
        ("200k", "has no unit"),
        ("5 EUR", "unknown unit `EUR`"),
        ("5kk tokens", "not a number with a unit"),
        ("5 kUSD", "unknown unit `kUSD`"),
        ("200ktokens", "unknown unit `ktokens`"),
        ("5k USD", "for tokens only"),
        ("$5k", "for tokens only"),
        ("$5 tokens", "two units"),
        ("$5 EUR", "unknown unit `EUR`"),
        ("1.5 tokens", "not a whole number of tokens"),
        ("1.0005k tokens", "not a whole number of tokens"),
        ("0.0000001M tokens", "not a whole number of tokens"),
        ("0.0000000001 USD", "finer than a nano-USD"),
        ("1.0000000005 USD", "finer than a nano-USD"),
        ("9223372036854775808 tokens", "too large"),
        ("9223372036854776k tokens", "too large"),
        ("9223372036.854775808 USD", "too large"),
        ("9" * 65 + " tokens", "not a number with a unit"),
    ],
)
def test_anything_else_is_refused_with_a_hint(text: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault) as refusal:
        parse_limit(text)
    assert refusal.value.hint is not None
    assert "200k tokens" in refusal.value.hint
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        (200_000, Unit.TOKENS, "200,000 tokens"),
        (0, Unit.TOKENS, "0 tokens"),
        (1, Unit.TOKENS, "1 token"),
        (5_000_000_000, Unit.USD, "5.00 USD"),
        (1_234_500_000_000, Unit.USD, "1,234.50 USD"),
        (1, Unit.USD, "0.000000001 USD"),
    ],
)
def test_quantities_are_shown_with_their_unit(quantity: int, unit: Unit, text: str) -> None:
    assert format_quantity(quantity, unit) == text


@pytest.mark.parametrize("quantity", [1, 999, 1_000, 200_000, 2**63 - 1])
def test_what_is_shown_in_tokens_can_be_read_again(quantity: int) -> None:
    assert parse_limit(format_quantity(quantity, Unit.TOKENS)) == Limit(quantity, Unit.TOKENS)
