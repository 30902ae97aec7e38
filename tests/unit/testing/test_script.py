"""A script is a pure function from a request to a reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.testing.script import DEFAULT_USAGE, Rule, Script, Step, ToolCall, read_script, script_from_json
from bursar.usage import Usage

FIRST, SECOND = Step(text="first", tools=(ToolCall("Bash", {"command": "ls"}),)), Step(text="second")
USE = {"role": "assistant", "content": [{"type": "tool_use"}, {"type": "tool_use"}]}
RESULT = {"role": "user", "content": [{"type": "tool_result"}, {"type": "tool_result"}]}


def request(prompt: str, *more: dict[str, Any], model: str = "haiku") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}, *more]}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ([], "first"),
        ([USE, RESULT], "second"),
        (
            [
                USE,
                {"role": "user", "content": [{"type": "tool_result"}]},
                {"role": "user", "content": [{"type": "tool_result"}]},
            ],
            "second",
        ),
        ([{"role": "system", "content": "reminder"}, USE, RESULT, {"role": "system", "content": "x"}], "second"),
        ([USE], "first"),
        ([RESULT], "first"),
        ([USE, RESULT, USE, RESULT], "done"),
    ],
)
def test_steps_advance_with_the_rounds_of_tools(more: list[dict[str, Any]], text: str) -> None:
    assert Script.of({"# Task 1:": [FIRST, SECOND]}).reply(request("# Task 1: x", *more)).step.text == text


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("# Task 1: a", "# Task 1:"),
        ("reminder\n# Task 2: b\nafter # Task 1: a", "# Task 2:"),
        ("# Task 12: c", ""),
        ("nothing", ""),
        ("", ""),
    ],
)
def test_the_first_marker_in_the_prompt_is_the_task(prompt: str, task: str) -> None:
    script = Script.of({"# Task 1:": [FIRST], "# Task 2:": [SECOND]})
    reply = script.reply(request(prompt))
    assert reply.task == task
    assert (reply.step.text == "done") is (task == "")


def test_tool_results_do_not_name_the_task() -> None:
    said = {"role": "user", "content": [{"type": "tool_result", "content": "# Task 1: x"}]}
    assert Script.of({"# Task 1:": [FIRST]}).reply(request("other", said)).task == ""


@pytest.mark.parametrize(("model", "text"), [("claude-haiku-5-5", "first"), ("claude-opus-5-5", "second")])
def test_a_rule_for_a_model_goes_first(model: str, text: str) -> None:
    rules = (Rule(marker="T", steps=(SECOND,)), Rule(marker="T", steps=(FIRST,), model="haiku"))
    assert Script(rules=rules).reply(request("T", model=model)).step.text == text


def test_from_a_file(tmp_path: Path) -> None:
    data = {
        "tasks": {"A": [{"tools": [{"name": "Bash", "input": {"command": "ls"}}], "usage": {"input_tokens": 5}}, {}]},
        "rules": [{"marker": "B", "model": "opus", "steps": [{"status": 529, "times": 2}]}],
        "default": [{"text": "who?"}],
    }
    path = tmp_path / "script.json"
    path.write_text(json.dumps(data))
    script = read_script(path)
    assert script.reply(request("A")).step == Step(
        tools=(ToolCall("Bash", {"command": "ls"}),), usage=Usage(input_tokens=5)
    )
    assert script.reply(request("A", USE, RESULT)).step.usage == DEFAULT_USAGE
    assert script.reply(request("B", model="opus")).step.has_fault
    assert script.reply(request("B")).step.text == "who?"


@pytest.mark.parametrize(
    "step", [{"txt": "x"}, {"usage": {"tokens": 1}}, {"tools": [{"nam": "x"}]}], ids=["step", "usage", "tool"]
)
def test_a_misspelt_step_is_an_error(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a step"):
        script_from_json({"tasks": {"A": [step]}})
