"""A plan read back equals the plan written."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.plan import Checkpoint, ContextMode, Metrics, Plan, Position, Task, TokenRange, classify_verify, parse_plan
from tests.properties.plan_writer import render_plan
from tests.properties.test_plan_properties import WHOLE

PATH = Path("08-features/08-02-PLAN.md")

WORDS = st.text(alphabet=string.ascii_letters + string.digits + "äß✓&<>\"'-.:()[]{}=`@#", min_size=1, max_size=8)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(lambda name: name.strip(":") == name)
LINES = st.lists(WORDS, max_size=5).map(" ".join)
PROSE = (
    st.lists(LINES.map(lambda line: line.replace("<", "").replace("`", "")), max_size=3).map("\n".join).map(str.strip)
)
PLAIN_ACTIONS = st.lists(LINES, min_size=1, max_size=5).map(lambda rows: ("Do " + "\n  ".join(rows)).strip())
ACTIONS = st.sampled_from(WHOLE) | PLAIN_ACTIONS
PATHS = st.from_regex(r"\A[a-z_]{1,8}(/[A-Za-z_.]{1,8}){0,3}/[a-z]{1,8}\.[a-z]{1,4}\Z")
PLAIN_PATHS = PATHS.filter(lambda path: "/../" not in path and "/./" not in path and not path.startswith("../"))
RANGES = st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)).map(lambda pair: TokenRange(pair[0], sum(pair)))
METRICS = st.builds(
    Metrics,
    estimated_tokens=st.none() | RANGES,
    estimated_minutes=st.none() | st.tuples(st.integers(0, 90), st.integers(90, 900)),
    estimated_by=st.none() | st.just("bursar"),
    token_budget=st.none() | st.integers(1, 10**12),
    complexity_breakdown=st.dictionaries(st.sampled_from(["testing", "file-reading"]), st.integers(0, 10**6)),
)


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Task, ...]:
    """Tasks whose dependencies are tasks among them; cycles are not the reader's business."""
    count = draw(st.integers(1, 5))
    numbers = draw(st.sampled_from([[str(n) for n in range(1, 6)], ["08", "T2", "3a", "16-01-1", "5.1"]]))[:count]
    found = []
    for number in numbers:
        others = [other for other in numbers if other != number]
        verify = draw(st.sampled_from(["", "<automated>npm test</automated>", "`make check`"]) | PROSE)
        kind = draw(st.sampled_from(["auto", "tdd", "checkpoint:human-verify", "manual"]))
        found.append(
            Task(
                number=number,
                name=draw(NAMES),
                type=kind,
                is_tdd=kind == "tdd",
                checkpoint=Checkpoint(kind="human-verify") if kind.startswith("checkpoint") else None,
                subagent=draw(st.sampled_from(["general-purpose", "explore", "a & b"])),
                model=draw(st.sampled_from([None, "haiku", "claude-x-1[1m]"])),
                complexity=draw(st.none() | st.integers(1, 10)),
                is_parallel=draw(st.booleans()),
                context_mode=draw(st.sampled_from(ContextMode)),
                depends_on=tuple(draw(st.lists(st.sampled_from(others), unique=True))) if others else (),
                files=tuple(draw(st.lists(PLAIN_PATHS, max_size=3, unique=True))),
                action=draw(ACTIONS),
                verify=verify,
                commands=classify_verify(verify).commands,
                done=draw(PROSE),
                metrics=draw(METRICS),
            )
        )
    return tuple(found)


SCALARS = st.text(alphabet=string.printable[:95] + "äß✓", max_size=12)
VALUES = st.dictionaries(st.sampled_from(["subsystem", "tags", "note"]), SCALARS | st.lists(SCALARS, max_size=3))


@given(tasks=tasks(), objective=PROSE, context=st.lists(PLAIN_PATHS, max_size=3, unique=True), more=VALUES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_read_back_equals_the_plan_written(
    tasks: tuple[Task, ...], objective: str, context: list[str], more: dict[str, object]
) -> None:
    plan = Plan(
        path=PATH,
        id="08-02",
        phase_number="8",
        phase="08-features",
        number="02",
        tasks=tasks,
        objective=objective,
        context_paths=tuple(context),
        front_matter={"phase": "08-features", "plan": "02", **more},
    )
    found = parse_plan(render_plan(plan), PATH)
    assert isinstance(found, Plan), [str(problem) for problem in found.problems]
    unknown = [task for task in tasks if task.subagent == "a & b"]
    assert [warning.message.partition(",")[0] for warning in found.warnings] == ["subagent is `a & b`"] * len(unknown)
    placeless = tuple(replace(task, position=Position(1), digest="") for task in found.tasks)
    assert replace(found, digest="", tasks=placeless, warnings=()) == plan
