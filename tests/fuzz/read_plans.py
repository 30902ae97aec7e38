"""Feeds the plan reader whatever reaches new code in it (`make fuzz`): only declared problems may come out.

python -m tests.fuzz.read_plans [FILE] [-max_total_time=60] [-seed=1]       options of libFuzzer; FILE is tried alone

A finding is written to `crash-…` in the working directory; the seed is printed. Not part of `make test`: what it has
found becomes a test of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bursar.plan"]):
    from bursar.plan import Plan, PlanIdentity, UnreadablePlan, parse_plan, resolve_plan_reference

from tests.unit.plan.plan_texts import PLAN_PATH, plan_text, task
from tests.unit.plan.test_plan_forms import HEADINGS
from tests.unit.plan.test_plan_reading import COMPLETE
from tests.unit.plan.test_plan_task_text import HOSTILE

TOKENS = [
    "<task>",
    '<task type="checkpoint:decision">',
    "</task>",
    "<feature>",
    "</feature>",
    "### Task 1: ",
    "**Files:**",
    "**<verify>**",
    "<name>",
    "</name>",
    "<action>",
    "</action>",
    "<verify><automated>",
    "</automated>",
    '<option id="a">',
    "depends_on: [",
    "<!--",
    "-->",
    "```",
    "---",
]


def check(data: bytes) -> None:
    """The bytes as a plan: it is read without an exception, and what comes out holds together."""
    text = data.decode("utf-8", "surrogateescape")
    plan = parse_plan(text, PLAN_PATH)
    problems = plan.problems if isinstance(plan, UnreadablePlan) else plan.warnings
    lines = text.count("\n") + 1
    assert all(1 <= problem.position.line <= lines and problem.position.column >= 1 for problem in problems)
    draft = plan if isinstance(plan, Plan) else plan.draft
    assert draft is not None
    assert isinstance(plan, Plan) == (not any(problem.is_error for problem in problems))
    numbers = {item.number for item in draft.tasks}
    assert all(set(item.depends_on) <= numbers and item.title for item in draft.tasks)
    known = [PlanIdentity(id="08-02", phase="08-features", number="02", phase_number="8", stem="08-02-PLAN")]
    assert all(resolve_plan_reference(name, "08-02", known) in (None, "08-02") for name in draft.depends_on)


def _entry(token: str) -> str:
    """A line of libFuzzer's dictionary."""
    quoted = token.replace('"', '\\"')
    return f'"{quoted}"\n'


def main() -> None:
    """Fuzzes from a few plans of ours on."""
    seeds = [COMPLETE, HEADINGS, *HOSTILE, plan_text(task(1), task(2, attributes='depends-on="1"'))]
    with tempfile.TemporaryDirectory(prefix="bursar-fuzz-") as folder:
        for number, seed in enumerate(seeds):
            (Path(folder) / f"{number}.md").write_text(seed, encoding="utf-8", errors="surrogatepass")
        words = Path(folder) / "tokens"
        words.write_text("".join(map(_entry, TOKENS)))
        alone = any(not argument.startswith("-") for argument in sys.argv[1:])
        more = [] if alone else [folder, f"-dict={words}"]
        atheris.Setup([*sys.argv, *more], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
