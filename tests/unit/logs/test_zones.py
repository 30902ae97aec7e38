"""Days of time zones: which quarters of an hour are of which, in as few looks at the zone as can be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.logs import Wanted, Zone, day_of, month_of, named_zone, open_index, rows_by_day
from tests.unit.logs.transcripts import Transcripts, encode, line

ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")
QUARTER = 900


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


@pytest.mark.parametrize("name", ZONES)
def test_every_quarter_is_in_one_span_with_its_offset(name: str) -> None:
    zone, dice = named_zone(name), random.Random(name)
    near = [dice.randrange(14_000, 24_000) for _ in range(40)]
    days = sorted({*near, *(day + 1 for day in near), 0, 15_337, 15_338})  # Apia left out a day, 2011-12-30
    spans = zone.spans(days)
    for day in days:
        for quarter in range(96 * day, 96 * day + 96):
            (ahead,) = (ahead for first, last, ahead in spans if first <= quarter <= last)
            assert ahead == zone.offset_at(quarter * QUARTER) // QUARTER


def test_what_lies_between_days_is_not_looked_at() -> None:
    """A log can name any year, and every report would look through all the years between."""
    asked: list[int] = []

    def offset_at(at: int) -> int:
        asked.append(at)
        return 3600

    assert Zone(offset_at).spans([0, 20_000, 20_001, 2_932_896]) == [(0, 2_932_896 * 96 + 95, 4)]
    assert len(asked) == 7  # each day's beginning and end; two of them share one


@pytest.mark.parametrize("name", [*ZONES, "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_last_and_the_first_moment_that_can_be_written_have_a_day(logs: Transcripts, name: str) -> None:
    first, last = line("m1", "r1", "1970-01-01T00:00:00.000Z"), line("m2", "r2", "9999-12-31T23:59:59.999Z")
    logs.write(encode(first, last, line("m3", "r3")))
    logs.read()
    zone = named_zone(name)
    for label in (day_of, month_of):
        rows = rows_by_day(logs.index, Wanted(), zone, label)
        assert sum(row.totals.calls for row in rows) == len(rows) == 3
    assert {row.label for row in rows} >= {"2026-11"}
    assert {row.label for row in rows} & {"9999-12", "10000-01"}
    assert zone.midnight(2_932_897) > zone.midnight(-719_162)
