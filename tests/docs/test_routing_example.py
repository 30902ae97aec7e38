"""What the page on routing shows of the example is what the example prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_shows_what_the_example_prints() -> None:
    example = ROOT / "examples" / "what_routing_saves.py"
    ended = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, check=True)
    assert f"```\n{ended.stdout}```" in (ROOT / "docs" / "routing.md").read_text(encoding="utf-8")
