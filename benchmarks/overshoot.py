"""How many calls pass a limit: an agent with calls of about a millisecond, counted by the fake model's own bill.

No time is measured. Of calls of seconds one passes, the one in flight; these are the worst case, and the more so the
more the machine has to do.

    python benchmarks/overshoot.py              20 runs
    python benchmarks/overshoot.py --runs 5
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import Usage

CALL = Usage(input_tokens=900, output_tokens=100)
LIMIT_CALLS, CALLS = 10, 60
MODEL = "claude-sonnet-4-5"
AGENT = [
    sys.executable, "-m", "bursar.testing.scripted_agent", "-p", "--output-format", "stream-json", "--verbose",
    "--include-partial-messages", "--model", "{model}", "--session-id", "{session_id}",
]  # fmt: skip


def main() -> None:
    """Counts and prints."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=20, metavar="N")
    runs = options.parse_args().runs
    print(f"a limit of {LIMIT_CALLS} calls; {CALLS} calls of about a millisecond; load {os.getloadavg()[0]:.1f}")
    past = Counter(count_calls_past_the_limit() for _ in range(runs))
    for calls, times in sorted(past.items()):
        print(f"  {calls} calls past the limit: {times} of {runs} runs")


def count_calls_past_the_limit() -> int:
    """Calls that were billed beyond the limit in one run of one task. All of them are in the books, or it ends here."""
    read = Step(tools=(ToolCall("Read", {"file_path": "README.md"}),), usage=CALL)
    script = Script.of({"# Task 1:": [read] * CALLS})
    with tempfile.TemporaryDirectory(prefix="bursar-overshoot-") as folder, ModelServer(script) as server:
        environment = _prepare(Path(folder), server.url)
        command = [str(Path(sys.executable).with_name("bursar")), "run", "01-01-PLAN.md", "--trust", "--json"]
        limit = f"{LIMIT_CALLS * CALL.total_tokens} tokens"
        done = subprocess.run(
            [*command, "--budget", limit], cwd=Path(folder, "repo"), env=environment, capture_output=True, check=False
        )
        report = json.loads(done.stdout)
        charged = report["metered_tokens"] + report["unknown_outcome_tokens"]
        billed = server.billed().total_tokens
        if done.returncode != 4 or charged < billed:
            raise SystemExit(f"exit code {done.returncode}, {billed} tokens billed and {charged} charged")
    return billed // CALL.total_tokens - LIMIT_CALLS


def _prepare(folder: Path, url: str) -> dict[str, str]:
    repo = folder / "repo"
    repo.mkdir()
    agent = f"argv = {json.dumps(AGENT)}\nmodels = {{medium = {json.dumps(MODEL)}}}\n"
    (repo / "bursar.toml").write_text(f'[run]\nagent = "command"\n[agents.command]\n{agent}[routing]\nattempts = 1\n')
    (repo / "README.md").write_text("# a project\n")
    (repo / "01-01-PLAN.md").write_text(
        '---\nphase: 01-first\nplan: 01\n---\n\n<tasks>\n<task type="auto">\n  <name>Read</name>\n'
        "  <files>README.md</files>\n  <action>Read.</action>\n  <done>It is read.</done>\n</task>\n</tasks>\n"
    )
    who = {f"GIT_{role}_{part}": "bench" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **who,
        "BURSAR_STATE_DIR": str(folder / "state"),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "dummy",
    }
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *arguments], cwd=repo, env=environment, check=True)
    return environment


if __name__ == "__main__":
    main()
