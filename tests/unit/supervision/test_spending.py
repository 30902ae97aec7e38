"""The money side of one attempt, over a ledger in memory and a table of two prices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.errors import StoreError
from bursar.ledger import CallRecord, Ledger, MemoryLedger, Reservation, ReserveRequest, State
from bursar.metering import UnknownCall, UsageDelta
from bursar.pricing import RateTable
from bursar.supervision.spending import Spending, read_rates
from bursar.usage import NOTHING, Usage
from tests.conformance.ledgers import SteppingClock
from tests.integration.supervised import make_spec

FEMTO = 1_000_000
KEY = "r/1/1"


def plain(amount: Amount | None) -> Amount:
    """Tokens and cost alone, without the parts that were fresh or output."""
    assert amount is not None
    return Amount(amount.tokens, amount.nano_usd)


def rates(**tiers: list[Any]) -> dict[str, Any]:
    """`cheap` costs 1 nano-USD a token of input and 5 of output; `tiered` what the test says."""
    cheap = {"input_tokens": [FEMTO], "output_tokens": [5 * FEMTO]}
    models = {"cheap": cheap} | ({"tiered": tiers} if tiers else {})
    return {
        "dated": "",
        "models": [{"model": name, "match": ["equals", name], "rates": rate} for name, rate in models.items()],
    }


class Counting:
    """Feeds calls to a spending as the meter would: growing, in numbered deltas."""

    def __init__(self, spending: Spending) -> None:
        self.spending = spending
        self._known: dict[str, tuple[int, Usage]] = {}

    def call(
        self,
        call_id: str,
        input_tokens: int,
        output_tokens: int = 0,
        model: str = "cheap",
        service_tier: str | None = None,
    ) -> None:
        sequence, before = self._known.get(call_id, (0, NOTHING))
        after = before + Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        self._known[call_id] = (sequence + 1, after)
        delta = UsageDelta(
            call_id=call_id,
            sequence=sequence + 1,
            model=model,
            usage=after.beyond(before),
            call_usage=after,
            service_tier=service_tier,
        )
        self.spending.record(delta)


def open_spending(
    hold: Amount,
    *,
    limit: Limit | None = None,
    table: dict[str, Any] | None = None,
    ledger: Ledger | None = None,
    key: str = KEY,
    step_tokens: int = 100,
) -> Spending:
    books = ledger or MemoryLedger(SteppingClock())
    if limit is not None:
        books.define(Budget(name="run-r", selector={"run": "r"}, limit=limit))
    reservation = books.reserve(ReserveRequest(key=key, labels={"run": "r", "task": "1"}, amount=hold))
    assert isinstance(reservation, Reservation)
    spec = make_spec(
        Path("/nowhere"),
        key=key,
        rates=table or rates(),
        units=[str(limit.unit)] if limit else [],
        step_tokens=step_tokens,
        step_nano_usd=500,
    )
    return Spending(spec, books, reservation)


def tokens(quantity: int) -> Limit:
    return Limit(quantity, Unit.TOKENS)


def test_each_delta_is_charged_as_the_growth_of_its_call() -> None:
    spending = open_spending(Amount(1000, 5000))
    count = Counting(spending)
    count.call("m1", 10, 1)
    count.call("m1", 0, 9)
    count.call("m2", 5)
    assert plain(spending.metered) == plain(spending.reservation.metered) == Amount(25, 10 + 50 + 5)
    assert spending.calls == 2


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)).filter(any), min_size=1, max_size=6))
def test_priced_deltas_add_up_to_the_price_of_the_whole_call(parts: list[tuple[int, int]]) -> None:
    """Past 200 tokens of input a tier makes every token of the call dearer, those that came before too."""
    table = rates(input_tokens=[3, [200, 7 * FEMTO]], output_tokens=[5, [200, 11 * FEMTO]])
    spending = open_spending(Amount(10_000, 10**6), table=table)
    count = Counting(spending)
    for input_tokens, output_tokens in parts:
        count.call("m1", input_tokens, output_tokens, model="tiered")
    whole = Usage(input_tokens=sum(part[0] for part in parts), output_tokens=sum(part[1] for part in parts))
    price = RateTable.from_data(table).cost_nano_usd("tiered", whole)
    assert plain(spending.metered) == plain(spending.reservation.metered) == Amount(whole.total_tokens, price)


def test_a_call_that_gets_cheaper_as_it_grows_is_never_paid_back() -> None:
    table = rates(input_tokens=[10 * FEMTO, [100, FEMTO]], output_tokens=[FEMTO])
    spending = open_spending(Amount(1000, 5000), table=table)
    count = Counting(spending)
    count.call("m1", 100, model="tiered")
    count.call("m1", 1, model="tiered")
    assert plain(spending.metered) == plain(spending.reservation.metered) == Amount(101, 1000)
    spending.settle(Amount(0, 0))
    assert spending.reservation.state is State.SETTLED


def test_an_unknown_price_is_unknown_and_never_nothing() -> None:
    spending = open_spending(Amount(1000, 5000))
    count = Counting(spending)
    count.call("m1", 10)
    count.call("m2", 10, model="nobody knows")
    count.call("m3", 10)
    assert plain(spending.metered) == Amount(30, None)
    assert spending.unpriced_models == {"nobody knows"}
    spending.settle(Amount(0, 0))
    assert plain(spending.reservation.charged) == Amount(30, 5000), "money is charged as it was held"


def test_an_unknown_price_reaches_a_limit_in_usd_at_once() -> None:
    spending = open_spending(Amount(1000, 5000), limit=Limit(10**6, Unit.USD))
    Counting(spending).call("m1", 10, model="nobody knows")
    assert spending.limit_reached() == "no price is known for model nobody knows, and a budget in USD applies"


def test_an_unknown_price_does_not_matter_to_a_limit_in_tokens() -> None:
    spending = open_spending(Amount(1000, None), limit=tokens(1000))
    Counting(spending).call("m1", 10, model="nobody knows")
    assert spending.limit_reached() is None


def test_without_a_budget_no_limit_is_ever_reached() -> None:
    spending = open_spending(Amount(10, 10))
    Counting(spending).call("m1", 5000)
    assert spending.limit_reached() is None
    assert spending.reservation.held.tokens == 5000


def test_a_hold_that_runs_short_grows_by_a_step_before_it_is_used_up() -> None:
    spending = open_spending(Amount(100, 500), limit=tokens(1000))
    count = Counting(spending)
    count.call("m1", 40)
    assert (spending.limit_reached(), spending.reservation.held.tokens) == (None, 100)
    count.call("m2", 40)
    assert (spending.limit_reached(), spending.reservation.held.tokens) == (None, 200)


def test_a_hold_grows_to_what_is_left_and_is_used_up_before_the_limit_is_said() -> None:
    spending = open_spending(Amount(100, 500), limit=tokens(150))
    count = Counting(spending)
    count.call("m1", 90)
    assert (spending.limit_reached(), spending.reservation.held.tokens) == (None, 150)
    count.call("m2", 50)
    assert spending.limit_reached() is None
    count.call("m3", 10)
    assert spending.limit_reached() == "budget run-r reached its limit of 150 tokens"


@given(st.permutations([number for number in range(3) for _ in range(9)]))
def test_in_whichever_order_they_work_what_suffices_for_all_stops_nobody(turns: list[int]) -> None:
    """Three that take 90 each, under 300: who is about to end does not take what the others still need."""
    ledger = MemoryLedger(SteppingClock())
    all_of_them = [
        open_spending(Amount(50, 250), limit=tokens(300), ledger=ledger, key=f"r/{number}/1", step_tokens=25)
        for number in range(3)
    ]
    counts = [Counting(each) for each in all_of_them]
    for turn, number in enumerate(turns):
        counts[number].call(f"m{turn}", 10)
        assert all_of_them[number].limit_reached() is None
    assert [each.metered.tokens for each in all_of_them] == [90, 90, 90]


def test_a_call_past_the_limit_is_recorded_and_said() -> None:
    spending = open_spending(Amount(100, 500), limit=tokens(100))
    Counting(spending).call("m1", 250)
    assert spending.limit_reached() == "budget run-r reached its limit of 100 tokens"
    spending.settle(Amount(0, 0))
    assert (spending.reservation.state, plain(spending.reservation.charged)) == (State.OVERRUN, Amount(250, 250))


def test_a_limit_in_usd_counts_money_and_not_tokens() -> None:
    spending = open_spending(Amount(10, 1000), limit=Limit(1000, Unit.USD))
    count = Counting(spending)
    count.call("m1", 0, 100)
    assert spending.limit_reached() is None
    count.call("m2", 0, 100)
    assert spending.limit_reached() == "budget run-r reached its limit of 0.0000010 USD"


@pytest.mark.parametrize(
    ("metered", "floor", "bound", "charged"),
    [
        (0, 0, 0, 0),
        (0, 10, 500, 100),  # all that is left of the hold
        (60, 10, 500, 40),
        (60, 90, 500, 90),  # never below a call like the one before
        (100, 0, 500, 0),
        (100, 90, 500, 90),
        (0, 10, 30, 30),  # never above the bound
        (200, 20, 500, 20),
    ],
)
def test_an_unknown_call_is_charged_between_its_floor_and_its_bound(
    metered: int, floor: int, bound: int, charged: int
) -> None:
    spending = open_spending(Amount(100, 500))
    if metered:
        Counting(spending).call("m1", metered)
    unknown = spending.unknown(UnknownCall(model="cheap", bound=bound, floor=floor))
    assert unknown == Amount(charged, charged * 5), "at the dearest rate of the model"


def test_nothing_unknown_is_charged_nothing() -> None:
    spending = open_spending(Amount(100, 500))
    assert spending.unknown(None) == Amount(0, 0)


def test_the_rest_of_a_hold() -> None:
    spending = open_spending(Amount(100, 500))
    assert spending.whole_hold() == Amount(100, 500)
    Counting(spending).call("m1", 30, 2)
    assert spending.whole_hold() == Amount(68, 460)
    assert open_spending(Amount(100, None)).whole_hold() == Amount(100, None)


def test_a_reconciliation_counts_as_usage_and_not_as_a_call() -> None:
    spending = open_spending(Amount(100, 500))
    count = Counting(spending)
    count.call("m1", 10)
    count.call("result:cheap", 3)
    assert (spending.calls, spending.metered.tokens) == (1, 13)


class Broken(MemoryLedger):
    """A ledger that takes nothing down any more."""

    def record(self, key: str, call: CallRecord) -> Reservation:
        raise StoreError("the disk is gone")


def test_what_the_ledger_refused_stays_known() -> None:
    spending = open_spending(Amount(100, 500), ledger=Broken(SteppingClock()))
    with pytest.raises(StoreError):
        Counting(spending).call("m1", 10)
    assert plain(spending.metered) == Amount(10, 10)
    assert plain(spending.reservation.metered) == Amount(0, 0)
    spending.settle(Amount(0, 0))
    assert plain(spending.reservation.charged) == Amount(10, 10)


def test_the_same_prices_are_read_once_and_others_anew(tmp_path: Path) -> None:
    one, same = (read_rates(make_spec(tmp_path, key=key, rates=rates())) for key in ("r/1/1", "r/2/1"))
    assert same is one
    other = read_rates(make_spec(tmp_path, rates=rates(input_tokens=[2 * FEMTO])))
    assert other.cost_nano_usd("tiered", Usage(input_tokens=1)) == 2
    assert one.cost_nano_usd("tiered", Usage(input_tokens=1)) is None


def with_fast() -> dict[str, Any]:
    """As `rates`, and a fast call costs six times as much."""
    table = rates()
    fast = {"input_tokens": [6 * FEMTO], "output_tokens": [30 * FEMTO]}
    table["models"].append({"model": "cheap", "match": ["equals", "cheap"], "rates": fast, "service_tier": "fast"})
    return table


def test_a_call_is_priced_at_its_service_tier() -> None:
    spending = open_spending(Amount(1000, 50_000), table=with_fast())
    count = Counting(spending)
    count.call("m1", 10, 1, service_tier="standard")
    count.call("m2", 10, 1, service_tier="fast")
    assert spending.metered == Amount(22, 15 + 90)
    assert spending.remarks() == []


def test_a_tier_that_is_told_late_is_paid_for_all_of_its_call() -> None:
    spending = open_spending(Amount(1000, 50_000), table=with_fast())
    count = Counting(spending)
    count.call("m1", 10)
    count.call("m1", 0, 1, service_tier="fast")
    assert spending.metered == Amount(11, 90)
    count.call("m1", 0, 1, service_tier="standard")  # what is recorded never falls
    assert spending.metered == Amount(12, 90)


def test_a_tier_without_a_price_costs_the_dearest_that_is_known_and_that_is_said() -> None:
    spending = open_spending(Amount(1000, 50_000), table=with_fast())
    count = Counting(spending)
    count.call("m1", 10, 1, service_tier="priority")
    count.call("m2", 10, 1, service_tier="priority")
    assert spending.metered == Amount(22, 180)
    (said,) = spending.remarks()
    assert said.startswith("no price of cheap is known for the service tier `priority`")
    count.call("m3", 10, 1, "nobody's", "priority")
    assert spending.metered.nano_usd is None


def test_what_is_unknown_of_a_call_is_charged_at_the_dearest_tier() -> None:
    spending = open_spending(Amount(1000, 50_000), table=with_fast())
    call = UnknownCall(model="cheap", bound=10, floor=10)
    assert plain(spending.unknown(call)) == Amount(10, 300)


def test_a_shortage_is_seen_before_the_limit_and_changes_nothing() -> None:
    spending = open_spending(Amount(1000, 5000), limit=tokens(1000))
    count = Counting(spending)
    assert spending.shortage(2, ["run-r"]) == "", "nothing is known of its calls yet"
    for number in range(7):
        count.call(f"m{number}", 100)
        assert (spending.shortage(2, ["run-r"]), spending.limit_reached()) == ("", None)
    count.call("m7", 100)
    before = spending.reservation
    assert spending.shortage(2, ["run-r"]) == "budget run-r (limit of 1,000 tokens) has room for about 2 more calls"
    assert spending.shortage(1, ["run-r"]) == ""
    assert spending.shortage(2, []) == "", "a limit that is left out"
    assert spending.reservation == before
    assert spending.limit_reached() is None, "the limit itself is where it was"
    count.call("m8", 100)
    assert "about 1 more call" in spending.shortage(2, ["run-r"])


def test_there_is_no_shortage_where_the_hold_can_still_grow() -> None:
    spending = open_spending(Amount(250, 1250), limit=tokens(10_000))
    Counting(spending).call("m1", 200)
    assert spending.shortage(2, ["run-r"]) == ""
    assert spending.reservation.held.tokens == 250


def test_a_shortage_of_money() -> None:
    spending = open_spending(Amount(1000, 1000), limit=Limit(1000, Unit.USD))
    count = Counting(spending)
    count.call("m1", 400)
    assert spending.shortage(1, ["run-r"]) == ""
    assert "about 1 more call" in spending.shortage(2, ["run-r"])
