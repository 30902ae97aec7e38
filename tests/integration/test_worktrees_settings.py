"""Programs that an agent writes into git's settings of the repository: bursar's gits do not start them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bursar.errors import SetupError
from bursar.worktrees import Merged, commit_work, compose, create, fast_forward, open_repository
from bursar.worktrees.submodules import SubmoduleChanged
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


def test_moving_a_branch_starts_no_program(checkout: Checkout, tmp_path: Path) -> None:
    """Such as one that stands in the settings as the way to reach this very repository."""
    command, trace = evil(tmp_path)
    repository, base = checkout.repository, checkout.head
    commit = checkout.commit({"d.txt": "four\n"})
    checkout.git("branch", "work", base)
    for key in ("uploadpack", "vcs"):
        checkout.git("config", f"remote...{key}", command)
    assert fast_forward(repository, "work", commit).done
    assert checkout.git("rev-parse", "work") == commit
    assert not trace.exists()


@pytest.fixture
def library(checkout: Checkout, tmp_path: Path) -> Path:
    """A submodule of the checkout, `vendor`; its repository's folder."""
    source = make_checkout(tmp_path / "library")
    source.commit({".gitattributes": "*.loud filter=shout\n", "a.loud": "quiet\n"})
    add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source.root), "vendor")
    checkout.git(*add)
    checkout.commit({})
    return checkout.root / ".git" / "modules" / "vendor"


def test_filters_of_a_submodule_are_those_that_it_had(checkout: Checkout, library: Path, tmp_path: Path) -> None:
    command, trace = evil(tmp_path)
    repository, vendor = checkout.repository, checkout.root / "vendor"
    checkout.git("config", "filter.shout.smudge", "tr a-z A-Z", at=vendor)
    checkout.git("config", "filter.shout.clean", "tr A-Z a-z", at=vendor)
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    assert (worktree.path / "vendor" / "a.loud").read_text() == "QUIET\n"
    for key in ("filter.shout.clean", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"):
        checkout.git("config", key, command, at=vendor)
    (library / "info" / "attributes").write_text("*.txt filter=evil\n")
    (worktree.path / "new.txt").write_text("new\n")
    (worktree.path / "vendor" / "a.loud").write_text("QUIET\n")
    assert commit_work(repository, worktree, "work") is not None
    create(repository, checkout.root.parent / "worktrees" / "two", checkout.head)
    assert not trace.exists()


def test_a_submodule_that_is_led_elsewhere_is_the_one_that_it_was(
    checkout: Checkout, library: Path, tmp_path: Path
) -> None:
    command, trace = evil(tmp_path)
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    other = tmp_path / "other.git"
    shutil.copytree(library, other)
    checkout.git("config", "--file", str(other / "config"), "filter.evil.clean", command)
    (other / "info" / "attributes").write_text("* filter=evil\n")
    (checkout.root / "vendor" / ".git").write_text(f"gitdir: {other}\n")
    (worktree.path / "vendor" / "new.txt").write_text("new\n")
    with pytest.raises(SubmoduleChanged, match=r"vendor/new\.txt"):
        commit_work(repository, worktree, "work")
    assert not trace.exists()


def test_a_submodule_that_is_removed_meanwhile_is_still_looked_at(checkout: Checkout, library: Path) -> None:
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    shutil.rmtree(checkout.root / "vendor")
    (worktree.path / "vendor" / "new.txt").write_text("new\n")
    with pytest.raises(SubmoduleChanged, match=r"vendor/new\.txt"):
        commit_work(repository, worktree, "work")


@pytest.mark.parametrize(
    ("said", "is_fit"),
    [
        ("git version 2.38.0", True),
        ("git version 2.46.0.windows.1", True),
        ("git version 3.1", True),
        ("git version 2.39.5 (Apple Git-154)", True),
        ("a git of our own", True),
        ("git version 2.37.7", False),
        ("git version 1.9.1", False),
    ],
)
def test_a_git_that_is_too_old_is_refused_and_not_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, is_fit: bool
) -> None:
    """One of 2.30 would say of every folder that it is none."""
    checkout = make_checkout(tmp_path / "repo")
    real, fake = shutil.which("git"), tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\ntest "$1" = version && echo "{said}" && exit\nexec {real} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    if is_fit:
        assert open_repository(checkout.root).root == checkout.root
        return
    with pytest.raises(SetupError, match=r"^git [0-9.]+ is too old: it cannot merge without a checkout$") as refused:
        open_repository(checkout.root)
    assert refused.value.hint == "install git 2.38 or later"
