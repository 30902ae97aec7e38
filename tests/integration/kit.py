"""A place to run `bursar` in as a person would: a repository, a HOME, a state directory, a plan, a fake model server.

Nothing of bursar runs in the test's process: what is checked is what the command says, what git has, and what the
model server billed.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bursar.testing.model_server import ModelServer, ServedCall
from bursar.testing.script import DEFAULT_USAGE, Script, Step, ToolCall
from bursar.usage import Usage

BURSAR = Path(sys.executable).with_name("bursar")
PLAN = ".planning/phases/08-features/08-02-PLAN.md"
SUMMARY = ".planning/phases/08-features/08-02-SUMMARY.md"
CALL_TOKENS = DEFAULT_USAGE.total_tokens
ONE_ATTEMPT = "attempts = 1"
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-5", "large": "claude-opus-4-5"}
ARGV = [
    sys.executable, "-m", "bursar.testing.scripted_agent", "-p", "--output-format", "stream-json", "--verbose",
    "--include-partial-messages", "--model", "{model}", "--session-id", "{session_id}",
]  # fmt: skip
VARIABLES = ["BURSAR_TROUBLE", "PYTHONPATH", "ODD"]  # of the test's environment, which the scripted agent needs
PATIENCE = 60.0


def settings(
    models: Mapping[str, str] = MODELS, argv: Sequence[str] = ARGV, run: str = "", routing: str = ONE_ATTEMPT
) -> str:
    """A `bursar.toml` with the scripted agent; JSON strings are TOML strings. By default a failure is the end."""
    table = ", ".join(f"{tier} = {json.dumps(model)}" for tier, model in models.items())
    agent = f"argv = {json.dumps(list(argv))}\nmodels = {{{table}}}\nenv = {json.dumps(VARIABLES)}\n"
    return f'[run]\nagent = "command"\n{run}\n[agents.command]\n{agent}[routing]\n{routing}\n'


def task(name: str, attributes: str = "", *, files: str | None = None, verify: str = "", metrics: str = "") -> str:
    """A `<task>` element that is due to write `files` (by default one named after the task)."""
    due = f"{slug(name)}.txt" if files is None else files
    return (
        f'<task type="auto"{" " + attributes if attributes else ""}>\n  <name>{name}</name>\n  <files>{due}</files>\n'
        f"  <action>Write what is due for {name}.</action>\n"
        + (f"  <verify><automated>{verify}</automated></verify>\n" if verify else "")
        + (f"  <metrics>{metrics}</metrics>\n" if metrics else "")
        + "  <done>It is there.</done>\n</task>\n"
    )


def parallel(name: str, **rest: Any) -> str:
    """A task that waits for nothing."""
    return task(name, 'parallel="can-parallelize"', **rest)


def plan(*tasks: str) -> str:
    """A whole plan around task elements."""
    front = "---\nphase: 08-features\nplan: 02\n---\n"
    return (
        f"{front}\n<objective>Users can have a profile.</objective>\n\n<tasks>\n\n" + "\n".join(tasks) + "\n</tasks>\n"
    )


def slug(name: str) -> str:
    """A file name that stands for a task's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def write(path: str, content: str = "done\n", **rest: Any) -> Step:
    """The model asks for a file to be written."""
    return Step(text="Writing.", tools=(ToolCall("Write", {"file_path": path, "content": content}),), **rest)


def trouble(words: str, **rest: Any) -> Step:
    """The scripted agent makes trouble."""
    return Step(tools=(ToolCall("Trouble", {"do": words}),), **rest)


def shell(command: str, **rest: Any) -> Step:
    """The model asks for a shell command."""
    return Step(tools=(ToolCall("Bash", {"command": command, "description": "run"}),), **rest)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def metered(self) -> int:
        """What the report says was metered."""
        found = re.search(r"^metered ([\d,]+) tokens", self.out, re.MULTILINE)
        assert found, self
        return int(found[1].replace(",", ""))


@dataclass
class Command:
    """A command that runs; its output goes to files, so that nobody has to listen."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = PATIENCE) -> Ended:
        """It has ended."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running; it said: {self.err.read_text()}") from None
        return Ended(code, self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8"))

    def wait_until_said(self, words: str) -> None:
        """It has said this on stderr. Fails if it ends before."""
        while words not in self.err.read_text(encoding="utf-8"):
            try:
                self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            assert words in self.err.read_text(encoding="utf-8"), "it ended without saying so"

    def kill(self) -> None:
        """kill −9, and it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a project: what it is by its command line, its parent, and its mark."""

    pid: int
    parent: int
    line: str
    attempt: str

    @property
    def is_spawner_or_supervisor(self) -> bool:
        return "bursar.supervision.spawner" in self.line


@dataclass
class Project:
    """One repository with all that belongs to it, under `folder`."""

    folder: Path
    server: ModelServer
    more: dict[str, str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        """All that a command sees of this machine."""
        who = {f"GIT_{role}_{part}": "Ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "BURSAR_STATE_DIR": str(self.state),
            "ANTHROPIC_BASE_URL": self.server.url,
            "ANTHROPIC_API_KEY": "dummy",
        }
        return own | who | self.more

    def prepare(self, text: str, toml: str | None = None) -> None:
        """A repository with one commit: the plan, the settings and a file of the user's."""
        for name in ("home", "tmp", "repo"):
            (self.folder / name).mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit({PLAN: text, "bursar.toml": settings() if toml is None else toml, "README.md": "# mine\n"}, "start")

    def commit(self, files: Mapping[str, str], message: str) -> str:
        """The user commits these files; the commit's id."""
        for name, content in files.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "--", *files)
        self.git("commit", "--quiet", "-m", message)
        return self.head

    def git(self, *arguments: str) -> str:
        """What git answers in the user's checkout."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.repo, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def subjects(self) -> list[str]:
        """First lines of the commits since the first one, oldest first."""
        return self.git("log", "--reverse", "--format=%s").splitlines()[1:]

    def start(self, *arguments: str, cwd: Path | None = None) -> Command:
        """`bursar …` runs."""
        number = len(self.commands)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                [BURSAR, *arguments],
                cwd=cwd or self.repo,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        self.commands.append(Command(process, out, err))
        return self.commands[-1]

    def bursar(self, *arguments: str, cwd: Path | None = None) -> Ended:
        """`bursar …` has ended, and not with a traceback."""
        ended = self.start(*arguments, cwd=cwd).end()
        assert "Traceback" not in ended.err, ended.err
        return ended

    def run(self, *arguments: str) -> Ended:
        """`bursar run PLAN --trust …` has ended."""
        return self.bursar("run", PLAN, "--trust", *arguments)

    def start_run(self, *arguments: str) -> Command:
        """`bursar run PLAN --trust …` runs."""
        return self.start("run", PLAN, "--trust", *arguments)

    @property
    def report(self) -> Mapping[str, Any]:
        """`bursar report --json` of the newest run."""
        report: Mapping[str, Any] = json.loads(self.bursar("report", "--json").out)
        return report

    @property
    def charged(self) -> int:
        """Tokens charged by the newest run: metered, and for unknown outcomes."""
        report = self.report
        return int(report["metered_tokens"]) + int(report["unknown_outcome_tokens"])

    @property
    def states(self) -> dict[str, str]:
        """State of each task of the newest run."""
        return {each["number"]: each["state"] for each in self.report["tasks"]}

    def note(self, number: str) -> str:
        """What the journal says about a task of the newest run."""
        return next(str(each["note"]) for each in self.report["tasks"] if each["number"] == number)

    @property
    def bill(self) -> int:
        """Tokens that the model server billed."""
        return self.server.billed().total_tokens

    @property
    def calls(self) -> tuple[ServedCall, ...]:
        return self.server.calls

    def calls_of(self, number: int) -> int:
        """How many calls were made for a task."""
        return sum(1 for call in self.server.calls if call.task == f"# Task {number}:")

    def processes(self) -> list[Process]:
        """Whatever runs on behalf of this project, zombies excepted: its temporary folder is nobody else's."""
        mark = f"TMPDIR={self.folder / 'tmp'}".encode()
        return [found for pid in _pids() if (found := _look_at(pid, mark)) is not None]

    @property
    def agents(self) -> list[Process]:
        """Processes of agents and of what they started."""
        return [each for each in self.processes() if each.attempt]

    @property
    def spawner(self) -> Process:
        """The one that is no supervisor: it leads a session and its parent is not of its kind."""
        found = [each for each in self.processes() if each.is_spawner_or_supervisor]
        pids = {each.pid for each in found}
        (spawner,) = [each for each in found if each.parent not in pids]
        return spawner

    @property
    def supervisors(self) -> list[Process]:
        spawner = self.spawner.pid
        return [each for each in self.processes() if each.is_spawner_or_supervisor and each.parent == spawner]

    def supervisor_of(self, number: str) -> int:
        """The pid that claimed the task's newest attempt."""
        claims = sorted(self.state.glob(f"runs/*/attempts/{number}-*/supervisor"))
        return int(claims[-1].read_text().partition("/")[0])

    def assert_gone(self) -> None:
        """Nothing runs any more; what is just ending may take its time."""
        for each in self.processes():
            wait_for_exit(each.pid)
        assert self.processes() == []

    def assert_tidy(self) -> None:
        """No change and no leftover: neither in the checkout nor in git's lists nor among the processes."""
        assert self.git("status", "--porcelain") == ""
        assert self.git("worktree", "list").count("\n") == 0
        assert self.git("for-each-ref", "refs/bursar") == ""
        assert list(self.state.glob("runs/*/worktrees/*")) == []
        self.assert_gone()
        self.assert_books()

    def assert_books(self) -> None:
        """The ledger follows from its entries, and nothing is held."""
        assert self.bursar("ledger", "verify").code == 0
        assert all(budget["reserved"] == 0 for budget in self.report["budgets"])

    def finish(self) -> None:
        """Everything that a failed test left running is killed; what was said is shown where a test fails."""
        for command in self.commands:
            print(f"--- {command.process.args!r}\n{command.out.read_text()[:2000]}{command.err.read_text()[:4000]}")
            if command.process.poll() is None:
                command.kill()
        for each in self.processes():
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)


def script(steps: Mapping[int, Sequence[Step]]) -> Script:
    """What the model does for each task, by number."""
    return Script.of({f"# Task {number}:": list(each) for number, each in steps.items()})


def writers(*names: str) -> Script:
    """Each task, in order, writes the file that it is due to write."""
    return script({number: [write(f"{slug(name)}.txt")] for number, name in enumerate(names, 1)})


def open_project(folder: Path, text: str, answers: Script, toml: str | None = None) -> Iterator[Project]:
    """A prepared project with its server; afterwards nothing of it runs."""
    with ModelServer(answers, keep_requests=True) as server:
        project = Project(folder, server)
        project.prepare(text, toml)
        try:
            yield project
        finally:
            project.finish()


@lru_cache(maxsize=1)
def why_no_sandbox() -> str:
    """Why bubblewrap cannot be used here; empty where it can."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    words = [program, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--", "true"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    return ended.stderr.strip() if ended.returncode else ""


def wait_for_exit(pid: int, timeout: float = PATIENCE) -> None:
    """The process runs no more (it may still be a zombie)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], timeout)[0], f"process {pid} still runs"
    finally:
        os.close(fd)


def usage(tokens: int) -> Usage:
    """So many tokens, a tenth of them output."""
    return Usage(input_tokens=tokens - tokens // 10, output_tokens=tokens // 10)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _read_whole(pid: int, name: str) -> bytes:
    """What the kernel says of a program; in the middle of an execve(2) that is nothing, so it is asked again."""
    for _ in range(1000):
        if content := Path(f"/proc/{pid}/{name}").read_bytes():
            return content
        os.readlink(f"/proc/{pid}/exe")  # a kernel thread and a zombie have none
        os.sched_yield()
    return b""


def _look_at(pid: int, mark: bytes) -> Process | None:
    try:
        environ = _read_whole(pid, "environ").split(b"\0")
        if mark not in environ:
            return None
        line = _read_whole(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")
        state, parent = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:2]
    except OSError:
        return None
    attempt = next((item[15:].decode() for item in environ if item.startswith(b"BURSAR_ATTEMPT=")), "")
    return None if state in b"ZX" else Process(pid, int(parent), line, attempt)
