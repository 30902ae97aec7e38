"""Laws of the alphabet's arithmetic: no token is lost or invented, no cent is hidden by rounding."""

from __future__ import annotations

from dataclasses import astuple
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.money import NANO_PER_USD, format_usd, nano_usd_from_decimal
from bursar.usage import NOTHING, Usage

COUNTS = st.integers(0, 10**9)
USAGES = st.builds(
    Usage,
    input_tokens=COUNTS,
    cache_read_tokens=COUNTS,
    cache_write_5m_tokens=COUNTS,
    cache_write_1h_tokens=COUNTS,
    output_tokens=COUNTS,
)
PRICES = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=15)


@given(USAGES)
def test_the_total_is_the_sum_of_the_five_counters(usage: Usage) -> None:
    assert usage.total_tokens == sum(astuple(usage))
    assert usage.total_input_tokens + usage.output_tokens == usage.total_tokens
    assert usage.fresh_tokens + usage.cache_read_tokens == usage.total_tokens


@given(USAGES, USAGES, USAGES)
def test_adding_loses_and_invents_nothing(one: Usage, two: Usage, three: Usage) -> None:
    assert (one + two).total_tokens == one.total_tokens + two.total_tokens
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + NOTHING == one


@given(USAGES, USAGES)
def test_what_is_beyond_completes_the_smaller_to_the_merged(one: Usage, two: Usage) -> None:
    assert one + two.beyond(one) == one.merged(two) == two.merged(one)
    assert all(count >= 0 for count in astuple(one.beyond(two)))
    assert (one + two).beyond(two) == one


@given(USAGES, USAGES)
def test_merging_a_report_again_changes_nothing(one: Usage, two: Usage) -> None:
    merged = one.merged(two)
    assert merged.merged(one) == merged == merged.merged(two)
    assert merged.beyond(one).beyond(merged) == NOTHING


@given(st.lists(USAGES, max_size=6))
def test_deltas_of_a_growing_call_add_up_to_the_call(reports: list[Usage]) -> None:
    known, deltas = NOTHING, NOTHING
    for report in reports:
        grown = known.merged(report)
        deltas += grown.beyond(known)
        known = grown
    assert deltas == known


@given(PRICES)
def test_a_price_is_rounded_up_by_less_than_a_nano_usd(usd: Decimal) -> None:
    rounded = Decimal(nano_usd_from_decimal(usd)) / NANO_PER_USD
    assert usd <= rounded < usd + Decimal(1) / NANO_PER_USD


@given(st.integers(1, 10**18))
def test_no_cost_is_shown_as_nothing(nano_usd: int) -> None:
    shown = format_usd(nano_usd)
    number = Decimal(shown.removesuffix(" USD").replace(",", ""))
    assert number > 0
    assert abs(number - Decimal(nano_usd) / NANO_PER_USD) <= max(
        Decimal(nano_usd) / NANO_PER_USD / 10, Decimal("0.005")
    )


def test_unknown_is_not_zero() -> None:
    assert format_usd(None) == "unknown cost"
    assert format_usd(0) == "0.00 USD"
    assert format_usd(1) == "0.000000001 USD"
    assert format_usd(1_234_567_890_000) == "1,234.57 USD"
    assert format_usd(1_500_000, digits=4) == "0.0015 USD"
