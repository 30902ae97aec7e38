"""What agents can do to git and to their worktree, and that their work is collected all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bursar.errors import SetupError
from bursar.worktrees import Worktree, commit_work, create
from bursar.worktrees import git as git_module
from tests.integration.git_repository import Checkout, make_checkout

Spoil = Callable[[Checkout, Worktree], object]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "repo")
    made.commit({".gitignore": "*.log\n"})
    return made


def collect(checkout: Checkout, spoil: Spoil) -> dict[str, str]:
    """The files of the commit that is made of a worktree with a new file and a changed one, by their contents."""
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    (worktree.path / "new.txt").write_text("new\n")
    spoil(checkout, worktree)
    (worktree.path / "a.txt").write_text("changed\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    return {path: checkout.show(change.commit, path) for path in change.files}


WORK = {"a.txt": "changed", "new.txt": "new"}


def unmerge(checkout: Checkout, worktree: Worktree) -> None:
    blob = checkout.git("rev-parse", "HEAD:b.txt")
    stages = "".join(f"100644 {blob} {stage}\tb.txt\n" for stage in (1, 2))
    subprocess.run(["git", "update-index", "--index-info"], cwd=worktree.path, input=stages.encode(), check=True)


def put_pipe(_: Checkout, worktree: Worktree) -> None:
    (worktree.state_dir / "index").unlink()
    os.mkfifo(worktree.state_dir / "index")


def put_folder(_: Checkout, worktree: Worktree) -> None:
    (worktree.state_dir / "index").unlink()
    (worktree.state_dir / "index" / "x").mkdir(parents=True)


STATES: dict[str, Spoil] = {
    "a file that is not to be looked at": lambda checkout, tree: checkout.git(
        "update-index", "--skip-worktree", "a.txt", at=tree.path
    ),
    "a file that is to be taken for unchanged": lambda checkout, tree: checkout.git(
        "update-index", "--assume-unchanged", "a.txt", at=tree.path
    ),
    "an index that is none": lambda _, tree: (tree.state_dir / "index").write_bytes(b"DIRC" + bytes(300)),
    "an index that is a pipe": put_pipe,
    "an index that is a folder": put_folder,
    "no index": lambda _, tree: (tree.state_dir / "index").unlink(),
    "a lock that is left": lambda _, tree: (tree.state_dir / "index.lock").touch(),
    "a lock that is a folder": lambda _, tree: (tree.state_dir / "index.lock").mkdir(),
    "a merge that was not ended": unmerge,
    "a HEAD that is none": lambda _, tree: (tree.state_dir / "HEAD").write_text("nothing\n"),
    "no HEAD": lambda _, tree: (tree.state_dir / "HEAD").unlink(),
    "another repository": lambda _, tree: (tree.state_dir / "commondir").write_text("/nowhere\n"),
    "no state": lambda _, tree: shutil.rmtree(tree.state_dir),
    "no worktrees known": lambda checkout, _: shutil.rmtree(checkout.root / ".git" / "worktrees"),
    "a repository said to be bare": lambda checkout, _: checkout.git("config", "core.bare", "true"),
    "a work tree said to be elsewhere": lambda checkout, _: checkout.git("config", "core.worktree", "/tmp"),
    "files said to be ignored": lambda checkout, tree: (
        (checkout.root.parent / "all").write_text("*\n"),
        checkout.git("config", "core.excludesFile", str(checkout.root.parent / "all")),
    ),
    "contents said to be wrong": lambda checkout, _: (
        checkout.git("config", "core.autocrlf", "true"),
        checkout.git("config", "core.safecrlf", "true"),
    ),
}


@pytest.mark.parametrize("spoil", STATES.values(), ids=STATES)
def test_work_is_collected_whatever_git_was_told(checkout: Checkout, spoil: Spoil) -> None:
    assert collect(checkout, spoil) == WORK


def test_that_a_file_may_be_executed_is_collected_whatever_git_was_told(checkout: Checkout) -> None:
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    checkout.git("config", "core.fileMode", "false", at=worktree.path)
    (worktree.path / "a.txt").chmod(0o755)
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert checkout.files(change.commit)["a.txt"] == "100755"


def test_ignored_files_that_were_added_are_work(checkout: Checkout) -> None:
    def add(checkout: Checkout, worktree: Worktree) -> None:
        (worktree.path / "kept.log").write_text("kept\n")
        (worktree.path / "left.log").write_text("left\n")
        checkout.git("add", "--force", "kept.log", at=worktree.path)

    assert collect(checkout, add) == {**WORK, "kept.log": "kept"}


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "folder/.gitattributes", "new/.gitignore"])
def test_a_pipe_that_git_would_read_holds_nothing_up(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(git_module, "LONG_SECONDS", 0.05)

    def put(_: Checkout, worktree: Worktree) -> None:
        path = worktree.path / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    checkout.commit({".gitignore": ""})
    checkout.git("rm", "--quiet", ".gitignore")
    checkout.commit({})
    assert collect(checkout, put) == WORK


@pytest.mark.parametrize("name", ["info/exclude", "info/attributes"])
def test_nor_does_one_in_the_repository(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(git_module, "LONG_SECONDS", 0.05)

    def put(checkout: Checkout, _: Worktree) -> None:
        path = checkout.root / ".git" / name
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    assert collect(checkout, put) == WORK


def test_collected_work_outlives_a_clearing_up(checkout: Checkout) -> None:
    """Nothing points to it yet when another agent tells git to throw away whatever nobody needs."""
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    (worktree.path / "new.txt").write_text("new\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    checkout.git("gc", "--quiet", "--prune=now")
    checkout.git("prune", "--expire=now")
    assert checkout.show(change.commit, "new.txt") == "new"


@pytest.mark.parametrize(
    ("gone", "refusal"),
    [
        (("index",), None),
        (("index", "index.begun"), "git's state of the worktree is gone"),
        (("HEAD",), "fatal: not a git repository: .*/worktrees/one"),
    ],
)
def test_what_is_not_checked_out_is_never_taken_for_deleted(
    checkout: Checkout, gone: tuple[str, ...], refusal: str | None
) -> None:
    """Which files those are stands in git's state of the worktree alone; without it nothing is collected."""
    checkout.git("sparse-checkout", "set", "--no-cone", "/a.txt")
    repository = checkout.repository
    worktree = create(repository, checkout.root.parent / "worktrees" / "one", checkout.head)
    assert not (worktree.path / "folder").exists()
    (worktree.path / "a.txt").write_text("changed\n")
    for name in gone:
        (worktree.state_dir / name).unlink()
    if refusal is not None:
        with pytest.raises(SetupError, match=refusal):
            commit_work(repository, worktree, "work")
        assert (worktree.path / "a.txt").read_text() == "changed\n"
        return
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert change.deleted == ()
    assert change.files == ("a.txt",)
