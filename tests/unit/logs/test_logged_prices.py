"""What logged calls cost: at the price of their day, of their service tier, and by the user's word."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import mul
from pathlib import Path

import pytest

from bursar.logs import StatedPrices, Totals, add_up, open_index, update_index
from bursar.logs.prices import LoggedPrices
from bursar.pricing import COUNTERS, LongContext, PriceOverride, load_prices
from bursar.usage import Usage
from tests.unit.logs.test_bundles import check_sums
from tests.unit.logs.transcripts import Transcripts, encode, line, usage

DOLLAR = {counter: Decimal(1000) for counter in COUNTERS}
"""A thousandth of a USD for each token."""
CALL_NANO_USD = 1280 * 1_000_000


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "state" / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


def read(logs: Transcripts, mark: str, overrides: Sequence[PriceOverride] = ()) -> Totals:
    update_index(logs.index, logs.environment, stated=StatedPrices(mark, lambda: overrides))
    check_sums(logs)
    return add_up(row.totals for row in logs.rows())


def test_calls_are_priced_anew_when_the_users_prices_change(logs: Transcripts) -> None:
    logs.write(encode(line("a", "r"), line("b", "r"), line("c", "r", model="my-model")))
    listed = read(logs, "")
    assert listed.unpriced == 1
    mine = PriceOverride(model="my-model", usd_per_million=DOLLAR)
    one = read(logs, "1", [mine])
    assert (one.unpriced, one.nano_usd) == (0, listed.nano_usd + CALL_NANO_USD)
    two = read(logs, "2", [mine, PriceOverride(model="claude-sonnet-4-5", usd_per_million=DOLLAR)])
    assert two.nano_usd == 3 * CALL_NANO_USD
    logs.write(encode(line("d", "r")), "-w-shop/s2.jsonl")  # a call that comes later has the same price
    three = read(logs, "2", [mine, PriceOverride(model="claude-sonnet-4-5", usd_per_million=DOLLAR)])
    assert three.nano_usd == 4 * CALL_NANO_USD
    (last,) = {read(logs, "3").nano_usd, read(logs, "").nano_usd}
    assert last == listed.nano_usd + listed.nano_usd // 2


def test_prices_that_are_the_same_are_not_asked_for_again(logs: Transcripts) -> None:
    mine = PriceOverride(model="my-model", usd_per_million=DOLLAR, source="/etc/one")
    asked = []

    def load() -> Sequence[PriceOverride]:
        asked.append(1)
        return [mine]

    logs.write(encode(line("c", "r", model="my-model")))
    for mark in ("1", "1", "2", "2"):
        update_index(logs.index, logs.environment, stated=StatedPrices(mark, load))
    assert len(asked) == 2  # the file has another mark; what it says is the same
    assert add_up(row.totals for row in logs.rows()).nano_usd == CALL_NANO_USD


def test_a_price_of_the_users_holds_from_its_day_on(logs: Transcripts) -> None:
    logs.write(encode(line("a", "r", at="2026-11-17T23:59:59Z"), line("b", "r", at="2026-11-18T00:00:00Z")))
    listed = read(logs, "").nano_usd
    dated = PriceOverride(model="claude-sonnet-*", usd_per_million=DOLLAR, since=date(2026, 11, 18))
    assert read(logs, "1", [dated]).nano_usd == listed // 2 + CALL_NANO_USD


def test_service_tiers_have_prices_of_their_own(logs: Transcripts) -> None:
    """Half for a batch; nobody knows what `fast` costs until the user says so. The speed goes before the tier."""
    logs.write(encode(line("a", "r")))
    standard = read(logs, "").nano_usd
    logs.write(encode(line("b", "r", usage=usage(service_tier="batch"))), "-w-shop/s2.jsonl")
    assert read(logs, "").nano_usd == standard + -(-standard // 2)
    logs.write(encode(line("c", "r", usage=usage(service_tier="standard", speed="fast"))), "-w-shop/s3.jsonl")
    logs.write(encode(line("d", "r", usage=usage(service_tier="priority", speed=None))), "-w-shop/s4.jsonl")
    assert read(logs, "").unpriced == 2
    stated = [
        PriceOverride(model="claude-sonnet-4-5", usd_per_million=DOLLAR, service_tier=tier)
        for tier in ("fast", "priority")
    ]
    known = read(logs, "1", stated)
    assert (known.unpriced, known.nano_usd) == (0, standard + -(-standard // 2) + 2 * CALL_NANO_USD)


@pytest.mark.parametrize("seed", range(4))
def test_every_price_is_that_of_the_rate_table(logs: Transcripts, seed: int) -> None:
    """Quick sums over runs of calls give what the pricing room gives for each: past long contexts, at any tier."""
    print(f"seed {seed}")
    dice = random.Random(seed)
    stated = [
        PriceOverride(
            model="mine",
            usd_per_million={"input_tokens": Decimal("0.0031"), "output_tokens": Decimal(7)},
            like="claude-sonnet-4-5" if seed % 2 else "",
            long_context=[LongContext(above_tokens=1000, usd_per_million={"input_tokens": Decimal(2)})],
        ),
        PriceOverride(model="mine", usd_per_million=DOLLAR, service_tier="fast", since=date(2026, 3, 1)),
    ]
    simple = 0
    with logs.index.database.write():
        prices = LoggedPrices(logs.index, StatedPrices("1", lambda: stated))
        for _ in range(300):
            model = dice.choice(("mine", "claude-sonnet-4-5", "gemini-2.5-pro", "gpt-5", "nobody's"))
            tier = dice.choice(("", "standard", "batch", "flex", "fast", "priority"))
            day = datetime(2026, dice.randrange(1, 12), dice.randrange(1, 28), tzinfo=UTC)
            counts = [tuple(dice.choice((0, 1, 900, 150_000, 1_000_000)) for _ in COUNTERS) for _ in range(3)]
            table = load_prices(day, stated).table([model])
            expected = [
                table.cost_nano_usd(model, Usage(**dict(zip(COUNTERS, each, strict=True))), tier or "standard")
                for each in counts
            ]
            days = day.toordinal() - date(1970, 1, 1).toordinal()
            assert prices.costs_nano_usd(model, tier, days, counts) == expected  # type: ignore[arg-type]
            whole = prices.whole_rates(model, tier, days, max(sum(each[:4]) for each in counts))
            if whole is not None:
                assert [sum(map(mul, whole, each)) for each in counts] == expected
                simple += 1
    assert simple  # of most models of the list, where calls are not long
