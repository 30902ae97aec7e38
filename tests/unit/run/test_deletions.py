"""Which deletions a task was asked for."""

from __future__ import annotations

import pytest

from bursar.plan import Task
from bursar.run.deletions import deletions_in_words, unasked_deletions

TASK = Task(
    number="1",
    name="Move the client",
    files=("src/new/client.py", "src/api/", "docs/*.md"),
    action="Replace `src/old/client.py`, drop legacy.py and all of tests/fixtures/old/. Then ./top.cfg and setup.cfg.",
    details={"read_first": "config/base.toml"},
)


@pytest.mark.parametrize(
    ("path", "is_asked"),
    [
        ("src/new/client.py", True),  # due
        ("src/api/deep/route.py", True),  # in a folder that is due
        ("docs/old.md", True),  # fits a pattern
        ("docs/old.txt", False),
        ("src/old/client.py", True),  # named by its path
        ("lib/legacy.py", True),  # named by its own name
        ("tests/fixtures/old/a/b.json", True),  # in a folder that is named
        ("tests/fixtures/new.json", False),
        ("config/base.toml", True),
        ("README.md", False),
        ("src/apix.py", False),
        ("lib/client.py", False),  # another file of that name is meant
        ("y.py", False),
        ("top.cfg", True),  # after `./`
        ("setup.cf", False),
    ],
)
def test_what_was_asked_for(path: str, is_asked: bool) -> None:
    assert unasked_deletions(TASK, [path]) == ([] if is_asked else [path])


def test_a_task_that_names_no_files_may_delete_any() -> None:
    assert unasked_deletions(Task(number="1", name="Tidy up"), ["README.md"]) == []


def test_in_words() -> None:
    assert deletions_in_words(["a", "b"]) == "it deletes what it was not asked to touch: a, b"
    assert deletions_in_words(list("abcdefg")).endswith("a, b, c, d, e and 2 more")
