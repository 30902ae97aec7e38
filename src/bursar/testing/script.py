"""What the fake model answers, as data: a pure function from a request to a reply.

A script knows a task by a marker in the prompt (`# Task 4:`) and a step by how many rounds of tool results the
conversation already holds. Nothing is remembered between requests, so that conversations may run in parallel, be
killed, and start again; only `times` of a fault needs a memory, and that is the server's.

As JSON, the form that `python -m bursar.testing.model_server --script FILE` reads:

    {"tasks": {"# Task 1:": [{"tools": [{"name": "Write", "input": {"file_path": "a.txt", "content": "a"}}]},
                             {"text": "done", "usage": {"input_tokens": 10, "output_tokens": 5}}],
               "# Task 2:": [{"status": 529, "times": 2, "text": "done"}]},
     "rules": [{"marker": "# Task 3:", "model": "haiku", "steps": [{"text": "I do not know how."}]}],
     "default": [{"text": "done"}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bursar.usage import Usage

DEFAULT_USAGE = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool that the model asks for: `Write` with `file_path` and `content`, `Bash` with `command`, …"""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reply, and what goes wrong with it.

    Attributes:
        text: what the model says, before its tool calls.
        tools: what it asks for; without any the conversation ends here.
        usage: what this call is billed at when it is served in full.
        status: an HTTP status to answer instead (402, 429, 529 …); nothing is billed. None: no such fault.
        cut: the connection is dropped in the middle of the stream; input and half the output are billed.
        duplicate: every usage-bearing frame is sent twice.
        times: how often the fault (`status`, `cut`) happens to a task's step before it goes well; None: every time.
        wait_for: name of the server's gate at which the reply waits, after its first frame; None: no waiting.
        delay_seconds: a pause between the first frame and the rest.
        headers: more headers of the answer: what a provider says of a subscription's windows, when to ask again.
        service_tier: what the usage says of how the call was served; None leaves it to the dialect.
        speed: the same of how fast; None leaves it out.
    """

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    usage: Usage = DEFAULT_USAGE
    status: int | None = None
    cut: bool = False
    duplicate: bool = False
    times: int | None = None
    wait_for: str | None = None
    delay_seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    service_tier: str | None = None
    speed: str | None = None

    @property
    def has_fault(self) -> bool:
        """This step goes wrong at least once."""
        return self.status is not None or self.cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Steps for conversations whose prompt contains `marker` and whose model's name contains `model`, if given."""

    marker: str
    steps: tuple[Step, ...]
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a script has to say to one request: the step, its number from 0, and the marker it was found by."""

    task: str
    number: int
    step: Step


DONE = Step(text="done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Rules, and what to do where none fits."""

    rules: tuple[Rule, ...] = ()
    default: tuple[Step, ...] = (DONE,)

    @classmethod
    def of(cls, tasks: Mapping[str, Sequence[Step]], *, default: Sequence[Step] = (DONE,)) -> Script:
        """A script from marker → steps."""
        rules = tuple(Rule(marker=marker, steps=tuple(steps)) for marker, steps in tasks.items())
        return cls(rules=rules, default=tuple(default))

    def reply(self, request: Mapping[str, Any]) -> Reply:
        """What to answer to the body of a Messages request. Past the last step the model says `done`."""
        messages = request.get("messages", ())
        prompt = "\n".join(_user_texts(messages))
        rule = self._rule(prompt, str(request.get("model", "")))
        steps = self.default if rule is None else rule.steps
        number = count_tool_rounds(messages)
        step = steps[number] if number < len(steps) else DONE
        return Reply(task="" if rule is None else rule.marker, number=number, step=step)

    def _rule(self, prompt: str, model: str) -> Rule | None:
        """The rule whose marker stands first in the prompt; among equals, one that asks for a model."""
        found = [
            (prompt.find(rule.marker), rule.model is None, rule)
            for rule in self.rules
            if rule.marker in prompt and (rule.model is None or rule.model in model)
        ]
        return min(found, key=lambda item: item[:2])[2] if found else None


def count_tool_rounds(messages: Iterable[Mapping[str, Any]]) -> int:
    """How many times the model asked for tools and was answered; several tools asked for at once are one round."""
    rounds = 0
    asked = False
    for message in messages:
        kinds = {block.get("type") for block in _blocks(message)}
        asked = asked or (message.get("role") == "assistant" and "tool_use" in kinds)
        if asked and "tool_result" in kinds:
            rounds += 1
            asked = False
    return rounds


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content", "")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, Mapping)]


def _user_texts(messages: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for message in messages:
        if message.get("role") == "user":
            yield from (str(block.get("text", "")) for block in _blocks(message) if block.get("type") == "text")


def step_from_json(data: Mapping[str, Any]) -> Step:
    """A step from its JSON form.

    Raises:
        ValueError: a key or a tool is not known.
    """
    values = dict(data)
    try:
        values["tools"] = tuple(ToolCall(**tool) for tool in values.get("tools", ()))
        if "usage" in values:
            values["usage"] = Usage(**values["usage"])
        return Step(**values)
    except TypeError as error:
        raise ValueError(f"not a step: {error}: {data!r}") from None


def script_from_json(data: Mapping[str, Any]) -> Script:
    """A script from its JSON form (see the module's docstring).

    Raises:
        ValueError: a step is malformed.
    """
    rules = [
        Rule(marker=rule["marker"], model=rule.get("model"), steps=_steps(rule["steps"]))
        for rule in data.get("rules", ())
    ]
    rules += [Rule(marker=marker, steps=_steps(steps)) for marker, steps in data.get("tasks", {}).items()]
    return Script(rules=tuple(rules), default=_steps(data["default"]) if "default" in data else (DONE,))


def _steps(data: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(step_from_json(step) for step in data)


def read_script(path: Path) -> Script:
    """The script in a JSON file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON, or a step is malformed.
    """
    return script_from_json(json.loads(path.read_text(encoding="utf-8")))
