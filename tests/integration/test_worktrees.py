"""Attempts' checkouts in real git: made, collected into commits, and gone again."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bursar.errors import SetupError, UserError
from bursar.worktrees import (
    Change,
    Worktree,
    changed_files,
    changed_tracked_files,
    commit_paths,
    commit_work,
    create,
    is_tracked,
    list_files,
    open_repository,
    read_diff,
    read_files,
    read_head,
    remove,
    save_branch,
)
from bursar.worktrees.git import GitFailed
from bursar.worktrees.worktree import MOST_DIFF_BYTES
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout

MESSAGE = "feat(08-02): A task\n\nBursar-Attempt: r/1/1\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    return make_checkout(tmp_path / "a repository with blanks")


def collect(checkout: Checkout, worktree: Worktree) -> Change:
    change = commit_work(checkout.repository, worktree, MESSAGE)
    assert change is not None
    return change


def test_a_worktree_is_a_detached_checkout_of_its_base(checkout: Checkout) -> None:
    base = checkout.head
    checkout.commit({"a.txt": "later\n"})
    worktree = checkout.worktree(base=base)
    assert (worktree.path / "a.txt").read_text() == "one\n"
    assert (worktree.path / "folder" / "c.txt").exists()
    assert checkout.git("rev-parse", "HEAD", at=worktree.path) == base
    assert checkout.git("status", "--porcelain", at=worktree.path) == ""


def test_git_lists_a_worktree_as_one_of_its_own(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    listed = checkout.git("worktree", "list", "--porcelain")
    assert f"worktree {worktree.path}\nHEAD {worktree.base}\ndetached" in listed
    assert checkout.git("worktree", "prune", "--verbose", "--expire=now") == ""
    checkout.git("worktree", "remove", "--force", str(worktree.path))
    assert not worktree.state_dir.exists()


@pytest.mark.parametrize("leftover", ["draft", "folder", "entry"])
def test_what_a_killed_process_left_of_a_worktree(checkout: Checkout, leftover: str) -> None:
    """A draft is written over; a folder or an entry of that name is somebody's, and stays as it is."""
    left = {
        "draft": checkout.root / ".git" / "bursar-worktree-tree" / "HEAD",
        "folder": checkout.root.parent / "worktrees" / "tree" / "somebodys",
        "entry": checkout.root / ".git" / "worktrees" / "tree" / "HEAD",
    }[leftover]
    left.parent.mkdir(parents=True)
    left.write_text("x")
    if leftover == "draft":
        assert (checkout.worktree().path / "a.txt").exists()
    else:
        with pytest.raises(SetupError, match="no worktree can be made at"):
            checkout.worktree()
        assert left.read_text() == "x"
        remove(checkout.repository, checkout.root.parent / "worktrees" / "tree")
        assert (checkout.worktree().path / "a.txt").exists()
    assert not (checkout.root / ".git" / "bursar-worktree-tree").exists()


def test_a_base_that_cannot_be_checked_out_leaves_no_worktree(checkout: Checkout) -> None:
    with pytest.raises(SetupError, match="read-tree"):
        checkout.worktree(base="1" * 40)
    assert not (checkout.root.parent / "worktrees" / "tree").exists()
    assert not (checkout.root / ".git" / "worktrees").exists()


@pytest.mark.parametrize("setting", ["extensions.worktreeConfig", "core.sparseCheckout", "core.sharedRepository"])
def test_where_worktrees_have_more_state_git_makes_them(checkout: Checkout, setting: str) -> None:
    if setting == "core.sparseCheckout":
        checkout.git("sparse-checkout", "set", "--no-cone", "/a.txt")
    checkout.git("config", setting, "true")
    worktree = checkout.worktree()
    assert (worktree.path / "b.txt").exists() == (setting != "core.sparseCheckout")
    (worktree.path / "a.txt").write_text("changed\n")
    assert collect(checkout, worktree).files == ("a.txt",)
    remove(checkout.repository, worktree.path)
    assert not worktree.state_dir.exists()


def test_worktrees_come_and_go_at_once(checkout: Checkout) -> None:
    """While others are made and unmade, none fails, and no git of ours meets half of one."""
    repository, base = checkout.repository, checkout.head

    def come_and_go(number: int) -> None:
        path = checkout.root.parent / "worktrees" / f"tree{number}"
        assert (create(repository, path, base).path / "a.txt").exists()
        save_branch(repository, f"bursar/{number}", base)
        remove(repository, path)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(come_and_go, range(36)))
    assert not (checkout.root / ".git" / "worktrees").exists()


def test_nothing_changed_is_no_commit(checkout: Checkout) -> None:
    assert commit_work(checkout.repository, checkout.worktree(), MESSAGE) is None


def test_everything_that_differs_is_one_commit_on_the_base(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    (worktree.path / "b.txt").unlink()
    (worktree.path / "new" / "deep").mkdir(parents=True)
    (worktree.path / "new" / "deep" / "d.txt").write_text("d\n")
    change = collect(checkout, worktree)
    assert change.files == ("a.txt", "b.txt", "new/deep/d.txt")
    assert checkout.git("log", "-1", "--format=%P|%an|%B", change.commit) == f"{worktree.base}|Ada|{MESSAGE}".strip()
    assert set(checkout.files(change.commit)) == {"a.txt", "folder/c.txt", "new/deep/d.txt"}


def test_nothing_of_the_users_checkout_is_touched(checkout: Checkout) -> None:
    before = (checkout.head, checkout.git("status", "--porcelain"), checkout.git("reflog", "--all"))
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    collect(checkout, worktree)
    remove(checkout.repository, worktree.path)
    assert (checkout.head, checkout.git("status", "--porcelain"), checkout.git("reflog", "--all")) == before


def test_the_agents_own_commits_are_folded_into_the_one(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("first\n")
    checkout.git("commit", "--quiet", "--all", "-m", "the agent's own", at=worktree.path)
    checkout.git("switch", "--quiet", "-c", "agents-branch", at=worktree.path)
    (worktree.path / "b.txt").write_text("second\n")
    change = collect(checkout, worktree)
    assert change.files == ("a.txt", "b.txt")
    assert checkout.git("rev-list", "--count", f"{worktree.base}..{change.commit}") == "1"


def test_a_change_that_the_agent_took_back_is_no_commit(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("first\n")
    checkout.git("commit", "--quiet", "--all", "-m", "the agent's own", at=worktree.path)
    (worktree.path / "a.txt").write_text("one\n")
    assert commit_work(checkout.repository, worktree, MESSAGE) is None


def test_ignored_files_are_left_out(checkout: Checkout) -> None:
    checkout.commit({".gitignore": "*.log\nnode_modules/\n"})
    worktree = checkout.worktree()
    (worktree.path / "noise.log").write_text("x")
    (worktree.path / "node_modules").mkdir()
    (worktree.path / "node_modules" / "x.js").write_text("x")
    (worktree.path / "real.txt").write_text("x")
    assert collect(checkout, worktree).files == ("real.txt",)


def test_modes_links_and_odd_names_are_kept(checkout: Checkout) -> None:
    names = [" blanks and\ttabs ", "ümläut-日本", "a\nnewline", '"quotes"', "-dash", ":(glob)*", "back\\slash"]
    worktree = checkout.worktree()
    for name in names:
        (worktree.path / name).write_text("x")
    (worktree.path / "script.sh").write_text("#!/bin/sh\n")
    (worktree.path / "script.sh").chmod(0o755)
    (worktree.path / "link").symlink_to("/etc/passwd")
    change = collect(checkout, worktree)
    assert set(change.files) == {*names, "script.sh", "link"}
    modes = checkout.files(change.commit)
    assert (modes["script.sh"], modes["link"], modes["-dash"]) == ("100755", "120000", "100644")


def test_a_name_that_is_not_utf_8_is_kept(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    name = b"caf\xe9.txt"
    with open(os.fsencode(worktree.path) + b"/" + name, "wb") as file:
        file.write(b"x")
    assert collect(checkout, worktree).files == (os.fsdecode(name),)


def test_a_git_file_that_points_elsewhere_is_not_believed(checkout: Checkout, tmp_path: Path) -> None:
    other = make_checkout(tmp_path / "other")
    worktree = checkout.worktree()
    (worktree.path / ".git").write_text(f"gitdir: {other.root / '.git'}\n")
    (worktree.path / "a.txt").write_text("changed\n")
    before = (other.head, other.git("status", "--porcelain"))
    change = collect(checkout, worktree)
    remove(checkout.repository, worktree.path)
    assert change.files == ("a.txt",)
    assert (other.head, other.git("status", "--porcelain")) == before
    assert not worktree.path.exists()


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_git_file_that_is_gone_does_not_matter(checkout: Checkout, kind: str) -> None:
    worktree = checkout.worktree()
    (worktree.path / ".git").unlink()
    if kind == "folder":
        checkout.git("init", "--quiet", at=worktree.path)
    (worktree.path / "a.txt").write_text("changed\n")
    assert collect(checkout, worktree).files == ("a.txt",)
    remove(checkout.repository, worktree.path)
    assert str(worktree.path) not in checkout.git("worktree", "list")


def test_a_lock_that_a_killed_git_left_behind_loses_no_work(checkout: Checkout) -> None:
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    (worktree.state_dir / "index.lock").touch()
    assert collect(checkout, worktree).files == ("a.txt",)


@pytest.mark.parametrize("has_commit", [False, True])
def test_a_repository_that_the_agent_made_inside_loses_no_work(checkout: Checkout, has_commit: bool) -> None:
    worktree = checkout.worktree()
    inner = worktree.path / "packages" / "inner"
    inner.mkdir(parents=True)
    (inner / "x.txt").write_text("x\n")
    checkout.git("init", "--quiet", at=inner)
    if has_commit:
        checkout.git("add", "--all", at=inner)
        checkout.git("commit", "--quiet", "-m", "inner", at=inner)
    (worktree.path / "a.txt").write_text("changed\n")
    change = collect(checkout, worktree)
    assert checkout.show(change.commit, "packages/inner/x.txt") == "x"
    assert change.files == ("a.txt", "packages/inner/x.txt")


@pytest.mark.parametrize("where", ["hooks", "settings"])
def test_no_hook_runs(checkout: Checkout, tmp_path: Path, where: str) -> None:
    folder = checkout.root / ".git" / "hooks" if where == "hooks" else tmp_path / "hooks"
    folder.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
    ):
        (folder / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/ran\nexit 1\n")
        (folder / name).chmod(0o755)
    if where == "settings":
        checkout.git("config", "core.hooksPath", str(folder))
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    collect(checkout, worktree)
    commit_paths(checkout.repository, checkout.head, {"x": b"x"}, MESSAGE)
    remove(checkout.repository, worktree.path)
    assert not (tmp_path / "ran").exists()


def test_variables_that_redirect_git_are_not_followed(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    assert collect(checkout, worktree).files == ("a.txt",)


def test_the_users_own_settings_do_not_matter(checkout: Checkout) -> None:
    for key, value in {
        "commit.gpgSign": "true",
        "gpg.program": "/bin/false",
        "status.showUntrackedFiles": "no",
        "diff.renames": "copies",
        "core.quotePath": "true",
        "color.ui": "always",
        "core.pager": "/bin/false",
        "i18n.commitEncoding": "latin1",
    }.items():
        checkout.git("config", key, value)
    worktree = checkout.worktree()
    shutil.move(worktree.path / "a.txt", worktree.path / "é.txt")
    assert collect(checkout, worktree).files == ("a.txt", "é.txt")


def test_without_an_identity_bursar_signs_with_its_own_name(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in WHO:
        monkeypatch.delenv(name)
    checkout.git("config", "user.useConfigOnly", "true")
    worktree = checkout.worktree()
    (worktree.path / "a.txt").write_text("changed\n")
    change = collect(checkout, worktree)
    assert checkout.git("log", "-1", "--format=%an %ae %cn", change.commit) == "bursar bursar@localhost bursar"


def test_files_can_be_committed_without_a_checkout(checkout: Checkout) -> None:
    contents = {"a.txt": b"new\n", "deep/ü.md": b"\x00\xff", "with blank": b""}
    change = commit_paths(checkout.repository, checkout.head, contents, MESSAGE)
    assert change is not None
    assert change.files == ("a.txt", "deep/ü.md", "with blank")
    assert checkout.git("status", "--porcelain") == ""
    assert checkout.show(change.commit, "b.txt") == "two"


def test_the_same_contents_are_no_commit(checkout: Checkout) -> None:
    assert commit_paths(checkout.repository, checkout.head, {"a.txt": b"one\n"}, MESSAGE) is None


def test_committing_files_leaves_nothing_behind_also_when_it_fails(checkout: Checkout) -> None:
    before = sorted(os.listdir(checkout.root / ".git"))
    with pytest.raises(SetupError):
        commit_paths(checkout.repository, checkout.head, {"../outside": b"x"}, MESSAGE)
    commit_paths(checkout.repository, checkout.head, {"x": b"x"}, MESSAGE)
    assert set(os.listdir(checkout.root / ".git")) - set(before) <= {"bursar-worktrees.lock"}


@pytest.mark.parametrize("state", ["whole", "folder gone", "git file gone", "entry gone", "both gone", "locked"])
def test_a_removed_worktree_leaves_no_trace(checkout: Checkout, state: str) -> None:
    worktree = checkout.worktree()
    (worktree.path / "untracked").write_text("x")
    if state in {"folder gone", "both gone"}:
        shutil.rmtree(worktree.path)
    if state == "git file gone":
        (worktree.path / ".git").unlink()
    if state in {"entry gone", "both gone"}:
        shutil.rmtree(worktree.state_dir)
    if state == "locked":
        checkout.git("worktree", "lock", str(worktree.path))
    remove(checkout.repository, worktree.path)
    assert not worktree.path.exists()
    assert checkout.git("worktree", "list", "--porcelain").count("worktree ") == 1
    checkout.worktree()  # the name is free again


def test_removing_touches_no_worktree_of_the_users(checkout: Checkout, tmp_path: Path) -> None:
    """One of theirs lies on a disk that is not there now; git would prune it if asked."""
    checkout.git("worktree", "add", "--quiet", "-b", "theirs", str(tmp_path / "theirs"))
    shutil.move(tmp_path / "theirs", tmp_path / "unplugged")
    worktree = checkout.worktree()
    (worktree.path / ".git").unlink()
    remove(checkout.repository, worktree.path)
    assert str(tmp_path / "theirs") in checkout.git("worktree", "list")


def test_removing_a_path_without_a_name_removes_nothing(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.worktree().path)
    remove(checkout.repository, Path())
    assert (Path.cwd() / "a.txt").exists()


def test_two_commits_are_compared_by_path(checkout: Checkout) -> None:
    before = checkout.head
    checkout.git("mv", "a.txt", "z.txt")
    after = checkout.commit({"ü\n.txt": "x"})
    assert set(changed_files(checkout.repository, before, after)) == {"a.txt", "z.txt", "ü\n.txt"}


def test_a_repository_is_found_from_any_folder_in_it(checkout: Checkout) -> None:
    repository = open_repository(checkout.root / "folder")
    assert (repository.root, repository.common_dir) == (checkout.root, checkout.root / ".git")


def test_a_worktree_of_the_users_shares_the_common_folder(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("worktree", "add", "--quiet", "-b", "theirs", str(tmp_path / "theirs"))
    repository = open_repository(tmp_path / "theirs")
    assert (repository.root, repository.common_dir) == (tmp_path / "theirs", checkout.root / ".git")


def test_where_the_checkout_stands(checkout: Checkout) -> None:
    assert (read_head(checkout.repository).commit, read_head(checkout.repository).branch) == (checkout.head, "main")
    checkout.git("switch", "--quiet", "-c", "feature/x")
    checkout.git("tag", "feature/x")  # git itself would now say `heads/feature/x`
    assert read_head(checkout.repository).branch == "feature/x"
    checkout.git("switch", "--quiet", "--detach")
    assert read_head(checkout.repository).branch is None


def test_dirty_is_what_git_tracks(checkout: Checkout) -> None:
    assert changed_tracked_files(checkout.repository) == []
    checkout.write({"untracked": "x"})
    assert changed_tracked_files(checkout.repository) == []
    checkout.write({"a.txt": "changed", "folder/ü b": "x"})
    checkout.git("add", "folder")
    assert sorted(changed_tracked_files(checkout.repository)) == ["a.txt", "folder/ü b"]


def test_a_rename_is_dirty_and_both_names_can_be_read(checkout: Checkout) -> None:
    checkout.git("mv", "a.txt", "renamed.txt")
    assert set(changed_tracked_files(checkout.repository)) <= {"renamed.txt", "a.txt"}
    assert "renamed.txt" in changed_tracked_files(checkout.repository)


def test_what_is_tracked(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write({"untracked": "x"})
    tracked = [is_tracked(checkout.repository, checkout.root / name) for name in ("a.txt", "untracked", "missing")]
    assert tracked == [True, False, False]
    assert not is_tracked(checkout.repository, tmp_path / "elsewhere")


def test_no_commit_yet_is_for_the_user_to_fix(tmp_path: Path, checkout: Checkout) -> None:
    empty = Checkout(tmp_path / "empty")
    empty.root.mkdir()
    empty.git("init", "--quiet")
    with pytest.raises(UserError, match="no commit yet"):
        read_head(empty.repository)


@pytest.mark.parametrize("kind", ["folder", "missing", "file", "bare", "inside .git"])
def test_what_is_no_repository_is_for_the_user_to_fix(checkout: Checkout, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
    elif kind == "file":
        place.write_text("x")
    elif kind == "bare":
        checkout.git("clone", "--quiet", "--bare", ".", str(place))
    elif kind == "inside .git":
        place = checkout.root / ".git"
    with pytest.raises(SetupError):
        open_repository(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_path_with_a_line_break_is_refused(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "a\nb")
    with pytest.raises(SetupError, match="has a line break in it"):
        open_repository(checkout.root)


def test_a_path_with_any_other_sign_is_a_path(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / 'a\x85b\u2028c\x0c "d" \\e')
    repository = checkout.repository
    assert repository.root == checkout.root
    worktree = create(repository, tmp_path / "worktrees" / "one", checkout.head)
    (worktree.path / "new.txt").write_text("new\n")
    change = commit_work(repository, worktree, "work")
    assert change is not None
    assert change.files == ("new.txt",)


def test_a_repository_of_somebody_elses_is_refused_in_gits_own_words(checkout: Checkout) -> None:
    for path in (checkout.root, checkout.root / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(SetupError, match="dubious ownership") as refused:
        open_repository(checkout.root)
    assert "safe.directory" in (refused.value.hint or "")


def test_without_git_there_is_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="git is not installed"):
        open_repository(tmp_path)


def test_files_of_a_commit_are_read_without_a_checkout(checkout: Checkout) -> None:
    first = checkout.head
    checkout.commit({"docs/one two.md": "ä\n", "docs/deeper/x.md": "x\n"})
    head = checkout.head
    assert list_files(checkout.repository, head, "docs") == ("one two.md",)
    assert list_files(checkout.repository, head, "docs/deeper") == ("x.md",)
    assert list_files(checkout.repository, first, "docs") == list_files(checkout.repository, head, "nowhere") == ()
    asked = ["docs/one two.md", "docs", "nowhere.md", "../a.txt", "/etc/passwd", "a\nb", "docs/deeper/x.md"]
    assert read_files(checkout.repository, head, asked) == {
        "docs/one two.md": "ä\n".encode(),
        "docs/deeper/x.md": b"x\n",
    }
    assert read_files(checkout.repository, first, asked) == {}


def test_of_a_large_change_the_beginning_is_read(checkout: Checkout) -> None:
    """An agent may have written gigabytes; who is shown them sees a page."""
    base = checkout.head
    many = checkout.commit({f"many/{number:03}.txt": "a line of text\n" * 2_000 for number in range(60)})
    said = read_diff(checkout.repository, base, many)
    assert len(said) == MOST_DIFF_BYTES
    assert said.startswith("diff --git a/many/000.txt b/many/000.txt\n")
    large = checkout.commit({"large.txt": "a line of text\n" * 100_000, "small.txt": "small\n"})
    said = read_diff(checkout.repository, many, large)
    assert "Binary files /dev/null and b/large.txt differ" in said
    assert "+small" in said
    with pytest.raises(GitFailed):
        read_diff(checkout.repository, base, "nothing")
