"""Repositories that are not plain: shallow, sparse, with filters such as those of LFS, with submodules."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, parallel, plan, script, shell, task, write


def replace_by_clone(project: Project, *arguments: str) -> None:
    """The project's repository is a clone of what it was."""
    origin = project.folder / "origin"
    project.repo.rename(origin)
    subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "clone", "--quiet", *arguments, f"file://{origin}", project.repo],
        env=project.environment,
        check=True,
    )


def test_a_shallow_clone(make_project: MakeProject) -> None:
    project = make_project(plan(task("One"), parallel("Two")), script({1: [write("one.txt")], 2: [write("two.txt")]}))
    for number in range(3):
        project.commit({"README.md": f"{number}\n"}, f"more {number}")
    replace_by_clone(project, "--depth", "1")
    assert project.git("rev-parse", "--is-shallow-repository") == "true"
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("rev-list", "--count", "HEAD") == "4"  # the one there is, two tasks, the summary
    assert project.git("rev-parse", "--is-shallow-repository") == "true"
    project.assert_tidy()


def test_a_partial_clone(make_project: MakeProject) -> None:
    """What is missing is fetched when it is needed: here the version that a task's work is compared with."""
    project = make_project(plan(task("One", files="src/a.txt")), script({1: [write("src/a.txt")]}))
    project.commit({"src/a.txt": "a\n"}, "files")
    project.commit({"src/a.txt": "b\n"}, "more")
    project.git("config", "uploadpack.allowFilter", "true")
    replace_by_clone(project, "--filter=blob:none")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("show", "HEAD:src/a.txt") == "done"
    project.assert_tidy()


def test_a_sparse_checkout(make_project: MakeProject) -> None:
    """Agents see what the user sees; what they write elsewhere is kept all the same."""
    due = "other/two.txt"
    project = make_project(
        plan(task("One", files="src/one.txt"), task("Two", files=due)),
        script({1: [write("src/one.txt")], 2: [write(due), shell("ls -a . other; test ! -e other/old.txt")]}),
    )
    project.commit({"src/a.txt": "a\n", "other/old.txt": "old\n"}, "files")
    project.git("sparse-checkout", "set", "src", ".planning")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("show", "HEAD:other/two.txt") == "done"
    assert project.git("show", "HEAD:other/old.txt") == "old"
    assert not (project.repo / "other/old.txt").exists()
    project.assert_tidy()


def test_a_filter_that_keeps_contents_elsewhere(make_project: MakeProject) -> None:
    """As LFS does: the repository has pointers, and work trees have contents."""
    project = make_project(
        plan(task("One", files="new.bin")),
        script({1: [shell("grep -q original old.bin && printf big > new.bin")]}),
    )
    keep = project.folder / "objects"
    keep.mkdir()
    script_ = keep / "clean.sh"
    script_.write_text(
        f"cat > {keep}/$$\nname=$(sha256sum < {keep}/$$ | cut -c1-64)\nmv {keep}/$$ {keep}/$name\necho $name\n"
    )
    project.git("config", "filter.store.clean", f"sh {script_}")
    project.git("config", "filter.store.smudge", f"cat {keep}/$(cat)")
    project.git("config", "filter.store.required", "true")
    project.commit({".gitattributes": "*.bin filter=store\n", "old.bin": "original"}, "big files")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert len(project.git("show", "HEAD:new.bin")) == 64, "a pointer"
    assert (project.repo / "new.bin").read_text() == "big"
    project.assert_tidy()


def commit_all(folder: Path, environment: Mapping[str, str], message: str, files: Mapping[str, str]) -> None:
    """A commit in a repository at `folder`, which is made if there is none."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", message]):
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)


def add_submodule(project: Project, folder: Path, source: Path, path: str) -> None:
    """The repository at `folder` has `source` as a submodule, checked out."""
    add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), path]
    for arguments in (add, ["commit", "-q", "-m", f"add {path}"]):
        subprocess.run(["git", *arguments], cwd=folder, env=project.environment, check=True)


def with_library(project: Project) -> None:
    """`vendor/library` is a submodule with a submodule of its own, `inner`."""
    inner, library = project.folder / "inner", project.folder / "library"
    commit_all(inner, project.environment, "inner", {"deep.txt": "deep\n"})
    commit_all(library, project.environment, "library", {"lib.txt": "library\n", ".gitignore": "build\n"})
    add_submodule(project, library, inner, "inner")
    add_submodule(project, project.repo, library, "vendor/library")
    update = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive"]
    subprocess.run(["git", *update], cwd=project.repo, env=project.environment, check=True)


def test_files_of_submodules_are_there(make_project: MakeProject) -> None:
    """Those of submodules inside submodules too; what is ignored there may be made."""
    seen = shell("cat vendor/library/lib.txt vendor/library/inner/deep.txt > seen.txt; touch vendor/library/build")
    project = make_project(plan(task("One", files="seen.txt")), script({1: [seen]}))
    with_library(project)
    before = project.git("rev-parse", "HEAD:vendor/library")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("show", "HEAD:seen.txt") == "library\ndeep"
    assert project.git("rev-parse", "HEAD:vendor/library") == before
    project.assert_tidy()


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("echo new > vendor/library/new.txt", "vendor/library/new.txt"),
        ("rm -r vendor/library", "vendor/library"),
        pytest.param("echo more >> vendor/library/lib.txt", "vendor/library/lib.txt", marks=pytest.mark.faults),
        pytest.param("rm vendor/library/inner/deep.txt", "vendor/library/inner/deep.txt", marks=pytest.mark.faults),
        pytest.param("git init -q vendor/library", "vendor/library", marks=pytest.mark.faults),
    ],
)
def test_a_change_in_a_submodule_is_refused_and_kept(make_project: MakeProject, command: str, changed: str) -> None:
    """It cannot be a commit here: it is said where it lies, and the other tasks go on."""
    steps = {1: [shell(command), write("one.txt")], 2: [write("two.txt")]}
    project = make_project(plan(task("One"), parallel("Two")), script(steps))
    with_library(project)
    ended = project.run()
    assert ended.code == 1
    assert project.states == {"1": "failed", "2": "merged"}
    said, _, kept = project.note("1").partition("; what the agent left is in ")
    assert said.startswith(f"files of a submodule were changed, and bursar makes no commits in submodules: {changed}")
    assert (Path(kept) / "one.txt").read_text() == "done\n"
    project.bursar("resume", "--trust")
    assert (Path(kept) / "one.txt").read_text() == "done\n", "a resume leaves it there"
    assert f"git worktree remove --force {kept}" in project.bursar("doctor", "--clean").out
    assert project.git("status", "--porcelain") == ""


def test_a_submodule_that_is_not_checked_out_stays_empty(make_project: MakeProject) -> None:
    steps = {1: [shell("ls vendor/library > seen.txt")]}
    project = make_project(plan(task("One", files="seen.txt")), script(steps))
    with_library(project)
    project.git("submodule", "--quiet", "deinit", "--all")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("show", "HEAD:seen.txt") == ""
    project.assert_tidy()
