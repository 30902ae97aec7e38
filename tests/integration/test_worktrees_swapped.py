"""Something else in the place of git's own files: nobody waits for ever, nothing is written elsewhere, it is said.

An agent without a sandbox can do that to the repository, and to the state of every worktree.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bursar.errors import BursarError, SetupError
from bursar.worktrees import (
    Worktree,
    advance,
    commit_work,
    create,
    fast_forward,
    leave_out,
    list_worktrees,
    open_repository,
    save_branch,
)
from bursar.worktrees import git as git_module
from bursar.worktrees.git import GitFailed
from bursar.worktrees.pipes import describe_swapped
from tests.integration.git_repository import Checkout, make_checkout

Put = Callable[[Path], object]
REF = "refs/bursar/r"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(git_module, "LONG_SECONDS", 0.05)
    made = make_checkout(tmp_path / "repo")
    gits = made.repository.gits
    assert all((gits.settings, gits.author, gits.committer)), "seen before anybody could spoil it"
    advance(made.repository, REF, made.head, None)
    return made


def begin(checkout: Checkout) -> Worktree:
    worktree = create(checkout.repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    (worktree.path / "new.txt").write_text("new\n")
    return worktree


def put(path: Path, how: Put) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    how(path)


def put_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{os.open(path.parent, os.O_PATH)}/{path.name}")


def put_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2 << 30)


def link_to_pipe(path: Path) -> None:
    elsewhere = next(above for above in path.parents if above.name == ".git").with_name("pipe")
    os.mkfifo(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("how", [os.mkfifo, link_to_pipe])
@pytest.mark.parametrize(
    "name", ["config", "packed-refs", "shallow", "objects/info/alternates", "info/grafts", REF, "refs/heads/main"]
)
def test_at_a_pipe_nobody_waits_and_it_is_said_where_it_is(checkout: Checkout, name: str, how: Put) -> None:
    """Each of the calls that bring work home does what it is for, or says which file is none."""
    repository, worktree, head = checkout.repository, begin(checkout), checkout.head
    put(repository.common_dir / name, how)
    said = []
    calls: list[Callable[[], object]] = [
        lambda: commit_work(repository, worktree, "work"),
        lambda: advance(repository, REF, head, head),
        lambda: save_branch(repository, "bursar/r/1/1", head),
        lambda: create(repository, worktree.path.with_name("two"), head),
        lambda: fast_forward(repository, "main", head),
    ]
    for call in calls:
        try:
            call()
        except BursarError as error:
            said.append(error.message)
    assert said
    assert all(
        f"{repository.common_dir / name} is " in each and "a pipe, where git has a file" in each for each in said
    )


@pytest.mark.parametrize(
    "how", [os.mkfifo, Path.mkdir, put_socket, put_huge, lambda path: path.symlink_to("/dev/zero")]
)
@pytest.mark.parametrize("name", ["HEAD", "commondir", "gitdir", "config.worktree", "logs/HEAD"])
def test_whatever_became_of_a_worktrees_state_its_work_is_collected(checkout: Checkout, name: str, how: Put) -> None:
    worktree = begin(checkout)
    put(worktree.state_dir / name, how)
    change = commit_work(checkout.repository, worktree, "work")
    assert change is not None
    assert change.files == ("new.txt",)
    assert len(list_worktrees(checkout.repository, checkout.root.parent)) == (name != "gitdir")


@pytest.mark.parametrize("how", [os.mkfifo, link_to_pipe])
@pytest.mark.parametrize("name", ["info/exclude", "info/attributes"])
def test_a_list_that_may_be_empty_holds_nothing_up(checkout: Checkout, name: str, how: Put) -> None:
    worktree = begin(checkout)
    put(checkout.repository.common_dir / name, how)
    change = commit_work(checkout.repository, worktree, "work")
    assert change is not None
    assert change.files == ("new.txt",)


def test_settings_that_include_a_pipe_are_no_settings(checkout: Checkout, tmp_path: Path) -> None:
    """It lies where nobody would look for it."""
    repository, worktree = checkout.repository, begin(checkout)
    os.mkfifo(tmp_path / "pipe")
    checkout.git("config", "include.path", str(tmp_path / "pipe"))
    with pytest.raises(GitFailed, match="a pipe stands in the place of a file that git reads"):
        commit_work(repository, worktree, "work")


@pytest.mark.parametrize("how", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path.parent / "mine")])
def test_nothing_is_written_where_there_is_no_file(checkout: Checkout, how: Put) -> None:
    worktree, common_dir = begin(checkout), checkout.repository.common_dir
    for name in ("info/exclude", "bursar-worktrees.lock"):
        put(common_dir / name, how)
        (common_dir / name).with_name("mine").unlink(missing_ok=True)
    put(worktree.state_dir / "logs" / "HEAD", how)
    with pytest.raises(OSError):
        leave_out(checkout.repository, "/x")
    with pytest.raises(SetupError, match="git's list of worktrees cannot be locked: "):
        save_branch(checkout.repository, "kept", checkout.head)
    with suppress(BursarError):
        commit_work(checkout.repository, worktree, "work")
    assert not list(checkout.root.parent.rglob("mine"))


def test_a_broken_repository_is_not_taken_for_a_folder_in_another(tmp_path: Path, checkout: Checkout) -> None:
    """Somebody's repository around it would get its branches."""
    around = make_checkout(tmp_path / "around")
    checkout.root.rename(around.root / "repo")
    checkout = Checkout(around.root / "repo")
    repository, worktree = checkout.repository, begin(checkout)
    (checkout.root / ".git" / "HEAD").unlink()
    for call in (
        lambda: commit_work(repository, worktree, "work"),
        lambda: save_branch(repository, "kept", around.head),
    ):
        with pytest.raises(GitFailed, match="not a git repository"):
            call()
    assert around.git("branch", "--list", "kept") == ""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link to a device"),
        (put_huge, "has 2,147,483,648 bytes"),
        (lambda path: None, "is gone"),
    ],
)
def test_a_repository_that_somebody_broke_is_not_said_to_be_none(checkout: Checkout, how: Put, words: str) -> None:
    put(checkout.root / ".git" / "HEAD", how)
    with pytest.raises(SetupError) as refused:
        open_repository(checkout.root)
    assert refused.value.message.startswith(
        f"the repository at {checkout.root} is broken: {checkout.root}/.git/HEAD {words}"
    )
    assert "git init" not in (refused.value.hint or "")


def test_a_file_is_nothing_to_speak_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "leads nowhere").symlink_to(tmp_path / "nothing")
    assert [describe_swapped(tmp_path / name) for name in ("file", "link", "leads nowhere", "nothing")] == [""] * 4
