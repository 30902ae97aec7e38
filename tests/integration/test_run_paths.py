"""Paths that lead out of the worktree, from the plan or made by the agent: nothing of ours follows them."""

from __future__ import annotations

from tests.integration.conftest import MakeProject
from tests.integration.kit import parallel, plan, script, shell, task


def test_paths_of_the_plan_are_words(make_project: MakeProject) -> None:
    """Files outside that a plan says are due are neither read nor written, and no work that lies there is taken in."""
    due = "../escape.txt, /tmp/escape-of-bursar.txt, one.txt, ../../../../home/secret"
    project = make_project(plan(task("One", files=due)), script({1: [shell("echo done > one.txt")]}))
    (project.folder / "home" / "secret").write_text("hunter2\n")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("show", "--format=", "--name-only", "HEAD~1") == "one.txt"
    project.assert_tidy()


def test_a_folder_that_became_a_link_is_taken_as_a_link(make_project: MakeProject) -> None:
    project = make_project(plan(task("One", files="src/a.txt, src")), script({}))
    outside = project.folder / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("the user's\n")
    (outside / "secret").write_text("hunter2\n")
    project.commit({"src/a.txt": "a\n"}, "a source")
    project.server.script = script({1: [shell(f"rm -rf src && ln -s {outside} src")]})
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.git("ls-tree", "-r", "--name-only", "HEAD", "src") == "src"
    assert "hunter2" not in project.git("log", "-p", "--all")
    assert sorted(path.name for path in outside.iterdir()) == ["a.txt", "secret"]
    project.assert_gone()


def test_a_worktree_that_was_swapped_is_not_followed(make_project: MakeProject) -> None:
    """Where the worktree was stands a link to the user's checkout: none of the user's files are taken in or removed."""
    project = make_project(plan(parallel("One", verify="touch ran-here")), script({}))
    (project.repo / "untracked").write_text("hunter2\n")
    swap = f'here=$(pwd); cd /; rm -rf "$here"; ln -s {project.repo} "$here"'
    project.server.script = script({1: [shell(swap)]})
    ended = project.run()
    assert ended.code == 1, ended.err
    assert "was replaced by a link" in project.note("1")
    assert (project.repo / "untracked").read_text() == "hunter2\n"
    assert not (project.repo / "ran-here").exists()
    assert "hunter2" not in project.git("log", "-p", "--all")
    assert project.git("status", "--porcelain") == "?? untracked"


def test_hooks_and_aliases_that_the_agent_has_written_never_run(make_project: MakeProject) -> None:
    plant = (
        "common=$(git rev-parse --git-common-dir);"
        " for hook in pre-commit post-checkout post-merge reference-transaction post-index-change"
        " commit-msg prepare-commit-msg pre-merge-commit; do"
        " printf '#!/bin/sh\\necho x >> {trace}\\n' > $common/hooks/$hook; chmod +x $common/hooks/$hook; done;"
        " git config core.hooksPath $common/hooks; git config core.fsmonitor 'touch {trace}';"
        " git config filter.evil.clean 'touch {trace}; cat'; git config filter.evil.smudge 'touch {trace}; cat';"
        " git config merge.evil.driver 'touch {trace}'; git config alias.add '!touch {trace}';"
        " git config core.pager 'touch {trace}'; git config gpg.program {trace}; git config commit.gpgsign true;"
        " git config core.sshCommand 'touch {trace}';"
        " rm -f {trace}; echo '* filter=evil merge=evil' > .gitattributes; echo one > one.txt; rm -f {trace}"
    )
    text = plan(parallel("One", verify="test -e one.txt"), task("Two", 'depends-on="1"'))
    project = make_project(text, script({}))
    trace = project.folder / "trace"
    project.server.script = script({1: [shell(plant.format(trace=trace))], 2: [shell("echo two > two.txt")]})
    ended = project.run()
    assert ended.code == 0, ended.err
    assert not trace.exists()
    assert (project.repo / "two.txt").exists()
