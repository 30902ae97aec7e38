"""Programs that an agent writes into git's settings of the repository: bursar's gits do not start them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.worktrees import Merged, commit_work, compose, create, fast_forward
from tests.integration.git_repository import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "repo")


def evil(tmp_path: Path) -> tuple[str, Path]:
    """A command that leaves a trace and passes its input on, and the trace."""
    trace = tmp_path / "it-ran"
    return f"touch {trace}; cat", trace


def test_filters_of_the_user_run(checkout: Checkout) -> None:
    checkout.git("config", "filter.shout.clean", "tr a-z A-Z")
    checkout.git("config", "filter.shout.smudge", "tr A-Z a-z")
    checkout.commit({".gitattributes": "*.loud filter=shout\n"})
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    (worktree.path / "a.loud").write_text("quiet\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert checkout.show(change.commit, "a.loud") == "QUIET"


@pytest.mark.parametrize("attributes", [".gitattributes", "info/attributes"])
def test_a_filter_that_an_agent_has_set_does_not_run(checkout: Checkout, tmp_path: Path, attributes: str) -> None:
    command, trace = evil(tmp_path)
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    for key in ("clean", "smudge", "process"):
        checkout.git("config", f"filter.evil.{key}", command, at=worktree.path)
    checkout.git("config", "filter.evil.required", "true", at=worktree.path)
    place = worktree.path if attributes == ".gitattributes" else checkout.root / ".git"
    (place / attributes).write_text("* filter=evil\n")
    (worktree.path / "new.txt").write_text("new\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert not trace.exists()
    assert checkout.show(change.commit, "new.txt") == "new"
    create(repository, checkout.root.parent / "worktrees" / "two", change.commit)
    assert not trace.exists()
    assert fast_forward(repository, "main", change.commit).done
    assert not trace.exists()


def test_a_filter_of_the_user_that_an_agent_has_replaced_is_the_users(checkout: Checkout, tmp_path: Path) -> None:
    command, trace = evil(tmp_path)
    checkout.git("config", "filter.shout.clean", "tr a-z A-Z")
    checkout.commit({".gitattributes": "*.loud filter=shout\n"})
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    checkout.git("config", "filter.shout.clean", command, at=worktree.path)
    (worktree.path / "a.loud").write_text("quiet\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert checkout.show(change.commit, "a.loud") == "QUIET"
    assert not trace.exists()


def test_settings_of_the_worktree_alone_are_looked_at_too(checkout: Checkout, tmp_path: Path) -> None:
    """With `extensions.worktreeConfig`, as sparse checkouts have it, each worktree has settings of its own."""
    command, trace = evil(tmp_path)
    checkout.git("config", "extensions.worktreeConfig", "true")
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    checkout.git("config", "--worktree", "filter.evil.clean", command, at=worktree.path)
    (worktree.path / ".gitattributes").write_text("* filter=evil\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert not trace.exists()


def test_an_included_file_is_looked_at_too(checkout: Checkout, tmp_path: Path) -> None:
    command, trace = evil(tmp_path)
    included = tmp_path / "more-settings"
    included.write_text("[core]\n\tabbrev = 9\n")
    checkout.git("config", "include.path", str(included))
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    included.write_text(f'[filter "evil"]\n\tclean = "{command}"\n')
    (worktree.path / ".gitattributes").write_text("* filter=evil\n")
    assert commit_work(repository, worktree, "work") is not None
    assert not trace.exists()


def test_a_merge_driver_that_an_agent_has_set_does_not_run(checkout: Checkout, tmp_path: Path) -> None:
    command, trace = evil(tmp_path)
    base = checkout.commit({"long.txt": "".join(f"{n}\n" for n in range(30))})
    repository = checkout.repository
    sides = []
    for name, old in (("one", "0\n1\n"), ("two", "28\n29\n")):
        worktree = create(repository, checkout.root.parent / "worktrees" / name, base)
        path = worktree.path / "long.txt"
        path.write_text(path.read_text().replace(old, "changed\n"))
        change = commit_work(repository, worktree, name)
        assert change is not None
        sides.append(change.commit)
    checkout.git("config", "merge.evil.driver", command)
    (checkout.root / ".git" / "info" / "attributes").write_text("* merge=evil\n")
    composed = compose(repository, sides[0], base, sides[1], "joined")
    assert not trace.exists()
    assert isinstance(composed, Merged)
    assert checkout.show(composed.commit, "long.txt").count("changed") == 2, "merged as git does without a driver"
