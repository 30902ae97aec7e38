"""Who gets how much."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.budget import Amount, Balance, Budget, Counting, Limit, OnLimit, Unit, decide, is_selected


def balance(name: str, limit: int, unit: Unit, *, spent: int = 0, reserved: int = 0, warn: bool = False) -> Balance:
    on_limit = OnLimit.WARN if warn else OnLimit.BLOCK
    budget = Budget(name=name, limit=Limit(limit, unit), on_limit=on_limit)
    return Balance(budget=budget, spent=spent, reserved=reserved, metered=0)


def tokens(limit: int, *, spent: int = 0, reserved: int = 0) -> Balance:
    return balance("tokens", limit, Unit.TOKENS, spent=spent, reserved=reserved)


def part(limit: int, counts: Counting) -> Balance:
    budget = Budget(name=counts.value, limit=Limit(limit, Unit.TOKENS), counts=counts)
    return Balance(budget=budget, spent=0, reserved=0, metered=0)


def usd(limit: int, *, spent: int = 0) -> Balance:
    return balance("usd", limit, Unit.USD, spent=spent)


@pytest.mark.parametrize(
    ("balances", "amount", "minimum", "granted"),
    [
        ([], Amount(10, None), None, Amount(10, None)),
        ([tokens(10)], Amount(10, None), None, Amount(10, None)),
        ([tokens(9)], Amount(10, None), None, "tokens:10"),
        ([tokens(20, spent=5, reserved=5)], Amount(10, 3), None, Amount(10, 3)),
        ([tokens(20, spent=6, reserved=5)], Amount(10, 3), None, "tokens:10"),
        ([tokens(9)], Amount(10, None), Amount(9, None), Amount(9, None)),
        ([tokens(8)], Amount(10, None), Amount(9, None), "tokens:9"),
        ([tokens(8), usd(2)], Amount(10, 3), None, "tokens:10 usd:3"),
        ([tokens(10), usd(2)], Amount(10, 3), None, "usd:3"),
        ([tokens(10), usd(2)], Amount(10, 3), Amount(1, 1), Amount(6, 2)),
        ([tokens(5), usd(100)], Amount(10, 3), Amount(1, 1), Amount(5, 2)),
        ([tokens(5), usd(1)], Amount(10, 3), Amount(1, 1), Amount(3, 1)),
        ([tokens(5), usd(1)], Amount(10, 3), Amount(4, 1), Amount(4, 1)),
        ([tokens(5), usd(3)], Amount(10, 3), Amount(1, 3), Amount(5, 3)),
        ([tokens(5), usd(2)], Amount(10, 3), Amount(1, 3), "usd:3"),
        ([usd(2)], Amount(10, 3), Amount(7, None), "usd:3"),
        ([usd(2)], Amount(10, 3), Amount(6, None), Amount(6, 2)),
        ([usd(100)], Amount(10, None), None, "usd:None"),
        ([usd(100)], Amount(10, None), Amount(0, 0), "usd:None"),
        ([usd(5)], Amount(10, 0), None, Amount(10, 0)),
        ([usd(5, spent=5)], Amount(10, 0), None, Amount(10, 0)),
        ([usd(5, spent=6)], Amount(10, 0), None, "usd:0"),
        ([tokens(5, spent=6)], Amount(0, 5), Amount(0, 0), "tokens:0"),
        ([usd(7)], Amount(0, 9), Amount(0, None), Amount(0, 7)),
        ([part(11, Counting.OUTPUT)], Amount(0, None, None, 13), None, "output:13"),
        ([part(11, Counting.OUTPUT)], Amount(0, None, None, 13), Amount(0, None), Amount(0, None, None, 11)),
        ([part(11, Counting.OUTPUT)], Amount(0, 5, 20, 13), Amount(0, 0, 0, 12), "output:12"),
        ([part(9, Counting.FRESH), usd(3)], Amount(0, 5, 20, 13), Amount(0, 0), Amount(0, 3, 9, 13)),
        ([part(9, Counting.FRESH), part(30, Counting.OUTPUT)], Amount(0, 5, None, 13), None, Amount(0, 5, None, 13)),
        ([tokens(100), tokens(30, reserved=20), tokens(50)], Amount(40, None), Amount(1, None), Amount(10, None)),
    ],
)
def test_the_largest_grant_that_fits(
    balances: list[Balance], amount: Amount, minimum: Amount | None, granted: Amount | str
) -> None:
    answer = decide(balances, amount, minimum)
    shown = answer if isinstance(answer, Amount) else " ".join(f"{s.balance.budget.name}:{s.wanted}" for s in answer)
    assert shown == granted


def test_a_budget_that_only_warns_never_stands_in_the_way() -> None:
    full = balance("soft", 1, Unit.TOKENS, spent=5, warn=True)
    dear = balance("dear", 1, Unit.USD, warn=True)
    assert decide([full, dear], Amount(10, None), None) == Amount(10, None)
    assert decide([full, dear], Amount(10, 99), None) == Amount(10, 99)


QUANTITIES = st.one_of(st.integers(0, 50), st.integers(0, 2**63 - 1))


@given(st.data(), st.lists(st.tuples(QUANTITIES, st.sampled_from(list(Unit))), max_size=4))
def test_a_grant_fits_is_within_wish_and_minimum_and_a_refusal_names_what_the_minimum_lacks(
    data: st.DataObject, limits: list[tuple[int, Unit]]
) -> None:
    balances = [
        balance(str(number), limit + 1, unit, reserved=data.draw(st.integers(0, limit + 1)))
        for number, (limit, unit) in enumerate(limits)
    ]
    amount = Amount(data.draw(st.integers(1, 2**62)), data.draw(st.one_of(QUANTITIES)))
    assert amount.nano_usd is not None
    least = Amount(data.draw(st.integers(0, amount.tokens)), data.draw(st.integers(0, amount.nano_usd)))
    answer = decide(balances, amount, least)
    lacking = [each for each in balances if (least.of(each.budget.limit.unit) or 0) > each.available]
    if not isinstance(answer, Amount):
        assert [each.balance for each in answer] == lacking
        return
    assert not lacking
    assert answer.nano_usd is not None
    assert least.tokens <= answer.tokens <= amount.tokens
    assert (least.nano_usd or 0) <= answer.nano_usd <= amount.nano_usd
    assert all((answer.of(each.budget.limit.unit) or 0) <= each.available for each in balances)


SIDES = [(Unit.USD, Counting.TOTAL), *((Unit.TOKENS, counts) for counts in Counting)]


@settings(max_examples=300)
@given(st.data(), st.lists(st.tuples(st.integers(1, 60), st.sampled_from(SIDES)), min_size=1, max_size=3))
def test_a_grant_of_any_sides_fits_every_budget(
    data: st.DataObject, limits: list[tuple[int, tuple[Unit, Counting]]]
) -> None:
    """Also where none of the tokens is new: an extension may be about output, or the cost, alone."""

    def some(most: int | None) -> int | None:
        return None if most is None else data.draw(st.none() | st.integers(0, most))

    balances = []
    for number, (limit, (unit, counts)) in enumerate(limits):
        budget = Budget(name=str(number), limit=Limit(limit, unit), counts=counts, allows_unknown_price=True)
        reserved = data.draw(st.integers(0, limit))
        balances.append(Balance(budget=budget, spent=0, reserved=reserved, metered=0))
    amount = Amount(data.draw(st.just(0) | st.integers(0, 40)), some(40), some(40), some(40))
    minimum = Amount(
        data.draw(st.integers(0, amount.tokens)),
        some(amount.nano_usd),
        some(amount.fresh_tokens),
        some(amount.output_tokens),
    )
    answer = decide(balances, amount, minimum)
    if not isinstance(answer, Amount):
        return
    for each in balances:
        assert (each.budget.amount_of(answer) or 0) <= each.available
    for wish, least, got in zip(_sides(amount), _sides(minimum), _sides(answer), strict=True):
        assert (wish is None) is (got is None)
        assert wish is None or got is None or (least or 0) <= got <= wish


def _sides(amount: Amount) -> tuple[int | None, ...]:
    return amount.tokens, amount.nano_usd, amount.fresh_tokens, amount.output_tokens


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        ({}, {}, True),
        ({}, {"run": "r"}, True),
        ({"run": "r"}, {"run": "r", "task": "t"}, True),
        ({"run": "r"}, {}, False),
        ({"run": "r"}, {"run": "q"}, False),
        ({"run": "r", "task": "t"}, {"run": "r"}, False),
        ({"run": "r", "task": "t"}, {"task": "t", "run": "r"}, True),
        ({"run": "r"}, {"RUN": "r"}, False),
        ({"run": "r"}, {"task": "r"}, False),
    ],
)
def test_a_selector_wants_all_its_labels(selector: dict[str, str], labels: dict[str, str], selected: bool) -> None:
    assert is_selected(selector, labels) is selected
