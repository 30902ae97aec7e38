"""Any text is read without an exception; what an author writes in an action survives byte for byte."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bursar.graph import check_plan
from bursar.plan import (
    Execution,
    Plan,
    PlanForm,
    Summary,
    SummaryTask,
    UnreadablePlan,
    classify_verify,
    identify_plan,
    parse_plan,
    read_plan,
    referenced_phase,
    render_summary,
    resolve_plan_reference,
)
from bursar.plan.front_matter import parse_front_matter
from bursar.plan.source import Source
from tests.unit.plan.plan_texts import PLAN_PATH, plan_text, read, task
from tests.unit.plan.test_plan_reading import COMPLETE
from tests.unit.plan.test_plan_task_text import HOSTILE

FRAGMENTS = st.sampled_from(
    [
        *HOSTILE,
        "---\n",
        "\n",
        "  ",
        "<task>",
        "<task ",
        '<task type="auto" depends-on="2">',
        "</task>",
        "<tasks>\n",
        "</tasks>\n",
        "<name>Task 1: A</name>",
        "<name>",
        "</name>",
        "<files>a.py, b.py</files>",
        "<action>",
        "</action>",
        "<verify><automated>npm test</automated></verify>",
        "<metrics><token-budget>",
        "<estimated-tokens>5k-8k</estimated-tokens>",
        "</metrics>",
        "<!--",
        "-->",
        "```\n",
        "phase: 08\n",
        "plan: [1, {a: &x b}, *x]\n",
        "\x00\x85\u2028\ud800",
        "\r\n",
        "=\"'",
        "<objective>\n",
        "<feature>",
        "</feature>",
        "### Task 1: A\n",
        "## T2. B\n",
        "**Files:** a.py\n",
        "**Depends on:** Task 2\n",
        "**<verify>**",
        '<task type="checkpoint:decision" gate="blocking">',
        '<options><option id="a"><name>B</name>',
        "depends_on: [01-02, 02]\nwave: 2\n",
        'must_haves: "\\("\n',
        "</context>",
        "@a/b\n",
    ]
)


def is_sound(plan: Plan | UnreadablePlan, text: str) -> bool:
    """Every problem lies in the text; a plan has no errors, and its tasks' dependencies are its tasks."""
    lines = text.count("\n") + 1
    problems = plan.problems if isinstance(plan, UnreadablePlan) else plan.warnings
    if isinstance(plan, UnreadablePlan) and plan.draft is not None:
        assert all(item.title for item in plan.draft.tasks)
        assert (plan.draft.form is PlanForm.NONE) == (not plan.draft.tasks)
    is_placed = all(1 <= problem.position.line <= lines and problem.position.column >= 1 for problem in problems)
    if isinstance(plan, UnreadablePlan):
        return is_placed and any(problem.is_error for problem in problems)
    numbers = [item.number for item in plan.tasks]
    is_linked = all(set(item.depends_on) <= set(numbers) - {item.number} for item in plan.tasks)
    check_plan(plan)
    return is_placed and is_linked and len(set(numbers)) == len(numbers) and not any(p.is_error for p in problems)


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    assert is_sound(parse_plan(text, PLAN_PATH), text)


@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=40).map("".join))
@settings(max_examples=400)
def test_any_heap_of_plan_parts_is_read_without_an_exception(text: str) -> None:
    assert is_sound(parse_plan(text, PLAN_PATH), text)


@given(
    st.lists(st.tuples(st.integers(0, len(COMPLETE)), st.integers(0, 40), FRAGMENTS | st.text(max_size=4)), max_size=6)
)
@settings(max_examples=300)
def test_a_plan_with_parts_cut_out_and_others_put_in_is_read_without_an_exception(
    cuts: list[tuple[int, int, str]],
) -> None:
    text = COMPLETE
    for start, length, inserted in cuts:
        text = text[:start] + inserted + text[start + length :]
    assert is_sound(parse_plan(text, PLAN_PATH), text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200).map(lambda text: f"---\n{text}\n---\n") | st.text())
def test_any_front_matter_is_read_without_an_exception(front: str) -> None:
    text = front + task()
    assert is_sound(parse_plan(text, PLAN_PATH), text)


@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_without_an_exception(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any-PLAN.md"
    path.write_bytes(data)
    assert isinstance(read_plan(path), Plan | UnreadablePlan)


# Within an action an opening tag and a closing tag of a task may each stand alone, but not both and not twice: what is
# text and what is structure could not be told apart by anyone.
WHOLE = [part for part in HOSTILE if not part.startswith(("An opening tag alone", "A closing tag alone"))]


@given(st.lists(st.sampled_from(WHOLE) | st.text(alphabet=string.printable, max_size=12), min_size=1, max_size=6))
@settings(max_examples=300)
def test_an_action_made_of_hostile_parts_survives_byte_for_byte(parts: list[str]) -> None:
    action = "\n".join(["Begin", *parts, "end"]).replace("\r\n", "\n")
    assume("</action>" not in action.replace("`</action>`", ""))
    text = plan_text(task(1, action=action, extra="  <done>ok</done>\n"), task(2))
    first, second = read(text).tasks
    assert (first.action, first.name, first.done) == (action, "Part 1", "ok")
    assert second.action == "Write it."


@given(st.text(), st.text())
def test_any_verify_text_is_kept(before: str, after: str) -> None:
    text = f"{before}<automated>npm test</automated>{after}"
    found = classify_verify(text)
    assert found.commands or found.instructions
    assert classify_verify(before).reason


YAML_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        'a: "b"',
        "- x",
        "null",
        "true",
        "12",
        "08",
        "#c",
        "a\nb",
        "Grüße",
        "'",
        "{a}",
        "---",
        "\ufeff",
        "\x85",
        "😀",
        "\u2028",
        "`@",
    ]
)


@given(
    names=st.lists(YAML_TEXT, max_size=4), tag=YAML_TEXT, path=YAML_TEXT, phase=YAML_TEXT, model=st.none() | YAML_TEXT
)
@settings(max_examples=200)
def test_a_summary_reads_back_whatever_it_names(
    names: list[str], tag: str, path: str, phase: str, model: str | None
) -> None:
    started = datetime(2026, 3, 1, tzinfo=UTC)
    summary = Summary(
        id="08-02",
        phase=phase,
        plan="02",
        tasks=tuple(SummaryTask(number=str(n), name=name, model=model) for n, name in enumerate(names)),
        execution=Execution(parallel_batches=0, subagent_spawns=0, total_subagent_tokens=0, cost_usd=model),
        started=started,
        completed=started + timedelta(seconds=1),
        objective=tag,
        tags=(tag,),
        files_modified=(path,),
    )
    _, block, _ = render_summary(summary).encode().decode().split("---\n", 2)
    found = YAML(typ="safe", pure=True).load(block)
    assert (found["phase"], found["tags"], found["key-files"]["modified"]) == (phase, [tag], [path])
    assert [item["name"] for item in found["tasks"]] == names
    assert [item["model"] for item in found["tasks"]] == [model] * len(names)
    assert found["execution"]["cost_usd"] == model
    source = Source(render_summary(summary), Path("08-02-SUMMARY.md"))
    assert parse_front_matter(source).values == as_read(found)
    assert source.count == 0


def as_read(value: object) -> object:
    """Plain data as our own reader gives it: numbers stay the text that was written."""
    if isinstance(value, dict):
        return {key: as_read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_read(item) for item in value]
    return str(value) if isinstance(value, int | float) else value


SIZE = 200_000
LARGE = {
    "unclosed comments": "<!--\n",
    "unclosed children": "<name>\n",
    "unknown children": "<x>\n",
    "children of many names": "",
    "nested tasks": "<task>\n",
    "tasks that nest in an action": "<task>\n<action>\n",
    "closing tags": "</task>\n",
    "broken tags": '<task a="\n',
    "automated": "<automated>\n",
    "fences": "```\n````\n",
    "budgets": "<token-budget>",
    "blanks": " " * 50,
    "brackets": " (",
    "back-quotes": "`",
    "quotes": "'\"",
    "commas": "a,",
    "numbers": "5 ",
    "continued lines": "a \\\n",
    "dependencies": "1-3,",
    "headings of tasks": "### Task 1: A\n",
    "headings with labels": "### Task 1: A\n\n**Files:** a\n\n",
    "headings": "# A\n",
    "labels": "**Files:** a\n",
    "features": "<feature>\n",
    "closed comments": "<!-- -->\n",
    "options": '<option id="a"><name>',
    "flow lists": "a: [[",
    "broken keys": 'a: "\\("\n',
}


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize(
    "place",
    [
        "{0}",
        "<task>\n{0}",
        "<task>\n<{1}>{0}</{1}>\n</task>\n",
        "<task\n {2}={0}\n>",
        "---\n{0}\n---\n",
        "### Task 1: A\n\n{0}\n",
    ],
)
@pytest.mark.timeout(90)
@pytest.mark.faults  # half a minute
def test_large_hostile_text_ends_soon(kind: str, place: str) -> None:
    """Not a timing: reading takes well under a second, and a search that is not linear takes minutes."""
    part = LARGE[kind]
    filler = part * (SIZE // len(part)) if part else "".join(f"<n{n}>\n" for n in range(SIZE // 8))
    for child, attribute in [("files", "depends-on"), ("verify", "name"), ("metrics", "type"), ("action", "id")]:
        text = place.format(filler, child, attribute + '="' if attribute == "id" else attribute) + task()
        assert is_sound(parse_plan(text, Path("PLAN.md")), text)


REFERENCES = st.text(max_size=12) | st.sampled_from(
    [
        "01",
        "01-02",
        "1-2",
        "06-02-PLAN.md",
        "02-core-01",
        "10-model",
        "Phase 15",
        "01-PLAN",
        "04b",
        "9.20-1",
        "PROJ-42-01",
    ]
)
FILES = st.sampled_from(
    ["08-a/08-01-PLAN.md", "08-a/08-02-PLAN.md", "08-a/08-02-FIX1-PLAN.md", "08-a/01-PLAN.md", "09-b/09-01-PLAN.md"]
)


@given(reference=REFERENCES, files=st.lists(FILES, unique=True, max_size=5))
@settings(deadline=None)
def test_a_reference_means_a_plan_that_is_known_or_none(reference: str, files: list[str]) -> None:
    known = [identify_plan(Path(file), Path(file).parent.name, {}) for file in files]
    found = resolve_plan_reference(reference, "08-01", known)
    assert found is None or found in {plan.id for plan in known}
    referenced_phase(reference)


@given(files=st.lists(FILES, unique=True, min_size=1, max_size=5), own=st.integers(0, 4))
@settings(deadline=None)
def test_every_plan_is_found_by_its_own_id_and_file(files: list[str], own: int) -> None:
    known = [identify_plan(Path(file), Path(file).parent.name, {}) for file in files]
    assume(len({plan.id for plan in known}) == len(known))
    for plan in known:
        assert resolve_plan_reference(plan.id, known[own % len(known)].id, known) == plan.id


def test_json_takes_whatever_front_matter_holds() -> None:
    plan = read(plan_text(task(), front="a: {b: [1, 2.5, 2026-01-01, yes, ~, true, 0x1f, .inf]}\n"))
    assert json.loads(json.dumps(plan.front_matter)) == {
        "a": {"b": ["1", "2.5", "2026-01-01", "yes", None, True, "0x1f", ".inf"]}
    }
