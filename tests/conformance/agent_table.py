"""Runs the conformance suite of the real agent CLIs and writes what they did into docs/agents.md: `make agents`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

from bursar.testing.agent_install import PINNED

ROOT = Path(__file__).parents[2]
SUITE = (
    "tests/conformance/test_real_agents.py",
    "tests/conformance/test_isolation.py",
    "tests/integration/test_real_runs.py",
)
TARGET = ROOT / "docs" / "agents.md"
FIRST_CELL = "| case |"


def main() -> int:
    """The suite has run and the table of the page is written; 0 only if everything passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--junitxml", str(report), *SUITE]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if not report.exists():
            return 1
        tests = sorted(ElementTree.parse(report).getroot().iter("testcase"), key=_place_in_the_suite)
        table = render_table(tests)
        TARGET.write_text(with_table(TARGET.read_text(encoding="utf-8"), table), encoding="utf-8")
    return done.returncode


def with_table(page: str, table: str) -> str:
    """The page with that table in the place of its last one; what stands above it is people's."""
    prose, found, _ = page.partition(FIRST_CELL)
    assert found, f"{TARGET} has no line that begins with {FIRST_CELL!r}"
    return prose + table


def render_table(tests: Iterable[ElementTree.Element]) -> str:
    """One row per case, one column per agent; a test that failed or was skipped says so."""
    cells: dict[str, dict[str, str]] = {}
    broken: dict[str, list[str]] = {}
    for test in tests:
        name, _, rest = test.get("name", "").partition("[")
        agent = next((each for each in PINNED if each in rest.rstrip("]").split("-")), "")
        outcome = next((kind for kind in ("failure", "error", "skipped") if test.find(kind) is not None), "")
        if outcome:
            broken.setdefault(agent, []).append(f"{name.removeprefix('test_').replace('_', ' ')} ({outcome})")
        for case, words in _cells_of(test):
            cells.setdefault(case, {})[agent] = words
    head = [f"{name} {cli.version}" for name, cli in PINNED.items()]
    lines = [f"{FIRST_CELL} {' | '.join(head)} |", f"|{' --- |' * (len(head) + 1)}"]
    lines += [f"| {case} | {' | '.join(row.get(name, '–') for name in PINNED)} |" for case, row in cells.items()]
    lines += [f"\nNot passed with {agent}: {', '.join(names)}." for agent, names in broken.items()]
    return "\n".join(lines) + "\n"


def _place_in_the_suite(test: ElementTree.Element) -> tuple[int, str]:
    """Whoever of the workers was first, rows come as the tests are written."""
    sources = "".join((ROOT / path).read_text(encoding="utf-8") for path in SUITE)
    name = test.get("name", "")
    return sources.find(f"def {name.partition('[')[0]}("), name


def _cells_of(test: ElementTree.Element) -> list[list[str]]:
    found = (each for each in test.iter("property") if each.get("name") == "agent_cell")
    return [each.get("value", "").split("|", 1) for each in found]


if __name__ == "__main__":
    sys.exit(main())
