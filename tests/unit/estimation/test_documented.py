"""The documents' own learner: least, mean and most."""

from __future__ import annotations

import pytest

from bursar.estimation import DocumentedLearner, Key


def key(**known: object) -> Key:
    return Key(measure="tokens", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        (key(type="api-impl", complexity=5, model="sonnet"), 8_000),
        (key(type="api-impl", complexity=7, model="haiku"), 8_000 * 1.3 * 1.2),
        (key(type="bug-fix"), 5_000),
        (key(type="architecture", complexity=1, model="opus"), 10_000 * 0.4 * 0.85),
    ],
)
def test_a_kind_that_was_never_seen_has_the_documented_guess(asked: Key, tokens: float) -> None:
    said = DocumentedLearner().estimate(asked)
    assert [said.p10, said.p50, said.p90] == pytest.approx([0.7 * tokens, tokens, 1.3 * tokens])
    assert said.observations == 0


def test_a_kind_that_was_seen_has_its_least_mean_and_most() -> None:
    learner = DocumentedLearner()
    learner.observe_all([key(model="m")] * 3, [10.0, 40.0, 100.0])
    learner.observe(key(model="other"), 7.0)
    learner.observe(key(model="m"), -1.0)
    said = learner.estimate(key(model="m"))
    assert (said.p10, said.p50, said.p90, said.alike) == (10, 50, 100, 3)
    assert learner.observations("tokens") == 4
    total = learner.estimate_total([key(model="m"), key(model="other")])
    assert (total.p10, total.p50, total.p90) == (17, 57, 107)


def test_a_total_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="total"):
        DocumentedLearner().estimate_total([])
