"""Bad input to `bursar run`: a clear error, the documented exit code, and nothing changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar
from tests.integration.kit import ARGV, PLAN, Ended, Project, open_project, plan, script, settings, task

GOOD = plan(task("One"))
LIMIT_HINT = "\n\nhint: write it like `200k tokens`, `1.5M tokens`, `5 USD` or `0.50 USD`\n"
KNOWN = "\n\nhint: known agents: claude, codex, gemini, opencode, command\n"
CLAUDE_HINT = "\n\nhint: npm install -g @anthropic-ai/claude-code\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for all cases: none of them may change it, so they cannot disturb each other."""
    with contextmanager(open_project)(tmp_path_factory.mktemp("bad"), GOOD, script({})) as made:
        made.more["PATH"] = "/usr/bin:/bin"  # without whatever CLIs this machine has
        yield made


def refused(project: Project, *arguments: str, cwd: Path | None = None) -> Ended:
    """The command has ended, has written nothing to stdout, and has changed nothing."""
    before = _picture(project)
    ended = project.bursar(*arguments, cwd=cwd)
    assert ended.out == ""
    assert _picture(project) == before
    assert project.processes() == []
    assert project.server.requests == 0
    return ended


def _picture(project: Project) -> tuple[object, ...]:
    """The checkout's files with their contents, git's refs and worktrees, and the runs that there are."""
    files = {
        path: path.read_bytes()[:1000]
        for path in project.repo.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    git = [project.git(*words) for words in (["for-each-ref"], ["worktree", "list"], ["status", "--porcelain"])]
    return files, git, sorted(project.state.glob("runs/*"))


def refused_with(project: Project, name: str, content: bytes | str) -> Ended:
    """`bursar run PLAN --trust` with this file instead."""
    start = project.head
    (project.repo / name).write_bytes(content.encode() if isinstance(content, str) else content)
    project.git("commit", "--quiet", "-am", "swap")
    try:
        return refused(project, "run", PLAN, "--trust")
    finally:
        project.git("reset", "--quiet", "--hard", start)


def problems(ended: Ended, project: Project) -> str:
    """What is said of the plan, without its path."""
    assert ended.code == 3
    return ended.err.replace(f"{project.repo / PLAN}", "PLAN").removesuffix("\n")


PLANS: dict[str, tuple[str | bytes, str]] = {
    "front matter that is not YAML": (
        GOOD.replace("plan: 02", "plan: [02"),
        "4:1: front matter is not YAML that can be read: did not find expected ',' or ']'; `plan` is left out",
    ),
    "front matter that is a list": (
        GOOD.replace("phase: 08-features\nplan: 02", "- a"),
        "2:1: front matter is not YAML that can be read: it should be `key: value` lines",
    ),
    "no action": (GOOD.replace("  <action>Write what is due for One.</action>\n", ""), "10:1: task 1 has no action"),
    "no name": (GOOD.replace("  <name>One</name>\n", ""), "10:1: task 1 has no name"),
    "unknown dependency": (
        plan(task("One"), task("Two", 'depends-on="7"')),
        "17:1: task 2 depends on `7`, which is no task of this plan",
    ),
    "circular dependency": (
        plan(task("One", 'depends-on="3"'), task("Two"), task("Three")),
        "10:1: tasks wait for each other: 1 → 3 → 2 → 1",
    ),
    "double number": (
        plan(task("Task 1: One"), task("Task 1: Two")),
        "17:1: task number 1 is taken: line 10 has it already",
    ),
    "empty file": ("", "1:1: there is no `<task>` in this file"),
    "no task": ("---\nphase: 08\nplan: 02\n---\nWords.\n", "1:1: there is no `<task>` in this file"),
    "binary": (b"\x00\x01\x02" * 100, "1:1: is a binary file (it holds a NUL byte)"),
    "not UTF-8": ("---\nphase: 08\n---\nf\xfcr\n".encode("latin-1"), "4:2: is not UTF-8: byte 0xfc"),
}


@pytest.mark.parametrize("case", PLANS)
def test_plan_with_one_problem(project: Project, case: str) -> None:
    content, problem = PLANS[case]
    assert problems(refused_with(project, PLAN, content), project) == f"error: PLAN has a problem:\n  PLAN:{problem}"


def test_plan_of_50_mb(project: Project) -> None:
    """Refused by its size, before it is read."""
    said = problems(refused_with(project, PLAN, b"x" * 50_000_000), project)
    assert said.startswith("error: PLAN has a problem:\n  PLAN:1:1: ")
    assert "large" in said or "big" in said
    assert len(said) < 300


def test_all_problems_at_once(project: Project) -> None:
    text = plan(
        task("Task 1: One", 'depends-on="9"'),
        task("Task 1: Two"),
        task("Three").replace("  <action>Write what is due for Three.</action>\n", ""),
        task("Four", 'model="haiku" estimated-complexity="99"'),
    )
    assert problems(refused_with(project, PLAN, text), project).splitlines() == [
        "error: PLAN has 4 problems:",
        "  PLAN:10:1: task 1 depends on `9`, which is no task of this plan",
        "  PLAN:17:1: task number 1 is taken: line 10 has it already",
        "  PLAN:24:1: task 3 has no action",
        "  PLAN:30:33: estimated-complexity is `99`, not a whole number from 1 to 10",
    ]


BUDGETS = {
    "0": "has no unit",
    "0 tokens": "allows nothing",
    "0.00 USD": "allows nothing",
    "-5": "is not a number with a unit",
    "-5 tokens": "is not a number with a unit",
    "NaN": "is not a number with a unit",
    "NaN tokens": "is not a number with a unit",
    "inf USD": "is not a number with a unit",
    "200": "has no unit",
    "": "is not a number with a unit",
    "1e3 tokens": "is not a number with a unit",
    "1.5 tokens": "is not a whole number of tokens",
    "10 bananas": "has the unknown unit `bananas`",
    "5k USD": "has `k`, which is for tokens only",
}


@pytest.mark.parametrize("budget", BUDGETS)
def test_budget(project: Project, budget: str) -> None:
    ended = refused(project, "run", PLAN, "--trust", f"--budget={budget}")
    assert (ended.code, ended.err) == (2, f"error: the limit `{budget}` {BUDGETS[budget]}{LIMIT_HINT}")


COMMANDS = {
    "run nope.md": (2, "there is no plan at nope.md\n"),
    "run .planning/phases/08-features": (
        2,
        f".planning/phases/08-features is a directory, not a plan\n\nhint: name one of its plans, for example {PLAN}\n",
    ),
    "run .": (2, ". is a directory, not a plan\n\nhint: name a PLAN.md\n"),
    "run 3": (2, "there is no plan at 3\n"),
    "run": (2, "the following arguments are required: PLAN\n\nhint: bursar run --help\n"),
    f"run {PLAN} --bogus": (2, "unrecognized arguments: --bogus\n\nhint: bursar run --help\n"),
    f"run {PLAN} --max-parallel 0": (2, "--max-parallel must be from 1 to 64, not 0\n"),
    f"run {PLAN} --max-parallel 65": (2, "--max-parallel must be from 1 to 64, not 65\n"),
    f"run {PLAN} --max-parallel x": (
        2,
        "argument --max-parallel: invalid int value: 'x'\n\nhint: bursar run --help\n",
    ),
    f"run {PLAN} --agent cursor": (2, f"there is no agent `cursor`{KNOWN}"),
    f"run {PLAN} --agent claude": (6, f"agent `claude` is not installed{CLAUDE_HINT}"),
    "rum": (2, "there is no command `rum`\n\nhint: did you mean `bursar run`?\n"),
    "resume zzzz": (2, "there is no run `zzzz`\n\nhint: bursar status --all\n"),
    "resume": (2, "no run of this project yet\n\nhint: bursar status --all\n"),
    "report": (2, "no run of this project yet\n\nhint: bursar status --all\n"),
    "approve a b": (2, "there is no run `a`\n\nhint: bursar status --all\n"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(project: Project, command: str) -> None:
    ended = refused(project, *command.split())
    code, words = COMMANDS[command]
    assert (ended.code, ended.err) == (code, f"error: {words}")


TOML = {
    "[run\n": (2, "Expected ']' at the end of a table declaration (at line 1, column 5)\n"),
    "[run]\nagent = 5\n": (2, "Expected `str`, got `int` - at `$.run.agent`\n"),
    '[[price]]\nmodel = "x"\ninput = 3.0\n': (
        2,
        'Expected `str`, got `float` - at `$.price[0].input`\n\nhint: amounts are text: "3 USD"\n',
    ),
    "[run]\nagnt = 5\n": (2, "Object contains unknown field `agnt` - at `$.run`\n\nhint: did you mean `agent`?\n"),
    "[sandbox]\nbogus = 5\n": (
        2,
        "Object contains unknown field `bogus` - at `$.sandbox`\n\n"
        "hint: known are enabled, network, readable, writable\n",
    ),
    '[run]\ndefault_hold = "5"\n': (2, f"run.default_hold: the limit `5` has no unit{LIMIT_HINT}"),
    "[budget]\n": (2, "budgets are written as [[budget]] tables\n\nhint: bursar budget check\n"),
    "[run]\nmax_parallel = 99\n": (2, "run.max_parallel must be from 1 to 64, not 99\n"),
    "[run]\nattempt_minutes = 0\n": (2, "run.attempt_minutes must be more than 0 and at most a week, not 0.0\n"),
    "[run]\nverify_minutes = nan\n": (2, "run.verify_minutes must be more than 0 and at most a week, not nan\n"),
    '[agents.claude.models]\nhuge = "x"\n': (2, "agents.claude.models knows small, medium and large, not huge\n"),
}


@pytest.mark.parametrize("toml", TOML)
def test_settings(project: Project, toml: str) -> None:
    ended = refused_with(project, "bursar.toml", toml)
    code, words = TOML[toml]
    assert (ended.code, ended.err) == (code, f"error: {project.repo / 'bursar.toml'}: {words}")


AGENTS = {
    '[run]\nagent = "cursor"\n': (2, f"there is no agent `cursor`{KNOWN}"),
    '[run]\nagent = "command"\n': (
        2,
        'agent `command` needs a program\n\nhint: agents.command.argv = ["my-agent", "{prompt}"]\n',
    ),
    "": (6, f"agent `claude` is not installed{CLAUDE_HINT}"),
    '[agents.claude]\nprogram = "/no/claude"\n': (6, f"agent `/no/claude` is not installed{CLAUDE_HINT}"),
    settings(argv=["/no/such/agent"]): (
        6,
        "agent `/no/such/agent` is not installed\n\nhint: check `agents.command.argv`: its first item is the program\n",
    ),
    settings(argv=ARGV, run='default_hold = "5 USD"'): (
        2,
        'run.default_hold must be in tokens\n\nhint: default_hold = "50k tokens"\n',
    ),
}


@pytest.mark.parametrize("toml", AGENTS)
def test_agent(project: Project, toml: str) -> None:
    ended = refused_with(project, "bursar.toml", toml)
    code, words = AGENTS[toml]
    assert (ended.code, ended.err) == (code, f"error: {words}")


@pytest.mark.parametrize("staged", [False, True])
def test_dirty_checkout(project: Project, staged: bool) -> None:
    (project.repo / "README.md").write_text("changed\n")
    if staged:
        project.git("add", "README.md")
    try:
        ended = refused(project, "run", PLAN, "--trust")
    finally:
        project.git("reset", "--quiet", "--hard")
    assert (ended.code, ended.err) == (
        2,
        "error: the checkout has changes that are not committed:\n  README.md\n\n"
        "hint: commit them, or put them aside with `git stash`\n",
    )


def test_no_repository(project: Project) -> None:
    outside = project.folder / "outside"
    outside.mkdir()
    (outside / "08-02-PLAN.md").write_text(GOOD)
    ended = refused(project, "run", "08-02-PLAN.md", "--trust", cwd=outside)
    assert (ended.code, ended.err) == (
        6,
        f"error: {outside} is not in a git repository with a work tree\n\n"
        "hint: run it inside one, or make one: `git init && git add -A && git commit -m start`\n",
    )


def test_repository_without_a_commit(project: Project) -> None:
    fresh = project.folder / "fresh"
    fresh.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=fresh, env=project.environment, check=True)
    (fresh / "08-02-PLAN.md").write_text(GOOD)
    ended = refused(project, "run", "08-02-PLAN.md", "--trust", cwd=fresh)
    assert (ended.code, ended.err) == (
        2,
        f"error: {fresh} has no commit yet, so there is nothing to start from\n\n"
        "hint: git add -A && git commit -m start\n",
    )


def test_git_is_not_installed(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(project.more, "PATH", str(tmp_path))
    ended = project.bursar("run", PLAN, "--trust")
    assert (ended.code, ended.err) == (6, "error: git is not installed\n\nhint: install git 2.38 or later\n")


def test_no_state_is_made_for_bad_arguments(project: Project) -> None:
    """Whatever is refused before a run begins leaves no file in a state directory that did not exist."""
    fresh = project.folder / "fresh-state"
    project.more["BURSAR_STATE_DIR"] = str(fresh)
    try:
        for arguments in (["--budget", "0"], ["--max-parallel", "0"], ["--agent", "claude"]):
            assert project.bursar("run", PLAN, "--trust", *arguments).code in (2, 6)
    finally:
        del project.more["BURSAR_STATE_DIR"]
    assert not fresh.exists()


def test_state_directory_that_cannot_be_written(project: Project) -> None:
    """A file where the folder should be: refused, with the path."""
    blocked = project.folder / "blocked"
    blocked.write_text("")
    project.more["BURSAR_STATE_DIR"] = str(blocked)
    try:
        ended = project.bursar("run", PLAN, "--trust")
    finally:
        del project.more["BURSAR_STATE_DIR"]
    assert ended.code == 6
    assert str(blocked) in ended.err


def test_names_in_errors_do_not_steer_a_terminal(bursar: Bursar) -> None:
    """They may be those of somebody else's repository."""
    said = bursar("agent", "list", "ev\x1b[31mil\u202e\r")
    assert said.err.startswith("error: there is no agent `ev\\x1b[31mil\\u202e\\r`\n")
