"""What a checkpoint tells the person who must act there."""

from __future__ import annotations

import pytest

from bursar.plan import Checkpoint, CheckpointOption, Task
from tests.unit.plan.plan_texts import read, task, warnings


def only(text: str) -> Task:
    (found,) = read(text).tasks
    return found


def test_a_look_at_what_was_built() -> None:
    found = only(
        '<task type="checkpoint:human-verify" gate="blocking">\n  <what-built>A login form</what-built>\n'
        "  <how-to-verify>\n    1. Open /login\n    2. Log in\n  </how-to-verify>\n"
        "  <resume-signal>Type &quot;approved&quot;</resume-signal>\n</task>\n"
    )
    assert (found.name, found.title, found.is_checkpoint) == ("", "checkpoint:human-verify", True)
    assert found.checkpoint == Checkpoint(
        kind="human-verify",
        gate="blocking",
        what_built="A login form",
        how_to_verify="1. Open /login\n2. Log in",
        resume_signal="Type &quot;approved&quot;",
    )


def test_a_decision_with_options() -> None:
    found = only(
        '<task type="checkpoint:decision" gate="blocking-human">\n<decision>Where to keep it?</decision>\n'
        "<context>It is small.</context>\n<options>\n"
        '  <option id="file"><name>A file</name><pros>simple</pros><cons>one &amp; only writer</cons></option>\n'
        "  <option><name>A server</name></option>\n</options>\n</task>\n"
    )
    assert found.name == ""
    assert found.checkpoint is not None
    assert (found.checkpoint.kind, found.checkpoint.gate) == ("decision", "blocking-human")
    assert (found.checkpoint.decision, found.checkpoint.context) == ("Where to keep it?", "It is small.")
    assert found.checkpoint.options == (
        CheckpointOption(id="file", name="A file", pros="simple", cons="one & only writer"),
        CheckpointOption(id="2", name="A server"),
    )


def test_options_as_a_list() -> None:
    found = only('<task type="checkpoint:decision">\n<options>\n- A file\n- A server: later\n</options>\n</task>\n')
    assert found.checkpoint is not None
    assert [(option.id, option.name) for option in found.checkpoint.options] == [
        ("1", "A file"),
        ("2", "A server: later"),
    ]


def test_something_to_do_by_hand() -> None:
    found = only(
        '<task type="checkpoint:human-action" gate="non-blocking">\n<action>Get a key</action>\n'
        "<instructions>Ask for it.</instructions>\n</task>\n"
    )
    assert (found.action, found.files) == ("Get a key", ())
    assert found.checkpoint is not None
    assert (found.checkpoint.kind, found.checkpoint.instructions) == ("human-action", "Ask for it.")


@pytest.mark.parametrize("kind", ["checkpoint", "checkpoint:verify", "checkpoint:human-verify"])
def test_every_kind_of_checkpoint_waits(kind: str) -> None:
    found = only(f'<task type="{kind}">\n<name>Look</name>\n</task>\n')
    assert (found.type, found.is_checkpoint) == (kind, True)


def test_an_unknown_kind_is_kept_and_warned_of() -> None:
    text = '<task type="checkpoint:moon">\n<name>Look</name>\n</task>\n'
    assert warnings(text) == [
        "08-02-PLAN.md:1:7: task type `checkpoint:moon` is not known; it waits for a person like every checkpoint"
    ]
    assert only(text).is_checkpoint


@pytest.mark.parametrize("attributes", ['tdd="true"', "tdd='true'"])
def test_a_task_that_begins_with_a_test(attributes: str) -> None:
    assert only(task(attributes=attributes)).is_tdd
    assert not only(task(attributes='tdd="false"')).is_tdd


@pytest.mark.parametrize("attribute", ["depends-on", "depends_on", "depends", "wait_for"])
def test_every_name_of_the_dependency(attribute: str) -> None:
    text = task(1) + task(2) + task(3, attributes=f'{attribute}="task-1"')
    assert read(text).tasks[2].depends_on == ("1",)


@pytest.mark.parametrize("markup", ["<n>Add login</n>", "<name>Add login</name>", "<title>Add login</title>"])
def test_every_name_of_the_name(markup: str) -> None:
    assert only(f"<task type='auto'>\n{markup}\n<action>Do it</action>\n</task>\n").name == "Add login"


def test_types_of_subagents_are_known_or_a_problem() -> None:
    assert only(task(attributes='subagent="Explore"')).subagent == "explore"
    assert only(task(attributes='subagent=""')).subagent == "general-purpose"
    odd = read(task(attributes='subagent="explor"'))
    (problem,) = odd.warnings
    assert odd.tasks[0].subagent == "explor"
    assert problem.message == "subagent is `explor`, which is not known; the agent is started as for `general-purpose`"
    assert problem.hint == "write one of general-purpose, explore, plan, bash"
