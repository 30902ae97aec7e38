"""What the page on job lists shows is a job list, and what it lists is all there is."""

from __future__ import annotations

import re
from pathlib import Path

from bursar.plan import JobList, parse_job_list, read_job_list
from bursar.plan.job_list_fields import FIELDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "job-lists.md").read_text(encoding="utf-8")


def test_the_example_is_a_job_list() -> None:
    found = read_job_list(ROOT / "examples" / "jobs.json")
    assert isinstance(found, JobList)
    assert found.warnings == ()


def test_the_page_shows_one() -> None:
    (text,) = re.findall("```json\n(.*?)```", PAGE, re.DOTALL)
    assert isinstance(parse_job_list(text, Path("jobs.json")), JobList)


def test_every_key_is_explained() -> None:
    explained = re.findall("^\\| (`.*?) \\|", PAGE, re.MULTILINE)
    assert {key for row in explained for key in re.findall("`([a-z_]+)`", row)} == set(FIELDS)
