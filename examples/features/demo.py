"""The main job on an example plan: real worktrees, verify commands, commits, merge, ledger and report.

Only the model is not real: the agent asks the bundled fake model server, over HTTP on loopback, and that answers from
`model_script.json`. Nothing leaves this machine. The repository stays for a look.

    python examples/features/demo.py FOLDER
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from bursar.testing.model_server import ModelServer
from bursar.testing.script import read_script

HERE = Path(__file__).resolve().parent
PLAN = ".planning/phases/08-features/08-02-PLAN.md"
AGENT = [
    sys.executable,
    *("-m", "bursar.testing.scripted_agent"),
    *("-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages"),
    *("--model", "{model}", "--session-id", "{session_id}"),
]


def main(folder: Path) -> int:
    """Runs the demo in `folder`, which is emptied first; the exit code is that of `bursar run`."""
    shutil.rmtree(folder, ignore_errors=True)
    repository = make_repository(folder / "repository")
    with ModelServer(read_script(HERE / "model_script.json")) as server:
        environment = build_environment(folder, server.url)
        code = show(repository, environment, "bursar", "run", PLAN, "--budget", "500k tokens", "--trust")
        show(repository, environment, "git", "log", "--oneline", "--graph")
        show(repository, environment, "bursar", "status")
        show(repository, environment, "bursar", "ledger", "verify")
        billed = server.billed().total_tokens
    say(f"\nThe fake model server billed {billed:,} tokens.")
    say(f"The repository, with its commits and {PLAN.replace('PLAN', 'SUMMARY')}:\n  {repository}")
    say(look_around(folder, repository))
    return code


def make_repository(repository: Path, project: Path = HERE / "project") -> Path:
    """The example project as a git repository with one commit."""
    shutil.copytree(project, repository)
    settings = f"""[run]
agent = "command"

[agents.command]
argv = {json.dumps(AGENT)}
models = {{ small = "claude-haiku-4-5", medium = "claude-sonnet-4-5", large = "claude-opus-4-5" }}
"""
    (repository / "bursar.toml").write_text(settings, encoding="utf-8")
    who = ("-c", "user.name=demo", "-c", "user.email=demo@localhost")
    for command in (["init", "--quiet", "-b", "main"], ["add", "--all"], [*who, "commit", "--quiet", "-m", "Start"]):
        subprocess.run(["git", "-C", str(repository), *command], check=True)
    return repository


def build_environment(folder: Path, url: str) -> dict[str, str]:
    """Ours, with a state directory of the demo's own, the fake server for a model, and this Python first on PATH."""
    return os.environ | {
        "BURSAR_STATE_DIR": str(folder / "state"),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "no-key-is-needed",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def show(repository: Path, environment: dict[str, str], *command: str) -> int:
    """Runs a command in the repository, after saying which."""
    say("\n$ " + shlex.join(command))
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    return subprocess.run([program, *command[1:]], cwd=repository, env=environment, check=False).returncode


def look_around(folder: Path, repository: Path) -> str:
    """What to type to ask bursar about the demo's run, from any folder."""
    return (
        "To ask bursar about it:\n"
        f"  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n"
        f"  export BURSAR_STATE_DIR={shlex.quote(str(folder / 'state'))}\n"
        f"  cd {shlex.quote(str(repository))}\n"
        "  bursar report"
    )


def say(text: str) -> None:
    """A line on stdout, in order with what the commands print."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
