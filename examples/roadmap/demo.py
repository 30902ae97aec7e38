"""A roadmap of four phases and twelve plans, overnight in a minute: phases side by side, one commit for each task.

As in the other demo only the model is not real. With `--kill` the conductor is killed with SIGKILL on the way, while
agents are at work, and the run is resumed.

    python examples/roadmap/demo.py FOLDER [--kill]
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "features"))

from demo import build_environment, look_around, make_repository, say, show  # noqa: E402

from bursar.testing.model_server import ModelServer  # noqa: E402
from bursar.testing.script import read_script  # noqa: E402

RUN = ("bursar", "run", ".planning/ROADMAP.md", "--budget", "2M tokens", "--trust")
KILL_AT_PERCENT = 40


def main(folder: Path, *, is_killed: bool = False) -> int:
    """Runs the demo in `folder`, which is emptied first; the exit code is that of the run."""
    shutil.rmtree(folder, ignore_errors=True)
    repository = make_repository(folder / "repository", HERE / "project")
    with ModelServer(read_script(HERE / "model_script.json")) as server:
        environment = build_environment(folder, server.url)
        show(repository, environment, "bursar", "parallel", "analyze")
        show(repository, environment, "bursar", "token", "init", "opus", "--max-tokens", "2000000")
        code = _run(repository, environment, is_killed=is_killed)
        show(repository, environment, "git", "log", "--oneline", "--graph")
        show(repository, environment, "bursar", "status")
        show(repository, environment, "bursar", "ledger", "verify")
        billed = server.billed().total_tokens
    say(f"\nThe fake model server billed {billed:,} tokens.")
    say(look_around(folder, repository))
    return code


def _run(repository: Path, environment: dict[str, str], *, is_killed: bool) -> int:
    if not is_killed:
        return show(repository, environment, *RUN)
    say(f"\n$ {shlex.join(RUN)}    # and kill -9 on the way")
    program = shutil.which("bursar", path=environment["PATH"]) or "bursar"
    conductor = subprocess.Popen([program, *RUN[1:]], cwd=repository, env=environment)
    while conductor.poll() is None and _progress(program, repository, environment) < KILL_AT_PERCENT:
        time.sleep(0.1)
    conductor.kill()
    conductor.wait()
    say("killed.")
    show(repository, environment, "bursar", "status")
    return show(repository, environment, "bursar", "resume")


def _progress(program: str, repository: Path, environment: dict[str, str]) -> int:
    done = subprocess.run(
        [program, "parallel", "status"], cwd=repository, env=environment, capture_output=True, check=False
    )
    return int(json.loads(done.stdout)["progress_percent"]) if done.returncode == 0 else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), is_killed="--kill" in sys.argv[2:]))
