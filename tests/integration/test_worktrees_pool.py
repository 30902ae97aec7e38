"""Worktrees that are used again: nothing of one attempt is seen by the next."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from bursar.worktrees import Pool, Worktree, commit_work, create, remove
from tests.integration.git_repository import Checkout, make_checkout

Look = dict[str, tuple[int, bytes]]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = make_checkout(tmp_path / "repo")
    checkout.commit({".gitignore": "*.log\nbuild/\n", "deep/er/d.txt": "four\n", "run.sh": "#!/bin/sh\n"})
    return checkout


def look(top: Path) -> Look:
    """Path → mode and content (of a link: where it leads) of all there is, `.git` excepted."""
    found: Look = {}
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path == top / ".git":
                continue
            mode = path.lstat().st_mode
            content = os.fsencode(os.readlink(path)) if stat.S_ISLNK(mode) else b""
            found[str(path.relative_to(top))] = (mode, path.read_bytes() if stat.S_ISREG(mode) else content)
    return found


def reused(checkout: Checkout, tmp_path: Path, spoil: object, base: str | None = None) -> tuple[Worktree, Worktree]:
    """A worktree that was spoiled and used again, and a new one beside it."""
    repository = checkout.repository
    pool = Pool(repository, tmp_path / "spares", most=2, enough_files=1)
    first = pool.create(tmp_path / "trees" / "first", checkout.head)
    before = first.path.stat().st_ino
    assert callable(spoil)
    spoil(first)
    pool.remove(first.path)
    assert not first.path.exists()
    again = pool.create(tmp_path / "trees" / "again", base or checkout.head)
    assert again.path.stat().st_ino == before, "it was not used again"
    pool.close()
    assert not (tmp_path / "spares").exists()
    return again, create(repository, tmp_path / "trees" / "new", base or checkout.head)


def assert_same(checkout: Checkout, again: Worktree, new: Worktree) -> None:
    assert look(again.path) == look(new.path)
    for worktree in (again, new):
        assert checkout.git("status", "--porcelain", "--ignored", at=worktree.path) == ""
        assert checkout.git("rev-parse", "HEAD", at=worktree.path) == worktree.base
    assert {path.name for path in again.state_dir.iterdir()} == {path.name for path in new.state_dir.iterdir()}
    assert commit_work(checkout.repository, again, "nothing") is None


def add_files(tree: Worktree) -> None:
    (tree.path / "new.txt").write_text("x")
    (tree.path / "a.log").write_text("ignored")
    (tree.path / "build" / "deep").mkdir(parents=True)
    (tree.path / "build" / "deep" / "object").write_text("ignored")
    (tree.path / "empty" / "er").mkdir(parents=True)
    os.mkfifo(tree.path / "pipe")
    os.mkfifo(tree.path / "deep" / "pipe")


def add_repositories(tree: Worktree) -> None:
    for place in ("inner", "deep", "deep/er"):
        shutil.copytree(tree.state_dir.parent.parent, tree.path / place / ".git", dirs_exist_ok=True, symlinks=True,
                        ignore=shutil.ignore_patterns("worktrees"))  # fmt: skip
    (tree.path / "folder" / ".git").write_text("gitdir: /tmp/elsewhere\n")


def lock(tree: Worktree) -> None:
    (tree.path / "locked" / "in").mkdir(parents=True)
    (tree.path / "locked" / "in" / "file").write_text("x")
    modes = {"locked/in": 0o500, "locked": 0, "deep/er": 0o500, "deep": 0o1777, "folder": 0o2700}
    for place, mode in modes.items():
        (tree.path / place).chmod(mode)
    (tree.path / "a.txt").chmod(0o400)
    (tree.path / "b.txt").chmod(0o777)
    (tree.path / "run.sh").chmod(0o666)
    tree.path.chmod(0o500)


def rewrite_quietly(tree: Worktree) -> None:
    """Same size, same times: only ctime tells."""
    path = tree.path / "a.txt"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"eno")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def lie_in_the_index(tree: Worktree) -> None:
    where = {"GIT_DIR": str(tree.state_dir), "GIT_WORK_TREE": str(tree.path)}
    checkout = Checkout(tree.path)
    (tree.path / "a.txt").write_text("changed\n")
    (tree.path / "added.txt").write_text("added\n")
    checkout.git("add", "--all", environment=where)
    checkout.git("update-index", "--assume-unchanged", "a.txt", environment=where)
    checkout.git("update-index", "--skip-worktree", "added.txt", "b.txt", environment=where)
    (tree.path / "b.txt").unlink()


def rewrite_the_state(tree: Worktree) -> None:
    (tree.path / ".git").unlink()
    (tree.path / ".git" / "hooks").mkdir(parents=True)
    (tree.path / ".git" / "config").write_text("[core]\n\tbare = true\n")
    (tree.state_dir / "config.worktree").write_text("[core]\n\tsparseCheckout = true\n")
    (tree.state_dir / "info").mkdir()
    (tree.state_dir / "info" / "sparse-checkout").write_text("/a.txt\n")
    (tree.state_dir / "hooks").mkdir()
    (tree.state_dir / "HEAD").write_text("ref: refs/heads/main\n")
    (tree.state_dir / "locked").write_text("")
    (tree.state_dir / "index.lock").write_text("")
    (tree.state_dir / "MERGE_HEAD").write_text("")


SPOILERS = (add_files, add_repositories, lock, rewrite_quietly, lie_in_the_index, rewrite_the_state)


@pytest.mark.parametrize("spoil", SPOILERS)
def test_nothing_is_left(checkout: Checkout, tmp_path: Path, spoil: object) -> None:
    assert_same(checkout, *reused(checkout, tmp_path, spoil))


def test_links_out_of_it_lead_nowhere(checkout: Checkout, tmp_path: Path) -> None:
    """Folders and files that were replaced by links: what they lead to is neither read nor changed nor removed."""
    outside = tmp_path / "outside"
    (outside / "er").mkdir(parents=True)
    (outside / "er" / "d.txt").write_text("the user's\n")
    (outside / "mine").write_text("the user's\n")
    outside.chmod(0o751)

    def spoil(tree: Worktree) -> None:
        shutil.rmtree(tree.path / "deep")
        (tree.path / "deep").symlink_to(outside)
        (tree.path / "a.txt").unlink()
        (tree.path / "a.txt").symlink_to(outside / "mine")
        (tree.path / "b.txt").unlink()
        os.link(outside / "mine", tree.path / "b.txt")
        (tree.path / "more").symlink_to(outside)
        shutil.rmtree(tree.path / "folder")
        (tree.path / "folder").write_text("a file now")

    again, new = reused(checkout, tmp_path, spoil)
    assert_same(checkout, again, new)
    assert (outside / "mine").read_text() == (outside / "er" / "d.txt").read_text() == "the user's\n"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o751


def test_it_stands_at_another_commit(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("rm", "-q", "deep/er/d.txt")
    later = checkout.commit({"a.txt": "later\n", "d/new.txt": "new\n"})
    earlier = checkout.git("rev-parse", "HEAD~1")
    checkout.git("reset", "-q", "--hard", earlier)
    assert_same(checkout, *reused(checkout, tmp_path, add_files, later))


def test_small_repositories_and_submodules_are_not_pooled(checkout: Checkout, tmp_path: Path) -> None:
    repository = checkout.repository
    pool = Pool(repository, tmp_path / "spares", most=2)
    tree = pool.create(tmp_path / "trees" / "one", checkout.head)
    pool.remove(tree.path)
    assert not (tmp_path / "spares").exists()
    assert not tree.path.exists()
    checkout.commit({".gitmodules": "[submodule]\n"})
    pool = Pool(repository, tmp_path / "spares", most=2, enough_files=1)
    pool.remove(pool.create(tmp_path / "trees" / "two", checkout.head).path)
    assert not (tmp_path / "spares").exists()


def test_one_that_resists_is_left_out(checkout: Checkout, tmp_path: Path) -> None:
    """The spare is spoiled beyond use: the next worktree is a new one."""
    repository = checkout.repository
    pool = Pool(repository, tmp_path / "spares", most=2, enough_files=1)
    pool.remove(pool.create(tmp_path / "trees" / "one", checkout.head).path)
    for index in (tmp_path / "spares").glob("*.index"):
        index.write_bytes(b"DIRC")
    again = pool.create(tmp_path / "trees" / "two", checkout.head)
    assert (again.path / "a.txt").read_text() == "one\n"
    pool.remove(again.path)
    pool.close()
    remove(repository, tmp_path / "trees" / "none")


def test_what_an_earlier_process_left_is_gone(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "spares" / "1" / "deep").mkdir(parents=True)
    Pool(checkout.repository, tmp_path / "spares", most=2)
    assert not (tmp_path / "spares").exists()
