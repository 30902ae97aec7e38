"""Costs against the library's own calculation, to the nano-USD, and against prices written down by hand."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest

from bursar.money import nano_usd_from_decimal
from bursar.pricing import Prices, RateTable, load_prices
from bursar.usage import NOTHING, Usage

DAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def prices() -> Prices:
    return load_prices(DAY)


MODELS = (
    "claude-haiku-5-5",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-5-5",
    "claude-opus-4-6",
    "claude-opus-5-5",
    "claude-3-5-haiku-20241022",
)
USAGES = (
    Usage(input_tokens=1),
    Usage(output_tokens=1),
    Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50),
    Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777),
    Usage(cache_write_5m_tokens=123_457, cache_write_1h_tokens=3),
    Usage(input_tokens=200_000, output_tokens=32_000),
    Usage(input_tokens=1, cache_read_tokens=200_000, output_tokens=9),
    Usage(input_tokens=999_999, cache_read_tokens=1, cache_write_1h_tokens=17, output_tokens=128_000),
)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("usage", USAGES, ids=range(len(USAGES)))
@pytest.mark.parametrize("day", [date(2026, 1, 5), DAY])
def test_equal_to_the_library(model: str, usage: Usage, day: date) -> None:
    """6 models × 8 usages × 2 days: long-context tiers, both kinds of cache writes, before and after a change."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    reported = genai_prices.Usage(
        input_tokens=usage.total_input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
    )
    theirs = genai_prices.calc_price(
        reported, model_ref=model, provider_id="anthropic", genai_request_timestamp=moment
    ).total_price
    assert load_prices(day).cost_nano_usd(model, usage) == nano_usd_from_decimal(theirs)


# USD per million tokens: input, cache read, write 5m, write 1h, output; checked 2026-11-21 against the installed data.
KNOWN = {
    "claude-haiku-5-5": ("0.1", "0.01", "0.125", "0.2", "0.5"),
    "claude-sonnet-5-5": ("2", "0.1", "2.5", "4", "10"),
    "claude-opus-5-5": ("4", "0.2", "5", "8", "20"),
    "claude-haiku-4-5-20251001": ("1", "0.1", "1.25", "2", "5"),
    "claude-sonnet-4-5-20250929": ("3", "0.3", "3.75", "6", "15"),
    "claude-sonnet-4-20250514": ("3", "0.3", "3.75", "6", "15"),
    "claude-opus-4-5-20251101": ("5", "0.5", "6.25", "10", "25"),
    "claude-opus-4-1-20250805": ("15", "1.5", "18.75", "30", "75"),
    "claude-3-5-haiku-20241022": ("0.8", "0.08", "1", "1.6", "4"),
}
KINDS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")


@pytest.mark.parametrize("model", KNOWN)
def test_known_prices(prices: Prices, model: str) -> None:
    """A later version of the library that changes one of these changes history: look before you take it."""
    for kind, usd in zip(KINDS, KNOWN[model], strict=True):
        assert prices.cost_nano_usd(model, Usage(**{kind: 1000})) == Decimal(usd) * 1_000_000, kind


def test_a_price_holds_from_its_day_on() -> None:
    long = Usage(input_tokens=200_001)
    before, after = load_prices(date(2026, 3, 12)), load_prices(date(2026, 3, 13))
    assert before.cost_nano_usd("claude-opus-4-6", long) == 200_001 * 10_000
    assert after.cost_nano_usd("claude-opus-4-6", long) == 200_001 * 5_000


@pytest.mark.parametrize(("total", "rate"), [(200_000, 3000), (200_001, 6000)])
def test_a_tier_applies_to_the_whole_call(prices: Prices, total: int, rate: int) -> None:
    """Claude Sonnet 4.5, which had long-context prices. Cache reads count towards the size, not only fresh input."""
    usage = Usage(input_tokens=100, cache_read_tokens=total - 100)
    assert prices.cost_nano_usd("claude-sonnet-4-5", usage) == 100 * rate + (total - 100) * rate // 10


def test_rounded_up_once_per_call() -> None:
    """Rates of 0.4 and 0.7 nano-USD: the sum is rounded, not its parts."""
    table = RateTable.from_data(
        {
            "dated": "x",
            "models": [
                {
                    "model": "m",
                    "match": ["equals", "m"],
                    "rates": {"input_tokens": [400_000], "output_tokens": [700_000]},
                }
            ],
        }
    )
    assert table.cost_nano_usd("m", Usage(input_tokens=1)) == 1
    assert table.cost_nano_usd("m", Usage(input_tokens=1, output_tokens=1)) == 2
    assert table.cost_nano_usd("m", Usage(input_tokens=5)) == 2


@pytest.mark.parametrize(
    "model", ["haiku", "sonnet", "opus", "", "claude", "claude-opus-99", "<synthetic>", "nobody's"]
)
def test_unknown_costs_are_unknown(prices: Prices, model: str) -> None:
    assert prices.cost_nano_usd(model, USAGES[2]) is None
    assert prices.table().cost_nano_usd(model, USAGES[2]) is None


def test_a_kind_without_a_price_matters_only_if_used(prices: Prices) -> None:
    assert prices.cost_nano_usd("claude-2", Usage(input_tokens=10, output_tokens=1)) == 10 * 8000 + 24_000
    assert prices.cost_nano_usd("claude-2", Usage(input_tokens=10, cache_read_tokens=1)) is None
    assert prices.cost_nano_usd("claude-2", NOTHING) == 0


@pytest.mark.parametrize(
    "name", ["claude-sonnet-4-5-20250929", "Claude-Sonnet-4-5", "claude-sonnet-4-5[1m]", "claude-sonnet-4-5@20250929"]
)
def test_names_of_one_model(prices: Prices, name: str) -> None:
    assert prices.cost_nano_usd(name, USAGES[2]) == prices.cost_nano_usd("claude-sonnet-4-5", USAGES[2])


def test_the_table_is_plain_data(prices: Prices) -> None:
    """To JSON and back, with the same costs; a tier, or a side call on another model, is priced too."""
    table = prices.table(["sonnet", "unheard-of"])
    again = RateTable.from_text(table.text)
    assert again.models == table.models
    assert again.to_data() == table.to_data()
    assert again.dated.startswith("2026-11-20")
    for model in MODELS:
        for usage in USAGES:
            assert again.cost_nano_usd(model, usage) == prices.cost_nano_usd(model, usage) is not None


def test_the_table_holds_the_providers_asked_for(prices: Prices) -> None:
    usage = Usage(input_tokens=10, output_tokens=1)
    assert prices.table(["gpt-5"]).cost_nano_usd("gpt-5", usage) == 10 * 1250 + 10_000
    assert prices.table(["haiku"]).cost_nano_usd("gpt-5", usage) is None
    assert prices.table([]).models == ()


@pytest.mark.parametrize(("name", "nearest"), [("claude-sonet-4-5", "claude-sonnet-4-5"), ("gpt5", "gpt-5")])
def test_nearest_models(prices: Prices, name: str, nearest: str) -> None:
    assert nearest in prices.nearest_models(name)


def test_no_nearest_model(prices: Prices) -> None:
    assert prices.nearest_models("zzzzzzzzzz") == ()


def test_the_library_is_imported_late() -> None:
    """A process that is handed a table pays nothing for the library."""
    code = (
        "import sys, bursar.pricing; table = bursar.pricing.RateTable.from_data({'dated': '', 'models': []}); "
        "assert table.cost_nano_usd('x', __import__('bursar.usage').usage.NOTHING) is None; "
        "print([name for name in ('genai_prices', 'pydantic', 'msgspec', 'asyncio') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
