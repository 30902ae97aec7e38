"""The example that embeds a budget runs, and says what its text promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed_budget.py"


def run(folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_program_can_embed_a_budget(tmp_path: Path) -> None:
    assert run(tmp_path / "books") == [
        "article-1: 40,000 tokens, 10,000 of them fresh",
        "warning: budget `newsletter` has reached 80 % of 100,000 tokens: 80,000 tokens",
        "article-2: 40,000 tokens, 10,000 of them fresh",
        "article-3: not started, 20,000 of 100,000 tokens left",
        "spent 95,000 of 100,000 tokens this month",
    ]


def test_a_second_run_spends_nothing_twice(tmp_path: Path) -> None:
    first = run(tmp_path / "books")
    again = run(tmp_path / "books")
    assert again == [*first[:1], first[2], "article-3: not started, 5,000 of 100,000 tokens left", first[-1]]
