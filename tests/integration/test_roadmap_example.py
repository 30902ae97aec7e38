"""The roadmap of `examples/`: to its end, and to its end after a kill −9 of the conductor."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "roadmap" / "demo.py"
TASKS = {
    "01-01": 2, "01-02": 1, "01-03": 1, "02-01": 1, "02-02": 1, "02-03": 1,
    "03-01": 1, "03-02": 2, "03-03": 1, "04-01": 1, "04-02": 1, "04-03": 1,
}  # fmt: skip


@pytest.mark.parametrize("flags", [[], ["--kill"]], ids=["straight", "killed"])
def test_four_phases_and_twelve_plans(tmp_path: Path, flags: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO), str(tmp_path / "demo"), *flags], capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert ("killed." in done.stdout) == bool(flags)
    repository = tmp_path / "demo" / "repository"
    log = _git(repository, "log", "--format=%s").splitlines()
    assert (
        len(log) == len(set(log)) == 14 + 12 + 1
    )  # a commit for each task and each SUMMARY, none twice, and the first
    for plan, tasks in TASKS.items():
        subjects = [subject for subject in log if subject.startswith(f"feat({plan}):")]
        assert (len(subjects), log.count(f"docs({plan}): Add summary")) == (tasks, 1)
    assert _git(repository, "log", "--merges", "--oneline") == ""
    assert _git(repository, "status", "--porcelain") == ""
    assert _git(repository, "for-each-ref", "refs/bursar") == ""
    billed = re.search(r"billed ([\d,]+) tokens", done.stdout)
    assert billed is not None
    assert f"metered {billed[1]} tokens" in done.stdout
    answer = subprocess.run(
        [sys.executable, "-m", "tides", "sample.txt", "300"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.startswith("from ")


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()
