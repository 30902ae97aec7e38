"""Runs in a sandbox: real bubblewrap, where it works."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from bursar.testing.script import Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, parallel, plan, script, settings, shell, task, trouble, why_no_sandbox, write

needs_bwrap = pytest.mark.skipif(bool(why_no_sandbox()), reason=f"no sandbox here: {why_no_sandbox()}")


def sandboxed(make: MakeProject, text: str, answers: Script, table: str = "", toml: str | None = None) -> Project:
    """A project whose scripted agent can be seen in a sandbox, and a user with a secret."""
    project = make(text, answers, toml)
    home = project.folder / "home"
    (home / ".config" / "bursar").mkdir(parents=True)
    own = f"[sandbox]\nenabled = true\n{table}\n"
    (home / ".config" / "bursar" / "bursar.toml").write_text(own)
    (home / "secret").write_text("hunter2\n")
    (project.repo / "untracked-secret").write_text("hunter3\n")
    with (project.repo / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("untracked-secret\n")
    project.more["GIT_CONFIG_GLOBAL"] = "/dev/null"
    return project


@needs_bwrap
def test_the_agent_sees_its_work_and_nothing_of_the_user(make_project: MakeProject) -> None:
    looks = (
        'exec 2>&1; cat "$HOME/secret"; cat {repo}/untracked-secret; cat {state}/ledger.db | head -c 9;'
        " echo x > {home}/planted; echo x > {repo}/.git/hooks/pre-commit; git config filter.x.clean evil;"
        " echo x > /usr/planted; echo x > /tmp/planted; ls /proc | grep -c '^[0-9]'; git log --format=%s;"
        " git status --short"
    )
    project = sandboxed(make_project, plan(parallel("One", verify="git log -1 --format=%s")), script({}))
    where = {"repo": project.repo, "state": project.state, "home": project.folder / "home"}
    asks = shell(f"({looks.format(**where)}) > one.txt; cp /tmp/planted two.txt")
    project.server.script = script({1: [asks]})
    ended = project.run()
    assert ended.code == 0, ended.err
    seen = (project.repo / "one.txt").read_text()
    assert "hunter" not in seen
    assert "SQLite" not in seen
    assert seen.splitlines()[-2:] == ["start", "?? one.txt"], "git works"
    assert "Read-only file system" in seen
    assert (project.repo / "two.txt").read_text() == "x\n", "/tmp can be written, and is private"
    assert not (project.folder / "home" / "planted").exists()
    assert not (project.repo / ".git" / "hooks" / "pre-commit").exists()
    assert "filter.x" not in project.git("config", "--list")
    assert not Path("/tmp/planted").exists()
    assert "unsandboxed" not in ended.out
    assert project.report["unsandboxed_attempts"] == 0
    assert ended.metered == project.bill
    project.assert_tidy()


@needs_bwrap
def test_the_agent_can_commit_in_it(make_project: MakeProject) -> None:
    """Its commits, branches, settings and hooks are its own; its work is collected as ever, ignored files that it has
    added included."""
    does = (
        "git checkout -q -b mine; echo one > one.txt; echo kept > out.log; echo lost > other.log;"
        " git add one.txt && git add -f out.log && git commit -q -m mine && git branch second && git config user.x y;"
        ' hooks=$(git rev-parse --git-path hooks); mkdir -p "$hooks"; touch "$hooks/pre-commit";'
        ' common=$(git rev-parse --git-common-dir); touch "$common/bursar-repository/planted";'
        " (git log --format=%s; git status --short --branch; git fsck --no-dangling; git gc -q; git stash list;"
        " git show HEAD~1:README.md; git worktree list | wc -l) > seen.txt 2>&1"
    )
    project = sandboxed(make_project, plan(parallel("One", files="one.txt, out.log, seen.txt")), script({}))
    project.commit({".gitignore": "*.log\n"}, "ignore logs")
    project.server.script = script({1: [shell(does)]})
    before = project.git("for-each-ref"), project.git("config", "--list")
    ended = project.run()
    assert ended.code == 0, ended.err
    seen = (project.repo / "seen.txt").read_text().splitlines()
    assert seen == ["mine", "ignore logs", "start", "## mine", "?? seen.txt", "# mine", "2"]
    assert project.git("show", "--format=", "--name-only", "HEAD~1").split() == ["one.txt", "out.log", "seen.txt"]
    assert (project.git("show", "HEAD:out.log"), project.subjects[1]) == ("kept", "feat(08-02): One")
    refs = project.git("for-each-ref")
    assert refs.split()[1:] == before[0].split()[1:], "no branch of the agent's"
    assert project.git("config", "--list") == before[1]
    assert not (project.repo / ".git" / "hooks" / "pre-commit").exists()
    assert not (project.repo / ".git" / "planted").exists()
    assert not list(project.state.glob("runs/*/attempts/*/git")), "it goes with the attempt"
    project.assert_tidy()


@needs_bwrap
def test_what_it_commits_counts_on_disk(make_project: MakeProject) -> None:
    much = shell("head -c 8000000 /dev/urandom > a && git add a && rm a")
    project = sandboxed(
        make_project,
        plan(parallel("One")),
        script({1: [much, write("b", wait_for="never")]}),
        toml=settings() + '[limits]\ndisk = "4 MB"\n',
    )
    ended = project.run()
    assert ended.code == 1, ended.err
    assert "bytes on disk, where 4,000,000 are allowed" in project.note("1")


@needs_bwrap
def test_verify_commands_are_in_it_too(make_project: MakeProject) -> None:
    """What the agent wrote is run by them: it reaches no more than the agent did, and here not the network either."""
    check = "sh check.sh"
    project = sandboxed(
        make_project, plan(task("One", files="check.sh", verify=check)), script({}), 'network = "agent"'
    )
    connect = f"import socket; socket.create_connection(('127.0.0.1', {project.server.url.rpartition(':')[2]}))"
    lines = [
        f"cat {project.folder}/home/secret && exit 1",
        f'{sys.executable} -c "{connect}" 2>/dev/null && exit 2',
        f"echo x > {project.repo}/planted",
        "touch built-here",
        "exit 0",
    ]
    project.server.script = script({1: [write("check.sh", "\n".join(lines) + "\n")]})
    ended = project.run()
    assert ended.code == 0, (
        ended.err,
        [path.read_text() for path in project.state.glob("runs/*/attempts/*/verify.log")],
    )
    assert not (project.repo / "planted").exists()
    project.assert_tidy()


@needs_bwrap
def test_a_red_verify_command_is_red_in_it(make_project: MakeProject) -> None:
    project = sandboxed(
        make_project, plan(task("One", verify="grep -q never one.txt")), script({1: [write("one.txt")]})
    )
    ended = project.run()
    assert ended.code == 1, ended.err
    assert "verify command failed (exit code 1)" in project.note("1")


@needs_bwrap
def test_a_stop_ends_all_that_is_in_it(make_project: MakeProject) -> None:
    """The agent is told, says how far it came, and what it has started ends with it."""
    steps: list[Step] = [trouble("orphan=600"), write("one.txt", wait_for="never")]
    project = sandboxed(make_project, plan(parallel("One")), script({1: steps}))
    run = project.start_run()
    assert project.server.wait_until_reached("never")
    assert any("sleep" in each.line or "600" in each.line for each in project.agents)
    run.send(signal.SIGINT)
    before = time.monotonic()
    ended = run.end()
    assert ended.code == 130, ended.err
    project.assert_gone()
    assert time.monotonic() - before < 30, "no ladder takes that long"
    assert project.charged >= project.bill
    outcome = json.loads(next(project.state.glob("runs/*/attempts/1-1/outcome.json")).read_text())
    assert (outcome["is_error"], outcome["was_sandboxed"]) == (True, True), "the agent's closing statement was heard"


@needs_bwrap
def test_a_killed_supervisor_takes_all_with_it(make_project: MakeProject) -> None:
    steps: list[Step] = [trouble("orphan=600"), write("one.txt", wait_for="never")]
    project = sandboxed(make_project, plan(parallel("One")), script({1: steps}))
    run = project.start_run()
    assert project.server.wait_until_reached("never")
    supervisor = project.supervisor_of("1")
    os.kill(supervisor, signal.SIGKILL)
    ended = run.end()
    assert ended.code == 5, ended.err
    project.assert_gone()


def test_without_bubblewrap_nothing_runs(make_project: MakeProject) -> None:
    project = make_project(plan(parallel("One")), script({1: [write("one.txt")]}))
    programs = project.folder / "programs"
    programs.mkdir()
    for name in ("git", "sh", "bash", "cat"):
        (programs / name).symlink_to(str(shutil.which(name)))
    project.more["PATH"] = str(programs)
    ended = project.run("--sandbox")
    assert ended.code == 6
    assert "bubblewrap (`bwrap`) is not installed" in ended.err
    assert "hint: apt-get install bubblewrap" in ended.err
    assert project.calls == ()


def test_where_it_does_not_work_its_own_words_are_said(make_project: MakeProject) -> None:
    project = make_project(
        plan(parallel("One")), script({1: [write("one.txt")]}), settings() + "[sandbox]\nenabled = true\n"
    )
    programs = project.folder / "programs"
    programs.mkdir()
    (programs / "bwrap").write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    (programs / "bwrap").chmod(0o755)
    project.more["PATH"] = f"{programs}:{project.environment['PATH']}"
    ended = project.run()
    assert ended.code == 6
    assert "the sandbox does not work here: bwrap: setting up uid map: Permission denied" in ended.err
    assert project.calls == ()
    without = project.run("--no-sandbox")
    assert without.code == 0, without.err
    assert "unsandboxed: agents and verify commands had all of your rights" in without.out
    assert project.report["unsandboxed_attempts"] == 1


def test_a_project_does_not_open_it(make_project: MakeProject) -> None:
    toml = settings() + '[sandbox]\nreadable = ["~/.ssh"]\n'
    ended = make_project(plan(parallel("One")), script({}), toml).run()
    assert ended.code == 2
    assert "`sandbox.readable` is not for a project's file" in ended.err
