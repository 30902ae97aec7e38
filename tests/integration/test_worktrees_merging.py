"""Joining attempts' commits in real git, and bringing them to the user's branch without losing anything of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bursar.worktrees import (
    FastForward,
    MergeConflict,
    Merged,
    advance,
    commit_paths,
    compose,
    contains,
    count_commits,
    drop_ref,
    fast_forward,
    files_by_commit,
    read_ref,
    save_branch,
)
from bursar.worktrees.git import GitFailed
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout

REF = "refs/bursar/run1"
MESSAGE = "feat(08-02): A task\n\nBursar-Attempt: r/1/1\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    return make_checkout(tmp_path / "repository")


def change(checkout: Checkout, base: str, files: Mapping[str, str]) -> str:
    """A commit on `base` that no branch knows."""
    made = commit_paths(checkout.repository, base, {name: text.encode() for name, text in files.items()}, MESSAGE)
    assert made is not None
    return made.commit


def merged(checkout: Checkout, tip: str, base: str, commit: str) -> str:
    composed = compose(checkout.repository, tip, base, commit, MESSAGE)
    assert isinstance(composed, Merged)
    return composed.commit


def test_a_change_on_the_tip_is_taken_as_it_is(checkout: Checkout) -> None:
    commit = change(checkout, checkout.head, {"a.txt": "x\n"})
    assert compose(checkout.repository, checkout.head, checkout.head, commit, MESSAGE) == Merged(commit)


def test_changes_of_different_files_become_one_line_of_commits(checkout: Checkout) -> None:
    base = checkout.head
    one, two = change(checkout, base, {"a.txt": "x\n"}), change(checkout, base, {"ü b.txt": "y\n"})
    tip = merged(checkout, one, base, two)
    assert checkout.git("log", "--format=%P", "-1", tip) == one
    assert checkout.git("log", "--format=%B|%an", "-1", tip) == f"{MESSAGE}|Ada"
    assert (checkout.show(tip, "a.txt"), checkout.show(tip, "ü b.txt")) == ("x", "y")
    assert checkout.git("status", "--porcelain") == ""


def test_changes_of_different_places_in_a_file_are_joined(checkout: Checkout) -> None:
    base = checkout.commit({"long.txt": "".join(f"{line}\n" for line in range(20))})
    lines = [f"{line}\n" for line in range(20)]
    one = change(checkout, base, {"long.txt": "".join(["first\n", *lines[1:]])})
    two = change(checkout, base, {"long.txt": "".join([*lines[:-1], "last\n"])})
    text = checkout.show(merged(checkout, one, base, two), "long.txt")
    assert text.startswith("first\n")
    assert text.endswith("last")


def test_a_conflict_names_its_files_and_moves_nothing(checkout: Checkout) -> None:
    base = checkout.head
    one = change(checkout, base, {"a.txt": "x\n", "ü\n b.txt": "x\n", "own.txt": "1"})
    two = change(checkout, base, {"a.txt": "y\n", "ü\n b.txt": "y\n", "other.txt": "2"})
    refs = checkout.git("for-each-ref")
    conflict = compose(checkout.repository, one, base, two, MESSAGE)
    assert isinstance(conflict, MergeConflict)
    assert set(conflict.files) == {"a.txt", "ü\n b.txt"}
    assert checkout.git("for-each-ref") == refs


def test_a_file_that_one_deletes_and_the_other_changes_is_a_conflict(checkout: Checkout) -> None:
    base = checkout.head
    worktree = checkout.worktree()
    (worktree.path / "a.txt").unlink()
    checkout.git("commit", "--quiet", "--all", "-m", "gone", at=worktree.path)
    gone = checkout.git("rev-parse", "HEAD", at=worktree.path)
    answer = compose(checkout.repository, change(checkout, base, {"a.txt": "x\n"}), base, gone, MESSAGE)
    assert answer == MergeConflict(("a.txt",))


def test_a_ref_moves_only_from_where_it_is_expected(checkout: Checkout) -> None:
    base = checkout.head
    one = change(checkout, base, {"a.txt": "x\n"})
    advance(checkout.repository, REF, base, None)
    for expected in (None, one):
        with pytest.raises(GitFailed):
            advance(checkout.repository, REF, one, expected)
        assert read_ref(checkout.repository, REF) == base
    advance(checkout.repository, REF, one, base)
    assert read_ref(checkout.repository, REF) == one
    drop_ref(checkout.repository, REF)
    assert read_ref(checkout.repository, REF) is None
    drop_ref(checkout.repository, REF)


def test_ancestry_and_counting(checkout: Checkout) -> None:
    base = checkout.head
    one = change(checkout, base, {"a.txt": "x\n"})
    two = change(checkout, one, {"a.txt": "y\n"})
    assert contains(checkout.repository, two, base)
    assert contains(checkout.repository, two, two)
    assert not contains(checkout.repository, base, two)
    assert not contains(checkout.repository, two, "1" * 40)
    assert (count_commits(checkout.repository, base, two), count_commits(checkout.repository, two, base)) == (2, 0)


def test_the_files_of_many_commits(checkout: Checkout) -> None:
    one = change(checkout, checkout.head, {"a.txt": "x\n", "ü\n": "1"})
    two = change(checkout, one, {"b.txt": "y\n"})
    assert files_by_commit(checkout.repository, [one, two]) == {one: ("a.txt", "ü\n"), two: ("b.txt",)}
    assert files_by_commit(checkout.repository, []) == {}


def test_the_new_files_of_many_commits(checkout: Checkout) -> None:
    one = change(checkout, checkout.head, {"new.txt": "x\n"})
    two = change(checkout, one, {"new.txt": "y\n", "later.txt": "z\n"})
    three = change(checkout, two, {"later.txt": "w\n"})
    found = files_by_commit(checkout.repository, [one, two, three], only_new=True)
    assert found == {one: ("new.txt",), two: ("later.txt",), three: ()}


def test_work_that_was_not_merged_is_kept_on_a_branch(checkout: Checkout) -> None:
    one = change(checkout, checkout.head, {"a.txt": "x\n"})
    two = change(checkout, checkout.head, {"a.txt": "y\n"})
    assert save_branch(checkout.repository, "bursar/r/1/1", one) == "bursar/r/1/1"
    save_branch(checkout.repository, "bursar/r/1/1", two)
    assert checkout.git("rev-parse", "bursar/r/1/1") == two


@pytest.mark.parametrize(
    "part",
    [
        "x.lock",
        "b.",
        ".hidden",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "@",
        "a@{b",
        "a\x07",
        "-x",
    ],
)
def test_it_is_kept_whatever_its_task_is_called(checkout: Checkout, part: str) -> None:
    """Plans name plans and tasks; git does not take every name."""
    head = checkout.head
    one = save_branch(checkout.repository, f"bursar/run/{part}/1/1", head)
    assert checkout.git("rev-parse", f"refs/heads/{one}") == head
    assert one == save_branch(checkout.repository, f"bursar/run/{part}/1/1", head)
    other = save_branch(checkout.repository, "bursar/run/x-lock/1/1", head)
    assert other == "bursar/run/x-lock/1/1" != one


def test_the_checked_out_branch_and_its_files_go_forward(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n", "new.txt": "n\n"})
    checkout.write({"untracked.txt": "mine"})
    assert fast_forward(checkout.repository, "main", tip) == FastForward(done=True)
    assert (checkout.head, checkout.git("symbolic-ref", "HEAD")) == (tip, "refs/heads/main")
    assert (checkout.root / "a.txt").read_text() == "x\n"
    assert (checkout.root / "untracked.txt").read_text() == "mine"


@pytest.mark.parametrize("ahead", [False, True])
def test_a_branch_that_has_it_already_stays(checkout: Checkout, ahead: bool) -> None:
    tip = checkout.head
    if ahead:
        checkout.commit({"a.txt": "later\n"})
    before = checkout.head
    assert fast_forward(checkout.repository, "main", tip) == FastForward(done=True)
    assert checkout.head == before


def test_a_detached_head_goes_forward(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    main = checkout.head
    checkout.git("switch", "--quiet", "--detach")
    assert fast_forward(checkout.repository, None, tip).done
    assert (checkout.head, checkout.git("rev-parse", "main")) == (tip, main)


def test_a_branch_that_is_not_checked_out_moves_alone(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.git("switch", "--quiet", "-c", "other")
    checkout.write({"a.txt": "dirty\n"})
    assert fast_forward(checkout.repository, "main", tip).done
    assert checkout.git("rev-parse", "main") == tip
    assert (checkout.root / "a.txt").read_text() == "dirty\n"


def test_a_branch_whose_name_is_a_tag_too_moves_and_no_other_is_made(checkout: Checkout) -> None:
    checkout.git("tag", "main")
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.git("switch", "--quiet", "-c", "other")
    assert fast_forward(checkout.repository, "main", tip).done
    assert checkout.git("for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main\nrefs/heads/other"
    assert checkout.git("rev-parse", "refs/heads/main") == tip


def assert_left_alone(checkout: Checkout, branch: str | None, tip: str, words: str) -> None:
    """The obstacle is said, and every ref and file of the user's is what it was."""
    before = (checkout.git("for-each-ref"), checkout.head, checkout.git("status", "--porcelain"), checkout.git("diff"))
    result = fast_forward(checkout.repository, branch, tip)
    assert not result.done
    assert words in result.obstacle
    after = (checkout.git("for-each-ref"), checkout.head, checkout.git("status", "--porcelain"), checkout.git("diff"))
    assert after == before


def test_new_commits_on_the_branch_are_an_obstacle(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.commit({"b.txt": "mine\n"})
    assert_left_alone(checkout, "main", tip, "new commits")


def test_new_commits_on_a_branch_elsewhere_are_an_obstacle(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.commit({"b.txt": "mine\n"})
    checkout.git("switch", "--quiet", "-c", "other")
    assert_left_alone(checkout, "main", tip, "could not be moved")


def test_a_branch_in_another_worktree_of_the_users_is_an_obstacle(checkout: Checkout, tmp_path: Path) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.git("switch", "--quiet", "-c", "other")
    checkout.git("worktree", "add", "--quiet", str(tmp_path / "theirs"), "main")
    assert_left_alone(checkout, "main", tip, "could not be moved")


@pytest.mark.parametrize("what", ["rebase", "bisection"])
def test_a_branch_that_is_left_for_a_while_is_an_obstacle(checkout: Checkout, what: str) -> None:
    """It would be put back to where it was, or its end refused."""
    base = checkout.head
    checkout.git("checkout", "--quiet", "-b", "work")
    checkout.commit({"d.txt": "four\n"})
    tip = checkout.commit({"e.txt": "five\n"})
    if what == "rebase":
        checkout.git("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "--quiet", "--interactive", base)
    else:
        checkout.git("bisect", "start", tip, base)
    new = checkout.git("commit-tree", "HEAD^{tree}", "-p", tip, "-m", "merged")
    result = fast_forward(checkout.repository, "work", new)
    assert result.obstacle == f"branch work could not be moved: a {what} of it is under way"
    assert checkout.git("rev-parse", "work") == tip


def test_a_branch_instead_of_the_detached_head_is_an_obstacle(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    assert_left_alone(checkout, None, tip, "another branch was checked out")


@pytest.mark.parametrize("autostash", [False, True])
def test_a_dirty_file_in_the_way_is_an_obstacle(checkout: Checkout, autostash: bool) -> None:
    checkout.git("config", "merge.autoStash", str(autostash).lower())
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.write({"a.txt": "mine\n"})
    assert_left_alone(checkout, "main", tip, "in the way")
    assert (checkout.root / "a.txt").read_text() == "mine\n"


def test_an_untracked_file_in_the_way_is_an_obstacle(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"new.txt": "x\n"})
    checkout.write({"new.txt": "mine\n"})
    assert_left_alone(checkout, "main", tip, "in the way")
    assert (checkout.root / "new.txt").read_text() == "mine\n"


def test_a_dirty_file_out_of_the_way_is_kept(checkout: Checkout) -> None:
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    checkout.write({"b.txt": "mine\n"})
    assert fast_forward(checkout.repository, "main", tip).done
    assert (checkout.root / "b.txt").read_text() == "mine\n"


def test_no_hook_runs_when_the_checkout_goes_forward(checkout: Checkout, tmp_path: Path) -> None:
    for name in ("post-merge", "post-checkout", "reference-transaction"):
        hook = checkout.root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    tip = change(checkout, checkout.head, {"a.txt": "x\n"})
    assert fast_forward(checkout.repository, "main", tip).done
    advance(checkout.repository, REF, tip, None)
    assert not (tmp_path / "ran").exists()


def test_work_is_kept_beside_a_branch_that_stands_in_the_way(checkout: Checkout) -> None:
    """A branch called `bursar` leaves no room for one below it."""
    head = checkout.head
    checkout.git("branch", "bursar")
    kept = save_branch(checkout.repository, "bursar/run/1/1", head)
    assert checkout.git("rev-parse", f"refs/heads/{kept}") == head
    assert kept == "bursar-run-1-1"


def test_work_is_kept_beside_a_branch_of_its_name_that_is_checked_out(checkout: Checkout, tmp_path: Path) -> None:
    head, other = checkout.head, checkout.commit({"d.txt": "four\n"})
    checkout.git("worktree", "add", "-q", "-b", "bursar/run/1/1", str(tmp_path / "looked-at"), head)
    kept = save_branch(checkout.repository, "bursar/run/1/1", other)
    assert checkout.git("rev-parse", f"refs/heads/{kept}") == other
    assert checkout.git("rev-parse", "bursar/run/1/1") == head, "what somebody works on stays"
