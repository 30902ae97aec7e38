"""What stands in for a history that cannot be used does as a history does, while it lives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bursar.history import FleetingHistory, History
from tests.unit.history import test_history as keeping
from tests.unit.history import test_learning as teaching

BOTH = [
    keeping.test_nothing_was_observed_at_first,
    keeping.test_what_was_observed_is_kept_oldest_first,
    keeping.test_an_attempt_is_observed_once,
    keeping.test_an_outcome_that_does_not_exist_is_refused_and_not_passed_over,
    teaching.test_what_estimates_need_is_kept,
    teaching.test_only_the_newest_and_only_a_project,
    teaching.test_a_correction_goes_for_earlier_and_later_attempts,
    teaching.test_what_is_forgotten_is_gone,
    teaching.test_what_is_refused_is_kept_apart,
    teaching.test_files_of_one_name_may_refuse_different_rows_at_one_line,
    teaching.test_where_all_is_forgotten_nothing_is_left,
    teaching.test_what_others_say_of_a_project_is_not_its_own,
]


@pytest.mark.parametrize("test", BOTH, ids=[test.__name__.removeprefix("test_") for test in BOTH])
def test_it_is_as_a_history_in_that(test: Callable[[History], None]) -> None:
    test(FleetingHistory())
