"""Observations: kept once, as they were, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.errors import StoreError
from bursar.history import History, Observation, open_history

SEEN = Observation(
    key="r/1/1",
    at="2026-03-01T10:00:00.000+00:00",
    project="/p",
    plan_id="08-02",
    task="1",
    subagent="general-purpose",
    complexity=None,
    agent="claude",
    model="sonnet",
    outcome="succeeded",
    tokens=1200,
    nano_usd=None,
    calls=3,
    wall_seconds=1.5,
)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path / "history.db")
    yield opened
    opened.close()


def test_nothing_was_observed_at_first(history: History) -> None:
    assert history.observations() == []


def test_what_was_observed_is_kept_oldest_first(history: History) -> None:
    later = replace(SEEN, key="r/2/1", at="2026-03-02", complexity=7, nano_usd=5)
    history.record(later)
    history.record(SEEN)
    assert history.observations() == [SEEN, later]


def test_an_attempt_is_observed_once(history: History) -> None:
    history.record(SEEN)
    history.record(replace(SEEN, tokens=9))
    assert history.observations() == [SEEN]


def test_an_outcome_that_does_not_exist_is_refused_and_not_passed_over(history: History) -> None:
    with pytest.raises(StoreError):
        history.record(replace(SEEN, outcome="great"))
    assert history.observations() == []


def test_another_stores_file_is_refused(tmp_path: Path, history: History) -> None:
    from bursar.journal import open_journal

    with pytest.raises(StoreError):
        open_journal(tmp_path / "history.db")
