"""The git directory that an attempt has to itself: what is in it, and what of it is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bursar.worktrees import PrivateView, Worktree, close_view, commit_work, open_view
from tests.integration.git_repository import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "repo")
    made.commit({".gitignore": "*.log\n"})
    return made


def view_of(checkout: Checkout, worktree: Worktree) -> PrivateView:
    return open_view(checkout.repository, worktree.path.name, checkout.root.parent / "view")


def as_the_agent(checkout: Checkout, worktree: Worktree, view: PrivateView) -> dict[str, str]:
    """How git finds its directory where nothing is mounted: the repository's objects where they really are."""
    (view.folder / "objects" / "info" / "alternates").write_text(f"{checkout.root}/.git/objects\n")
    name = {f"GIT_{role}_{part}": "Eve" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return name | {"GIT_DIR": str(view.folder / "worktrees" / worktree.path.name), "GIT_WORK_TREE": str(worktree.path)}


def test_it_is_like_the_repository_without_its_hooks(checkout: Checkout) -> None:
    checkout.git("branch", "side")
    checkout.git("tag", "one")
    checkout.git("pack-refs", "--all")
    checkout.git("branch", "later")
    (checkout.root / ".git" / "hooks").mkdir(exist_ok=True)
    (checkout.root / ".git" / "hooks" / "pre-commit").write_text("exit 1\n")
    worktree = checkout.worktree()
    view = view_of(checkout, worktree)
    git = as_the_agent(checkout, worktree, view)
    said = checkout.git("for-each-ref", "--format=%(refname:short)", at=worktree.path, environment=git)
    assert said.split() == ["later", "main", "side", "one"]
    assert checkout.git("status", "--porcelain", at=worktree.path, environment=git) == ""
    assert not (view.folder / "hooks").exists()
    assert view.place == checkout.root / ".git"


def test_what_is_committed_in_it_changes_nothing_of_the_repository(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    view = view_of(checkout, worktree)
    git = as_the_agent(checkout, worktree, view)
    before = sorted(path for path in (checkout.root / ".git").rglob("*"))
    (worktree.path / "new.txt").write_text("new\n")
    checkout.git("checkout", "-q", "-b", "mine", at=worktree.path, environment=git)
    checkout.git("add", "--all", at=worktree.path, environment=git)
    checkout.git("commit", "-q", "-m", "mine", at=worktree.path, environment=git)
    checkout.git("config", "core.hooksPath", "evil", at=worktree.path, environment=git)
    assert sorted(path for path in (checkout.root / ".git").rglob("*")) == before
    change = commit_work(checkout.repository, worktree, "work", view=view.folder)
    assert change is not None
    assert change.files == ("new.txt",)
    close_view(view.folder)
    assert not view.folder.exists()


def test_ignored_files_that_the_agent_has_added_are_its_work(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    view = view_of(checkout, worktree)
    git = as_the_agent(checkout, worktree, view)
    for name in ("kept.log", "left.log", "gone.log"):
        (worktree.path / name).write_text("log\n")
    checkout.git("add", "--force", "kept.log", "gone.log", at=worktree.path, environment=git)
    (worktree.path / "kept.log").write_text("later\n")
    (worktree.path / "gone.log").unlink()
    change = commit_work(checkout.repository, worktree, "work", view=view.folder)
    assert change is not None
    assert change.files == ("kept.log",)
    assert checkout.show(change.commit, "kept.log") == "later"


def test_an_index_that_names_what_is_not_the_worktrees_is_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "secret.log").write_text("hunter2\n")
    worktree = checkout.worktree()
    view = view_of(checkout, worktree)
    git = as_the_agent(checkout, worktree, view)
    (worktree.path / "way").mkdir()
    (worktree.path / "way" / "secret.log").write_text("x\n")
    checkout.git("add", "--force", "way/secret.log", at=worktree.path, environment=git)
    (worktree.path / "way" / "secret.log").unlink()
    (worktree.path / "way").rmdir()
    (worktree.path / "way").symlink_to(tmp_path)
    change = commit_work(checkout.repository, worktree, "work", view=view.folder)
    assert change is not None
    assert change.files == ("way",), "the link, not what it leads to"


@pytest.mark.parametrize("kind", ["garbage", "pipe", "link", "folder", "none"])
def test_an_index_that_is_none_takes_nothing_away(checkout: Checkout, tmp_path: Path, kind: str) -> None:
    worktree = checkout.worktree()
    view = view_of(checkout, worktree)
    index = view.folder / "worktrees" / worktree.path.name / "index"
    index.unlink()
    if kind == "garbage":
        index.write_bytes(b"DIRC" + bytes(500))
    elif kind == "pipe":
        os.mkfifo(index)
    elif kind == "link":
        index.symlink_to(tmp_path)
    elif kind == "folder":
        index.mkdir()
    (worktree.path / "new.txt").write_text("new\n")
    change = commit_work(checkout.repository, worktree, "work", view=view.folder)
    assert change is not None
    assert change.files == ("new.txt",)


def test_objects_that_the_repository_borrows_are_borrowed_too(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("clone", "--quiet", "--shared", str(checkout.root), str(tmp_path / "clone"))
    clone = Checkout(tmp_path / "clone")
    worktree = clone.worktree()
    view = view_of(clone, worktree)
    lenders = (view.folder / "objects" / "info" / "alternates").read_text().splitlines()
    assert lenders == [f"{clone.root}/.git/bursar-repository/objects", f"{checkout.root}/.git/objects"]
