"""Gits that run on between calls: they answer every thread, are replaced when killed, and end when nobody asks."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bursar.processes import descendants
from bursar.worktrees import (
    Merged,
    Repository,
    advance,
    changed_files,
    commit_paths,
    commit_work,
    compose,
    open_repository,
    read_ref,
)
from bursar.worktrees.git import GitFailed
from bursar.worktrees.objects import read_tree, write_commit
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout

REF = "refs/bursar/run1"
PATIENCE = 20.0


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    return make_checkout(tmp_path / "repository")


def change(repository: Repository, base: str, name: str) -> str:
    made = commit_paths(repository, base, {name: b"x\n"}, "change")
    assert made is not None
    return made.commit


def running(checkout: Checkout, command: str) -> list[int]:
    """Our children that are such a git of this repository; other tests may have left some of theirs."""
    return [
        pid
        for pid in descendants(os.getpid())
        if f"\0{command}\0".encode() in arguments_of(pid) and Path(f"/proc/{pid}/cwd").resolve() == checkout.root
    ]


def arguments_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def gone(pid: int) -> bool:
    """Whether the process ended in time; it is no child of ours."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], PATIENCE)[0])
    finally:
        os.close(pidfd)


def replace_git(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """`git` is a script from now on; `$git` in it is the real one."""
    real = shutil.which("git")
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\ngit={real}\n{script}")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_one_process_answers_many_questions(checkout: Checkout) -> None:
    repository = checkout.repository
    one = change(repository, checkout.head, "one")
    first = running(checkout, "cat-file")
    assert changed_files(repository, checkout.head, one) == ("one",)
    assert len(first) == 1
    assert running(checkout, "cat-file") == first


@pytest.mark.parametrize("command", ["cat-file", "hash-object"])
def test_one_that_was_killed_is_replaced(checkout: Checkout, command: str) -> None:
    repository = checkout.repository
    one = change(repository, checkout.head, "one")
    (killed,) = running(checkout, command)
    os.kill(killed, signal.SIGKILL)
    two = change(repository, one, "two")
    assert changed_files(repository, checkout.head, two) == ("one", "two")
    assert killed not in running(checkout, command)


@pytest.mark.parametrize("is_done", [True, False])
def test_a_ref_is_moved_once_also_if_git_is_killed_over_it(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    base, real = checkout.head, checkout.git
    tip = change(checkout.repository, base, "one")
    do = "(echo start; head -n 1; echo commit) | $git update-ref --stdin" if is_done else "head -n 1"
    replace_git(
        tmp_path / "bin",
        monkeypatch,
        f'case "$*" in *"update-ref --stdin") read start; {do}; kill -KILL $$;; *) exec $git "$@";; esac\n',
    )
    repository = open_repository(checkout.root)
    advance(repository, REF, tip, None)
    assert real("rev-parse", REF) == tip
    two = change(repository, tip, "two")
    advance(repository, REF, two, tip)
    assert real("rev-parse", REF) == two


def test_after_a_refusal_the_next_move_is_made(checkout: Checkout) -> None:
    repository, base = checkout.repository, checkout.head
    one = change(repository, base, "one")
    advance(repository, REF, base, None)
    with pytest.raises(GitFailed, match=f"is at {base}"):
        advance(repository, REF, base, one)
    advance(repository, REF, one, base)
    assert read_ref(repository, REF) == one


def test_what_git_cannot_answer_is_said(checkout: Checkout) -> None:
    repository = checkout.repository
    with pytest.raises(GitFailed, match="no such tree"):
        read_tree(repository, "1" * 40)
    with pytest.raises(GitFailed, match="commit-tree"):
        write_commit(repository, "no id", checkout.head, "x")
    assert read_tree(repository, checkout.head).keys() == {b"a.txt", b"b.txt", b"folder"}


@pytest.mark.parametrize("kind", ["tree", "commit"])
def test_what_a_running_git_does_not_take_another_makes(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    refuse = f'case "$*" in *"hash-object -t {kind}"*) exit 128;; *) exec $git "$@";; esac\n'
    replace_git(tmp_path / "bin", monkeypatch, refuse)
    repository, base = open_repository(checkout.root), checkout.head
    one, two = change(repository, base, "one"), change(repository, base, "two")
    joined = compose(repository, one, base, two, "joined")
    assert isinstance(joined, Merged)
    assert changed_files(repository, base, joined.commit) == ("one", "two")
    assert checkout.git("log", "--format=%an %s", f"{base}..{joined.commit}") == "Ada joined\nAda change"


def test_longer_ids_are_no_different(tmp_path: Path, checkout: Checkout) -> None:
    other = Checkout(tmp_path / "sha256")
    other.root.mkdir()
    other.git("init", "--quiet", "--object-format=sha256")
    base = other.commit({"a.txt": "one\n", "folder/b.txt": "two\n"})
    assert len(base) == 64
    repository, worktree = other.repository, other.worktree()
    (worktree.path / "folder" / "c.txt").write_text("three\n")
    made = commit_work(repository, worktree, "three")
    assert made is not None
    joined = compose(repository, change(repository, base, "folder/d.txt"), base, made.commit, "joined")
    assert isinstance(joined, Merged)
    advance(repository, REF, joined.commit, None)
    assert changed_files(repository, base, joined.commit) == ("folder/c.txt", "folder/d.txt")
    other.git("fsck", "--strict")


def test_threads_get_each_their_own_answer(checkout: Checkout) -> None:
    repository, base = checkout.repository, checkout.head
    tree = checkout.git("rev-parse", "HEAD^{tree}")

    def commit(number: int) -> tuple[str, ...]:
        made = write_commit(repository, tree, base, f"number {number}")
        assert changed_files(repository, base, made) == ()
        return made, checkout.git("log", "-1", "--format=%s", made)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(commit, range(40)))
    assert [subject for _, subject in made] == [f"number {number}" for number in range(40)]


def test_they_end_with_the_last_who_could_ask(checkout: Checkout) -> None:
    repository = checkout.repository
    advance(repository, REF, change(repository, checkout.head, "one"), None)
    pids = [pid for command in ("cat-file", "hash-object", "update-ref") for pid in running(checkout, command)]
    assert len(pids) == 3
    del repository
    assert not set(pids) & set(descendants(os.getpid()))


def test_they_end_when_we_are_killed(checkout: Checkout) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from bursar.worktrees import open_repository, changed_files;"
        "from bursar.processes import descendants; repository = open_repository(Path(sys.argv[1]));"
        "changed_files(repository, sys.argv[2], sys.argv[2]); print(*descendants(os.getpid()), flush=True);"
        "signal.pause()"
    )
    argv = [sys.executable, "-c", code, str(checkout.root), checkout.head]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(pids) == 1
    assert all(map(gone, pids))


def test_a_ctrl_c_in_the_terminal_does_not_reach_them(checkout: Checkout) -> None:
    repository = checkout.repository
    read_tree(repository, checkout.head)
    (pid,) = running(checkout, "cat-file")
    assert os.getpgid(pid) != os.getpgrp()


def test_a_commit_is_made_at_the_time_that_the_user_says(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-02-03T04:05:06+0700")
    made = change(checkout.repository, checkout.head, "one")
    assert checkout.git("log", "-1", "--format=%aI", made) == "2001-02-03T04:05:06+07:00"
    assert not checkout.git("log", "-1", "--format=%cI", made).startswith("2001")


def test_messages_are_utf_8_whatever_the_user_writes_in(checkout: Checkout) -> None:
    checkout.git("config", "i18n.commitEncoding", "latin1")
    tree = checkout.git("rev-parse", "HEAD^{tree}")
    made = write_commit(checkout.repository, tree, checkout.head, "feat: Größe 日本")
    assert checkout.git("log", "-1", "--format=%s", "--encoding=utf-8", made) == "feat: Größe 日本"
