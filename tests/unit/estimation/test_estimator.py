"""Estimates are honest whatever the work is like, learn from what is alike, and never fall over.

What is promised is measured: eight of ten outcomes lie within their intervals, before they are known.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.estimation import Estimator, Interval, Key
from tests.unit.estimation.streams import STREAMS, blocks, by_model_and_task, by_size, key, projects_in_a_row

SEED = 11


def play(name: str, seed: int = SEED, most: int = 220) -> tuple[list[bool], list[bool], float]:
    """Whether each outcome, and each total of ten, lay within what was said before; and the mean width of what was."""
    runs, estimator = STREAMS[name](seed)[:most], Estimator()
    hits, totals, widths = [], [], []
    starts = dict(blocks(runs))
    for number, (work, value) in enumerate(runs):
        if number in starts:
            said = estimator.estimate_total([each for each, _ in starts[number]])
            totals.append(said.p10 <= sum(took for _, took in starts[number]) <= said.p90)
        said = estimator.estimate(work)
        if number >= 10:
            hits.append(said.p10 <= value <= said.p90)
            widths.append(math.log(said.p90 / said.p10))
        estimator.observe(work, value)
    return hits, totals, sum(widths) / len(widths)


@pytest.mark.parametrize("name", STREAMS)
def test_eight_of_ten_lie_within_whatever_the_work_is_like(name: str) -> None:
    hits, totals, _ = play(name)
    assert 0.74 <= sum(hits) / len(hits) <= 0.87, f"seed {SEED}"
    assert sum(totals) / len(totals) >= 0.55, f"seed {SEED}"  # twenty totals: one is five in a hundred


def test_early_ones_are_as_honest_as_late_ones() -> None:
    hits = [hit for name in STREAMS for seed in (1, 2) for hit in play(name, seed, 35)[0]]
    assert 0.74 <= sum(hits) / len(hits) <= 0.9


def test_what_is_learned_makes_intervals_narrow() -> None:
    """Most of what varies is the model's and the task's, or the size's: what is left is the interval's width."""
    for runs, spread in ((by_model_and_task(SEED), 0.4), (by_size(SEED), 0.3)):
        estimator = Estimator()
        for work, value in runs:
            estimator.observe(work, value)
        said = estimator.estimate(runs[0][0])
        assert math.log(said.p90 / said.p10) < 2 * 2.6 * spread


def test_a_number_that_is_known_before_tells_the_size() -> None:
    estimator = Estimator()
    for work, value in by_size(SEED):
        estimator.observe(work, value)
    small, large = (estimator.estimate(key(model="m", task="new", facts={"characters": size})) for size in (1e3, 1e4))
    assert 2.5 < large.p50 / small.p50 < 6.0  # 10 ** 0.6 is 4


def test_a_stranger_is_less_sure_than_an_old_friend() -> None:
    estimator = Estimator()
    for work, value in projects_in_a_row(SEED):
        estimator.observe(work, value)
    known = estimator.estimate(key(model="m", project="p8"))
    new = estimator.estimate(key(model="m", project="never seen"))
    assert new.p90 / new.p10 > known.p90 / known.p10


def test_a_total_is_surer_than_its_parts_and_less_sure_than_if_they_were_independent() -> None:
    estimator, runs = Estimator(), projects_in_a_row(SEED)
    for work, value in runs:
        estimator.observe(work, value)
    keys = [key(model="m", project="never seen", task=f"new {number}") for number in range(20)]
    one, all_ = estimator.estimate(keys[0]), estimator.estimate_total(keys)
    widths = [math.log(each.p90 / each.p10) for each in (one, all_)]
    assert widths[0] / math.sqrt(20) * 1.3 < widths[1] < widths[0]
    assert 15 * one.p50 < all_.p50 < 40 * one.p50


def test_the_same_calls_give_the_same_answers() -> None:
    runs = by_model_and_task(3, 60)

    def said() -> list[Interval]:
        estimator = Estimator()
        for work, value in runs:
            estimator.observe(work, value)
        return [estimator.estimate(runs[0][0]), estimator.estimate_total([work for work, _ in runs[:7]])]

    assert said() == said()


def test_without_any_history_it_is_a_wide_guess_and_says_so() -> None:
    said = Estimator().estimate(key(model="m"))
    assert [round(each) for each in (said.p10, said.p50, said.p90)] == [5_000, 50_000, 500_000]
    assert (said.observations, said.alike, said.coverage) == (0, 0, None)


def test_measures_know_nothing_of_each_other() -> None:
    estimator = Estimator()
    for number in range(30):
        estimator.observe(Key(measure="seconds", task=str(number)), 5.0 + number)
    assert estimator.observations("seconds") == 30
    assert estimator.observations("tokens") == 0
    assert estimator.estimate(key()) == Estimator().estimate(key())


def test_it_counts_what_is_alike_and_what_it_kept_to() -> None:
    estimator = Estimator()
    for number in range(40):
        estimator.observe(key(model="ab"[number % 2], type="t", complexity=3), 100.0 + number)
    said = estimator.estimate(key(model="a", type="t", complexity=3))
    assert (said.observations, said.alike) == (40, 20)
    assert said.coverage is not None
    assert 0.5 <= said.coverage <= 1


def test_learned_in_one_go_it_says_nearly_the_same() -> None:
    runs = by_model_and_task(SEED)
    slow, fast = Estimator(), Estimator()
    for work, value in runs:
        slow.observe(work, value)
    fast.observe_all([work for work, _ in runs], [value for _, value in runs])
    one, other = (each.estimate(runs[5][0]) for each in (slow, fast))
    assert 0.7 < one.p50 / other.p50 < 1.4
    assert 0.6 < math.log(one.p90 / one.p10) / math.log(other.p90 / other.p10) < 1.6
    assert fast.coverage("tokens") == pytest.approx(0.8, abs=0.08)


def test_what_is_no_amount_is_passed_over() -> None:
    estimator = Estimator()
    for value in (0.0, -1.0, math.nan, math.inf, True):
        estimator.observe(key(), value)
    assert estimator.observations("tokens") == 0


@pytest.mark.parametrize("keys", [[], [key(), Key(measure="seconds")]])
def test_a_total_of_nothing_or_of_unlike_things_is_refused(keys: list[Key]) -> None:
    with pytest.raises(ValueError, match="total"):
        Estimator().estimate_total(keys)


facts = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.none() | st.booleans() | st.text(max_size=3) | st.integers() | st.floats(allow_nan=True),
    max_size=3,
)
odd_keys = st.builds(
    Key,
    measure=st.just("tokens"),
    model=st.sampled_from(["", "m", "n"]),
    type=st.sampled_from(["x", "y"]),
    complexity=st.none() | st.integers(-3, 99),
    project=st.sampled_from(["", "p"]),
    task=st.sampled_from(["", "t", "u"]),
    facts=facts,
    text=st.text(max_size=5),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(odd_keys, st.floats(1e-300, 1e300)), max_size=40), odd_keys)
def test_whatever_it_is_told_it_answers_in_order(seen: list[tuple[Key, float]], asked: Key) -> None:
    estimator = Estimator()
    for work, value in seen:
        estimator.observe(work, value)
    for said in (estimator.estimate(asked), estimator.estimate_total([asked, *(work for work, _ in seen[:3])])):
        assert 0 < said.p10 <= said.p50 <= said.p90 < math.inf
        assert said.p50 <= said.mean


def test_the_same_over_and_over_is_learned_to_be_the_same() -> None:
    estimator = Estimator()
    for number in range(40):
        estimator.observe(key(model="m", task=str(number)), 90_000.0)
    said = estimator.estimate(key(model="m", task="next"))
    assert 60_000 < said.p10 <= said.p90 < 135_000


@pytest.mark.parametrize("count", [12, 60, 250])
@pytest.mark.parametrize("values", [(24_500.0,), (1.0, 1.0, 1.0, 900.0), (1e-300, 1e300)])
def test_ways_in_which_it_may_go_are_numbers_also_where_it_always_goes_the_same(
    values: tuple[float, ...], count: int
) -> None:
    estimator = Estimator()
    works = [key(model="m", task=str(number % 7)) for number in range(count)]
    estimator.observe_all(works, [values[number % len(values)] for number in range(count)])
    for keys in (works[:1], works[:2], [*works[:9], key(model="new")]):
        drawn = estimator.draw(keys, 1)
        assert all(0 < each < math.inf for row in drawn.tolist() for each in row)
        if len(set(values)) == 1:
            assert sorted(drawn[0].tolist())[len(drawn[0]) // 2] == pytest.approx(24_500, rel=0.2)
