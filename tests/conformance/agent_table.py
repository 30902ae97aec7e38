"""Runs the conformance suite of the real agent CLIs and writes what they did as docs/agents.md: `make agents`."""

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

HEAD = """\
# Agents

Which agent runs a plan says `run.agent` in [settings](settings.md) or `--agent`. `bursar agent list` tells which are
installed, `bursar agent doctor` what each still needs. What was observed of each stands in its README:
[Claude Code](../src/bursar/agents/claude/README.md), [Codex](../src/bursar/agents/codex/README.md),
[Gemini CLI](../src/bursar/agents/gemini/README.md), [OpenCode](../src/bursar/agents/opencode/README.md),
[any program](../src/bursar/agents/command/README.md).

| agent | a call is known | how sure the limit is |
| --- | --- | --- |
| Claude Code | from its stream; from its telemetry too | bounded: what passes is one call in flight |
| Codex | from its session log, before its tools run | the same; without the log it is only observed, at the end |
| Gemini CLI | from its chat log, before its tools have answered | the same |
| OpenCode | from its stream, when its tools have answered | the same |
| any program | from its stream, if it says so call by call | the same |

Sub-agents are withheld unless `agents.X.nested = true`. Their calls count like others, from where each CLI tells of
them: telemetry, logs of their own, a database. A reply that was cut off is charged at its bound. What an agent is given
of the user's and of the repository's says [isolation](isolation.md).

Each call has one usage, joined by its id from all sources that tell of it; the largest counts. Where two are more than
1 % apart, the run and `bursar report` say so, and the [audit log](settings.md#the-audit-log) has a `difference`.
`bursar report --json` tells of each attempt how its tokens were found out: `streamed` while the agent worked,
`reconciled` from its log or its closing statement, `estimated` where nobody told.

## What each did in the last run of the conformance suite

The real CLIs against the fake model server on loopback. *Exact*: what was metered is what the server billed. *Bounded*:
the rest is charged at a bound which covers it. Written by `make agents`; do not edit.

"""


def main() -> int:
    """The suite has run and the page is written; 0 only if everything passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--junitxml", str(report), *SUITE]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if not report.exists():
            return 1
        TARGET.write_text(HEAD + render_table(ElementTree.parse(report).getroot().iter("testcase")), encoding="utf-8")
    return done.returncode


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
    lines = [f"| case | {' | '.join(head)} |", f"|{' --- |' * (len(head) + 1)}"]
    lines += [f"| {case} | {' | '.join(row.get(name, '–') for name in PINNED)} |" for case, row in cells.items()]
    lines += [f"\nNot passed with {agent}: {', '.join(names)}." for agent, names in broken.items()]
    return "\n".join(lines) + "\n"


def _cells_of(test: ElementTree.Element) -> list[list[str]]:
    found = (each for each in test.iter("property") if each.get("name") == "agent_cell")
    return [each.get("value", "").split("|", 1) for each in found]


if __name__ == "__main__":
    sys.exit(main())
