"""Forecasts of a whole: what is drawn, what waits, what fails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bursar.estimation import DRAWS, Draws, Estimator, Forecast, Piece, Rung, forecast, left_draws, spread_draws
from tests.unit.estimation.streams import key, projects_in_a_row

MEASURES = ("tokens", "seconds")


def rung(tokens: float = 100.0, seconds: float = 60.0, success: float = 1.0) -> Rung:
    """An attempt that always takes the same."""
    return Rung(amounts={"tokens": np.full(DRAWS, tokens), "seconds": np.full(DRAWS, seconds)}, success=success)


def play(*pieces: Piece, slots: int = 2) -> Forecast:
    return forecast(pieces, slots=slots, measures=MEASURES)


def only(draws: Draws) -> float:
    """What is the same in every draw."""
    assert draws.min() == draws.max()
    return float(draws.min())


def test_what_waits_follows_and_what_does_not_runs_beside() -> None:
    one, two = Piece(name="1", rungs=[rung()]), Piece(name="2", rungs=[rung(seconds=90)])
    last = Piece(name="3", rungs=[rung(seconds=30)], waits_for=("1", "2"))
    assert only(play(one, two, last).seconds) == 120
    assert only(play(one, two, last, slots=1).seconds) == 180
    assert only(play(one, two, last).amounts["tokens"]) == 300


def test_a_point_takes_nothing_and_lets_others_wait() -> None:
    point = Piece(name="end", rungs=(), waits_for=("1",))
    after = Piece(name="2", rungs=[rung()], waits_for=("end",))
    told = play(Piece(name="1", rungs=[rung()]), point, after)
    assert (only(told.seconds), only(told.amounts["tokens"])) == (120, 200)


def test_what_waits_for_a_failure_is_not_begun_and_not_paid_for() -> None:
    told = play(
        Piece(name="1", rungs=[rung(success=0.0)]),
        Piece(name="2", rungs=[rung()], waits_for=("1",)),
        Piece(name="3", rungs=[rung()]),
    )
    assert (told.success, only(told.amounts["tokens"])) == (0.0, 200)
    assert only(told.by_piece["tokens"]["2"]) == 0


def test_a_failure_is_tried_again_and_paid_for_each_time() -> None:
    told = play(Piece(name="1", rungs=[rung(success=0.5)] * 3))
    assert told.success == pytest.approx(0.875, abs=0.04)
    assert told.amounts["tokens"].mean() == pytest.approx(175, rel=0.05)
    assert set(told.amounts["tokens"].tolist()) == {100, 200, 300}


def test_guesses_keep_to_their_ends_and_have_half_of_their_luck_in_common() -> None:
    rows = [spread_draws(40, 1, row, math.log(1_000), math.log(9_000)) for row in range(40)]
    below, above = (np.mean([(row < end).mean() for row in rows]) for end in (1_000, 9_000))
    assert (below, above) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.9, abs=0.02))
    alike = np.corrcoef(np.log(np.array(rows)))
    assert np.mean(alike[np.triu_indices(40, 1)]) == pytest.approx(0.5, abs=0.1)


def test_drawn_apart_and_together_it_goes_as_the_estimates_say() -> None:
    estimator, runs = Estimator(), projects_in_a_row(5)
    for work, value in runs:
        estimator.observe(work, value)
    keys = [key(model="m", project="p8", task=f"new {number}", complexity=5) for number in range(12)]
    drawn = estimator.draw(keys, 1)
    total = estimator.estimate_total(keys)
    low, middle, high = np.quantile(drawn.sum(0), [0.1, 0.5, 0.9])
    assert (low, middle, high) == (
        pytest.approx(total.p10, rel=0.05),
        pytest.approx(total.p50, rel=0.05),
        pytest.approx(total.p90, rel=0.05),
    )
    one = estimator.estimate(keys[0])
    assert np.median(drawn[0]) == pytest.approx(one.p50, rel=0.15)
    assert np.array_equal(drawn, estimator.draw(keys, 1))
    assert not np.array_equal(drawn, estimator.draw(keys, 2))


def test_nothing_is_drawn_from_nothing() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        Estimator().draw([key()], 1)


def test_of_work_that_is_on_only_what_is_still_to_come_counts() -> None:
    """Half of the draws are above what it has used: they say what it takes in all."""
    draws = np.arange(1.0, 1001.0)
    left = left_draws(draws, 500.0)
    assert left.min() > 0
    assert sorted(set(left.tolist())) == [float(number) for number in range(1, 501)]
    assert (left[500:] == draws[500:] - 500.0).all()  # what is dear elsewhere in a draw stays dear here


def test_work_that_has_gone_farther_than_all_draws_goes_on_for_a_while() -> None:
    assert set(left_draws(np.arange(1.0, 1001.0), 2000.0).tolist()) == {500.0}


def test_work_that_has_used_nothing_yet_takes_what_it_takes() -> None:
    draws = np.arange(1.0, 1001.0)
    assert left_draws(draws, 0.0) is draws
