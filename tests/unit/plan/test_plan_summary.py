"""The SUMMARY file: its name, its front matter, its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bursar.plan import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.front_matter import parse_front_matter
from bursar.plan.source import Source
from tests.unit.plan.plan_texts import plan_text, read, task

STARTED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EXECUTION = Execution(
    parallel_batches=1,
    subagent_spawns=3,
    total_subagent_tokens=45_000,
    parallelization_efficiency=1.5,
    unknown_outcome_tokens=1200,
    cost_usd="0.42",
)
SUMMARY = Summary(
    id="08-02",
    phase="08-features",
    plan="02",
    tasks=(
        SummaryTask(
            number="1",
            name='Lend: a "book" | *now*',
            commit="0123456789abcdef",
            model="sonnet",
            tokens=30_000,
            seconds=61.4,
            verdict="1 command passed",
        ),
        SummaryTask(number="2", name="Zurückgeben"),
    ),
    execution=EXECUTION,
    started=STARTED,
    completed=STARTED + timedelta(minutes=11, seconds=1),
    objective="Lend books.\n\nPurpose: no more cards.",
    files_created=("src/new.py",),
    files_modified=("src/lend.py", "a|b.py"),
)


def front_matter(text: str) -> dict[str, object]:
    _, block, _ = text.split("---\n", 2)
    loaded = YAML(typ="safe", pure=True).load(block)
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize(
    ("plan", "summary"),
    [
        ("a/08-02-PLAN.md", "a/08-02-SUMMARY.md"),
        ("PLAN.md", "SUMMARY.md"),
        ("a/12.1-02-PLAN.md", "a/12.1-02-SUMMARY.md"),
        ("a/jobs.md", "a/jobs-SUMMARY.md"),
        ("a/12-PLAN-01.md", "a/12-PLAN-01-SUMMARY.md"),
        ("a/plan", "a/plan-SUMMARY.md"),
    ],
)
def test_where_a_summary_belongs(plan: str, summary: str) -> None:
    assert summary_path(Path(plan)) == Path(summary)


def test_front_matter_has_the_documented_keys() -> None:
    found = front_matter(render_summary(SUMMARY))
    assert found == {
        "phase": "08-features",
        "plan": "02",
        "subsystem": None,
        "tags": [],
        "requires": [],
        "provides": [],
        "affects": [],
        "requirements-completed": [],
        "key-files": {"created": ["src/new.py"], "modified": ["src/lend.py", "a|b.py"]},
        "duration": "12min",
        "started": "2026-03-01T09:00:00Z",
        "completed": "2026-03-01T09:11:01Z",
        "execution": {
            "parallel_batches": 1,
            "subagent_spawns": 3,
            "total_subagent_tokens": 45_000,
            "main_context_tokens": None,
            "parallelization_efficiency": 1.5,
            "token_savings_vs_sequential": None,
            "unknown_outcome_tokens": 1200,
            "cost_usd": "0.42",
        },
        "tasks": [
            {
                "number": "1",
                "name": 'Lend: a "book" | *now*',
                "commit": "0123456789abcdef",
                "model": "sonnet",
                "tokens": 30_000,
            },
            {"number": "2", "name": "Zurückgeben", "commit": None, "model": None, "tokens": None},
        ],
    }


def test_every_key_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs/summary-format.md").read_text(encoding="utf-8")
    found = front_matter(render_summary(SUMMARY))
    assert isinstance(found["execution"], dict)
    assert [key for key in (*found, *found["execution"]) if f"`{key}`" not in documented and key != "execution"] == []


def test_the_page_for_people() -> None:
    body = render_summary(SUMMARY).split("---\n", 2)[2]
    assert body == (
        "\n# 08-02 summary\n\n> Lend books.\n\n"
        "| task | name | model | tokens | time | commit | verified |\n"
        "| --- | --- | --- | ---: | ---: | --- | --- |\n"
        '| 1 | Lend: a "book" \\| \\*now\\* | sonnet | 30,000 | 61 s | 0123456789 | 1 command passed |\n'
        "| 2 | Zurückgeben |  | unknown |  |  |  |\n\n"
        "Metered 45,000 tokens (cache included) in 3 attempts: 0.42 USD.\n"
        "Charged for unknown outcomes, apart from these: 1,200 tokens.\n\n"
        "## Files\n\n- src/new.py (new)\n- src/lend.py\n- a\\|b.py\n"
    )


def test_an_unknown_cost_is_never_0() -> None:
    text = render_summary(replace(SUMMARY, execution=replace(EXECUTION, cost_usd=None)))
    assert "in 3 attempts: unknown cost." in text
    assert "cost_usd: null" in text


def test_a_summary_of_a_plan_takes_what_its_front_matter_says() -> None:
    front = "phase: 08-features\nplan: 02\ndomain: library\ntags: [a, b]\ndepends_on: [08-01]\nprovides: lending\n"
    front += "requirements: [LEND-01, LEND-02]\naffects: [09-fines]\n"
    plan = read(plan_text(task(), front=front))
    summary = build_summary(plan, tasks=(), execution=EXECUTION, started=STARTED, completed=STARTED)
    assert (summary.id, summary.phase, summary.plan) == ("08-02", "08-features", "02")
    assert (summary.subsystem, summary.tags, summary.requires) == ("library", ("a", "b"), ("08-01",))
    assert (summary.requirements_completed, summary.affects) == (("LEND-01", "LEND-02"), ("09-fines",))
    assert (summary.provides, summary.duration_minutes) == (("lending",), 0)
    assert front_matter(render_summary(summary))["tasks"] == []


def test_a_long_front_matter_stays_short_enough_to_be_read_by_us() -> None:
    files = tuple(f"src/{'ordner/' * 20}{n}.py" for n in range(2_000))
    tasks = tuple(SummaryTask(number=str(n), name="Ünlü " * 20) for n in range(300))
    text = render_summary(replace(SUMMARY, tasks=tasks, files_created=files, files_modified=files))
    source = Source(text, Path("08-02-SUMMARY.md"))
    found = parse_front_matter(source)
    assert source.count == 0
    assert isinstance(found.values["tasks"], list)
    assert 0 < len(found.values["tasks"]) < 300
    assert "- and 3500 more\n" in text
