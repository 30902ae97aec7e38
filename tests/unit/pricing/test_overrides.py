"""Prices by the user's word: what goes before what, what a service tier costs, and every refusal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bursar.errors import UserError
from bursar.pricing import LongContext, PriceOverride, RateTable, load_prices
from bursar.usage import Usage

DAY = date(2026, 11, 20)
CALL = Usage(input_tokens=1_000_000, output_tokens=100_000)


def own(model: str = "my-model", usd: str = "2", **rest: object) -> PriceOverride:
    """The model costs `usd` for a million tokens, in and out."""
    price = Decimal(usd)
    return PriceOverride(model=model, usd_per_million={"input_tokens": price, "output_tokens": price}, **rest)  # type: ignore[arg-type]


def cost(*overrides: PriceOverride, model: str = "my-model", usage: Usage = CALL, tier: str = "standard") -> int | None:
    """By way of the data that supervisors are given."""
    table = RateTable.from_data(load_prices(DAY, overrides).table(["opus"]).to_data())
    return table.cost_nano_usd(model, usage, tier)


def test_a_model_that_nobody_knows_gets_a_price() -> None:
    assert cost() is None
    assert cost(own()) == 2_200_000_000
    assert cost(own(), model="OpenAI/My-Model") == 2_200_000_000
    assert cost(own(), model="my-model-2") is None


def test_what_is_stated_goes_before_the_list() -> None:
    assert cost(model="claude-opus-5-5") == 6_000_000_000
    assert cost(own("claude-opus-5-5", "1"), model="claude-opus-5-5") == 1_100_000_000


def test_a_kind_of_token_without_a_price_stays_unknown() -> None:
    assert cost(own(), usage=Usage(input_tokens=1, cache_read_tokens=1)) is None


def test_like_a_known_model_but_for_what_is_said() -> None:
    cheaper = PriceOverride(model="team/opus", like="claude-opus-5-5", usd_per_million={"output_tokens": Decimal(10)})
    assert cost(cheaper, model="team/opus") == 5_000_000_000
    cached = Usage(cache_read_tokens=1_000_000)
    assert cost(cheaper, model="team/opus", usage=cached) == cost(model="claude-opus-5-5", usage=cached)


def test_like_a_model_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UserError, match="like that of `claude-opsu-5`") as refused:
        cost(PriceOverride(model="x", like="claude-opsu-5", usd_per_million={}, source="bursar.toml"))
    assert "claude-opus-5" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([own(usd="1", since=date(2026, 11, 20)), own(usd="9")], 1_100_000_000),  # the later day, whatever the order
        ([own(usd="9"), own(usd="1", since=date(2026, 11, 21))], 9_900_000_000),  # not yet
        ([own(usd="9"), own(usd="1")], 1_100_000_000),  # the later word
        ([own("my-*", usd="9"), own(usd="1")], 1_100_000_000),  # a name before a pattern, whatever the order
        ([own(usd="1"), own("my-*", usd="9")], 1_100_000_000),
        ([own("m*-model", usd="9")], 9_900_000_000),
    ],
)
def test_which_one_holds(overrides: list[PriceOverride], expected: int) -> None:
    assert cost(*overrides) == expected


def test_long_context() -> None:
    tiers = [LongContext(above_tokens=200_000, usd_per_million={"input_tokens": Decimal(4)})]
    long = own(long_context=tiers)
    assert cost(long, usage=Usage(input_tokens=200_000)) == 400_000_000
    assert cost(long, usage=Usage(input_tokens=200_001)) == 800_004_000
    assert cost(long, usage=Usage(input_tokens=200_000, output_tokens=7)) == 400_014_000


@pytest.mark.parametrize(
    ("model", "tier", "share"),
    [("claude-opus-5-5", "batch", 2), ("gpt-5", "batch", 2), ("gpt-5", "flex", 2), ("gemini-2.5-pro", "batch", 2)],
)
def test_half_the_price_at_a_slower_service(model: str, tier: str, share: int) -> None:
    prices = load_prices(DAY)
    call = Usage(input_tokens=1001, output_tokens=77)
    full, half = prices.whole_table().cost_nano_usd(model, call), prices.whole_table().cost_nano_usd(model, call, tier)
    assert full is not None
    assert half == -(-full // share)


def test_a_cache_of_google_is_never_reduced() -> None:
    table, call = load_prices(DAY).whole_table(), Usage(cache_read_tokens=1000)
    assert table.cost_nano_usd("gemini-2.5-pro", call, "batch") == table.cost_nano_usd("gemini-2.5-pro", call)


def test_a_service_tier_has_no_price_until_one_is_stated() -> None:
    assert cost(model="claude-opus-5-5", tier="priority") is None
    assert cost(own("claude-opus-5-5", "9", service_tier="priority"), model="claude-opus-5-5", tier="priority") == (
        9_900_000_000
    )
    with_both = own("claude-opus-5-5", "9", service_tier="priority")
    assert cost(with_both, model="claude-opus-5-5") == 6_000_000_000
    assert cost(with_both, model="claude-opus-5-5", tier="flex") is None


def test_the_dearest_of_a_family_does_not_count_what_was_replaced() -> None:
    opus = load_prices(DAY, [own("claude-*opus*", "0.01")]).table(["opus"])
    assert load_prices(DAY).table(["opus"]).dearest_nano_usd("opus", CALL) == 22_500_000_000
    assert opus.dearest_nano_usd("opus", CALL) == 11_000_000
    assert opus.cost_nano_usd("claude-opus-4-1-20250805", CALL) == 11_000_000


def test_holds_are_for_the_dearest_tier_that_a_price_is_stated_for() -> None:
    fast = own("claude-opus-5-5", "36", service_tier="fast")
    table = load_prices(DAY, [fast]).table(["opus"])
    assert table.dearest_nano_usd("claude-opus-5-5", CALL) == 39_600_000_000
    assert table.dearest_nano_usd("opus", CALL) == 39_600_000_000
    assert table.dearest_nano_usd("claude-sonnet-5-5", CALL) == cost(model="claude-sonnet-5-5")
    cheap = load_prices(DAY, [own("claude-opus-5-5", "1", service_tier="batch")]).table(["opus"])
    assert cheap.dearest_nano_usd("claude-opus-5-5", CALL) == 6_000_000_000
    alone = load_prices(DAY, [own("mine", service_tier="fast")]).table(["mine"])
    assert alone.dearest_nano_usd("mine", CALL) is None  # who says what a usual call costs?
