"""Annotating: twice is once, taking it out again gives the bytes back, and nothing else reads differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.graph import Graph, build_graph, check_plan, plan_nodes
from bursar.plan import (
    Annotated,
    Plan,
    Problem,
    Task,
    annotate,
    apply_edits,
    dependency_lines,
    explain_dependencies,
    find_stated_order,
    infer_dependencies,
    inverse_edits,
    parse_plan,
)
from bursar.routing import choose_annotations, effective_model
from tests.properties.test_plan_properties import FRAGMENTS, WHOLE
from tests.unit.plan.plan_texts import PLAN_PATH
from tests.unit.plan.test_plan_reading import COMPLETE

LINE_ENDS: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace(">\n", ">\r\n"),
    lambda text: "\ufeff" + text,
    lambda text: text.rstrip("\n"),
]


def annotate_as_the_command_does(text: str, *, is_inferred: bool) -> Annotated | Problem | None:
    """What `bursar plan annotate` makes of a text; None where it holds no plan to run."""
    plan = parse_plan(text, PLAN_PATH)
    if not isinstance(plan, Plan) or check_plan(plan):
        return None
    stated = find_stated_order(text, plan)
    if isinstance(stated, Problem):
        return stated
    tasks = plan.tasks
    if is_inferred:
        found = infer_dependencies(tasks, stated)
        tasks = tuple(replace(task, depends_on=found[task.number]) for task in tasks)
    graph = build_graph(plan_nodes(replace(plan, tasks=tasks)))
    assert isinstance(graph, Graph)
    models = {task.number: model for task in tasks if (model := effective_model(task)) is not None}
    section = dependency_lines(tasks, graph.waves(), models=models, reasons=explain_dependencies(tasks))
    return annotate(text, plan, choose_annotations(tasks, graph), section)


def is_kept_and_settled(text: str, *, is_inferred: bool) -> bool:
    """Whether the additions can be taken out again, a second time adds none, and today's order is what is read back."""
    result = annotate_as_the_command_does(text, is_inferred=is_inferred)
    if result is None or isinstance(result, Problem):
        return False
    assert apply_edits(result.text, inverse_edits(text, result.edits)) == text
    again = annotate_as_the_command_does(result.text, is_inferred=is_inferred)
    assert isinstance(again, Annotated)
    assert (again.text, again.edits) == (result.text, ())
    before, after = parse_plan(text, PLAN_PATH), parse_plan(result.text, PLAN_PATH)
    assert isinstance(before, Plan)
    assert isinstance(after, Plan)
    if not is_inferred:
        assert build_graph(plan_nodes(after)) == build_graph(plan_nodes(before))
    assert [bare(task) for task in after.tasks] == [bare(task) for task in before.tasks]
    assert [warning.message for warning in after.warnings] == [warning.message for warning in before.warnings]
    return True


def bare(task: Task) -> Task:
    """The task without what an annotation says."""
    blank = Task(number="0", name="")
    return replace(
        task,
        **{
            name: getattr(blank, name)
            for name in (
                *("subagent", "model", "complexity", "is_parallel", "context_mode", "depends_on"),
                *("metrics", "position", "digest"),
            )
        },
    )


ATTRIBUTES = st.sampled_from(
    [
        ' type="auto"',
        " type='tdd'",
        "\n  type=auto",
        ' model="haiku"',
        ' depends-on=""',
        " depends_on=''",
        ' depends-on="[]"',
        ' parallel="can-parallelize"',
        ' parallel="perhaps"',
        ' estimated-complexity="9"',
        ' subagent="explore"',
        ' id="task-№"',
        ' id="a b"',
        ' type="checkpoint:human-verify"',
        " tdd",
        "\n\ttracer = 'x > y'\n",
    ]
)
TITLES = st.sampled_from(["A", "Task №: B", "Explore it", "B & <T>", "Task 16-01-№: -->", "</x></task>", "ü"])
FILES = st.sampled_from(["", "a.py", "src/", "src/a.py, b.py", "None", "tests/test_a.py", "src/*.ts", "- x\n- y"])
ACTIONS = st.sampled_from([*WHOLE, "after Task 1", "Use src/a.py and task 3.", "All previous tasks."])
EXTRAS = st.sampled_from(
    [
        "",
        "<verify>npm test</verify>\n",
        "  <metrics>\n  </metrics>\n",
        "<metrics><token-budget>900</token-budget></metrics>",
        "  <estimated-tokens>1k-2k</estimated-tokens>\n",
        "<!-- a remark -->",
        "text",
        "  ",
    ]
)


@st.composite
def task_elements(draw: st.DrawFn) -> str:
    """A task element as an author might write it; `№` stands for its number."""
    attributes = "".join(draw(st.lists(ATTRIBUTES, max_size=4)))
    joint = draw(st.sampled_from(["\n", "\n  ", " "]))
    children = [f"<name>{draw(TITLES)}</name>", f"<files>{draw(FILES)}</files>", f"<action>{draw(ACTIONS)}</action>"]
    return f"<task{attributes}>{joint}{joint.join(children)}\n{draw(EXTRAS)}</task>"


GAPS = st.sampled_from(
    ["\n", "\n\n", " ", "\n---\n\n", "\n### Task 9: x\n", "\n<!-- between -->\n", "\n```\n", "\n</tasks>\n"]
)
HEADS = st.sampled_from(
    ["", "<tasks>\n", "---\nphase: 8\n---\n\n<tasks>", "<context>\n@a\n</context>\n## <tasks>\n", "```\n<tasks>\n"]
)


@given(
    head=HEADS,
    parts=st.lists(st.tuples(task_elements(), GAPS), min_size=1, max_size=5),
    ends=st.sampled_from(LINE_ENDS),
    is_inferred=st.booleans(),
)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plan_of_odd_parts(
    head: str, parts: list[tuple[str, str]], ends: Callable[[str], str], is_inferred: bool
) -> None:
    body = (element.replace("№", str(n)) + gap for n, (element, gap) in enumerate(parts, start=1))
    text = ends(head + "".join(body))
    is_kept_and_settled(text, is_inferred=is_inferred)


@given(
    st.lists(st.tuples(st.integers(0, len(COMPLETE)), st.integers(0, 30), FRAGMENTS), max_size=4),
    st.sampled_from(LINE_ENDS),
    st.booleans(),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_with_parts_cut_out_and_others_put_in(
    cuts: list[tuple[int, int, str]], ends: Callable[[str], str], is_inferred: bool
) -> None:
    text = COMPLETE
    for start, length, inserted in cuts:
        text = text[:start] + inserted + text[start + length :]
    is_kept_and_settled(ends(text), is_inferred=is_inferred)
