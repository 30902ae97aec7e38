"""Trees made of an index without git's `write-tree`, against those that it makes; and where it has to make them."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from bursar.worktrees import Change, Worktree, commit_work
from bursar.worktrees.index_file import parse_index
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout

SEED = int(os.environ.get("BURSAR_SEED", "20261122"))
CASES = 12
PATHS = (
    "a.txt",
    "b.txt",
    "new",
    "folder",
    "folder/c.txt",
    "folder/deep/er/d",
    "folder.x",
    "folder-x/e",
    "a b\nc",
    "\udcff",
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    return make_checkout(tmp_path / "repository")


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which every start of git's `write-tree` is a line, from now on."""
    log, folder = tmp_path / "started", tmp_path / "bin"
    folder.mkdir()
    note = f'case "$*" in *write-tree*) echo x >> {log};; esac\nexec {shutil.which("git")} "$@"\n'
    (folder / "git").write_text(f"#!/bin/sh\n{note}")
    (folder / "git").chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


def tree_by_git(checkout: Checkout, worktree: Worktree) -> str:
    """What git makes of the files, with an index of its own."""
    place = {"GIT_DIR": str(worktree.state_dir), "GIT_WORK_TREE": str(worktree.path)}
    where = WHO | place | {"GIT_INDEX_FILE": str(checkout.root.parent / "index")}
    for arguments in (("read-tree", worktree.base), ("add", "--all")):
        checkout.git(*arguments, at=worktree.path, environment=where)
    return checkout.git("write-tree", at=worktree.path, environment=where)


def tree_of(checkout: Checkout, change: Change | None) -> str:
    return checkout.git("rev-parse", f"{'HEAD' if change is None else change.commit}^{{tree}}")


def work(chance: random.Random, folder: Path) -> None:
    """Something is written, linked, made a program or removed, in the place of whatever was there."""
    path = folder / chance.choice(PATHS)
    above = next((each for each in path.relative_to(folder).parents if (folder / each).is_file()), None)
    for each in (path, *([folder / above] if above else [])):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    match chance.choice(["write", "write", "program", "link", "remove"]):
        case "write":
            path.write_text(chance.choice(["", "one\n", "other\n"]))
        case "program":
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
        case "link":
            path.symlink_to("b.txt")


def test_trees_are_those_that_git_makes(checkout: Checkout, started: Path) -> None:
    for case in range(CASES):
        chance = random.Random(f"{SEED}/{case}")
        worktree = checkout.worktree(f"tree{case}")
        for _ in range(chance.randint(1, 6)):
            work(chance, worktree.path)
        change = commit_work(checkout.repository, worktree, "work")
        assert not started.read_text(), f"seed {SEED}, case {case}"
        assert tree_of(checkout, change) == tree_by_git(checkout, worktree), f"seed {SEED}, case {case}"
        started.write_text("")
    checkout.git("fsck", "--strict")


@pytest.mark.parametrize(
    "setting",
    [("index.version", "4"), ("index.skipHash", "true"), ("core.splitIndex", "true")],
    ids=lambda pair: pair[0],
)
def test_an_index_of_another_form_is_for_git(checkout: Checkout, setting: tuple[str, str]) -> None:
    checkout.git("config", *setting)
    worktree = checkout.worktree()
    (worktree.path / "folder" / "new.txt").write_text("new\n")
    change = commit_work(checkout.repository, worktree, "work")
    assert change is not None
    assert change.files == ("folder/new.txt",)
    assert tree_of(checkout, change) == tree_by_git(checkout, worktree)


def test_a_content_that_is_not_there_becomes_no_commit(checkout: Checkout) -> None:
    """An index that was tampered with, so that git believes it without a look at the file."""
    worktree = checkout.worktree()
    begun = worktree.state_dir / "index.begun"
    content, blob = begun.read_bytes(), bytes.fromhex(checkout.git("rev-parse", "HEAD:a.txt"))
    assert content.count(blob) == 1
    spoilt = content[:-20].replace(blob, b"\x11" * 20)
    begun.write_bytes(spoilt + hashlib.sha1(spoilt).digest())
    later = (worktree.path / "a.txt").stat().st_mtime + 100
    os.utime(begun, (later, later))
    (worktree.path / "b.txt").write_text("changed\n")
    change = commit_work(checkout.repository, worktree, "work")
    assert change is not None
    assert change.files == ("b.txt",)
    assert tree_of(checkout, change) == tree_by_git(checkout, worktree)
    checkout.git("fsck", "--strict", change.commit)


def test_what_git_writes_is_read(checkout: Checkout) -> None:
    listed = checkout.git("ls-files", "--stage", "-z").split("\0")[:-1]
    expected = {path: tuple(facts.split(" ")[:2]) for facts, path in (each.split("\t") for each in listed)}
    files = parse_index((checkout.root / ".git" / "index").read_bytes(), 20)
    assert files is not None
    assert {os.fsdecode(path): (mode.decode(), id_.hex()) for path, (mode, id_) in files.items()} == expected
