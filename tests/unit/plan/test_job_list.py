"""Job lists: what they mean, and every problem of one at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.plan import (
    Instance,
    JobList,
    OutputFormat,
    UnreadableJobList,
    parse_job_list,
    plan_of_jobs,
    read_job_list,
)
from bursar.plan.job_list_fields import FIELDS, LARGEST_TOKENS

PATH = Path("jobs.json")
TOKENS = f"`max_tokens_per_command` should be a whole number of tokens from 1 to {LARGEST_TOKENS}"
UUID = "5f0c1c39-6d50-4bb0-9d0b-0a7a52d1b2c4"


def instance(**keys: Any) -> Instance:
    """One that says something."""
    found = parse_job_list(json.dumps({"instances": [{"prompt": "x", **keys}]}), PATH)
    assert isinstance(found, JobList), found
    return found.instances[0]


def problems(text: str) -> list[str]:
    found = parse_job_list(text, PATH)
    assert isinstance(found, UnreadableJobList)
    return [str(problem).removeprefix("jobs.json:") for problem in found.problems]


def problems_of(**keys: Any) -> list[str]:
    """What is said of an instance, without its place."""
    return [each.split(": ", 1)[1] for each in problems(json.dumps({"instances": [{"prompt": "x", **keys}]}))]


def test_every_key_is_read() -> None:
    keys = {
        "name": "api", "command": "/analyze src", "description": "why", "permission_mode": "plan",
        "output_format": "stream-json", "session_id": UUID, "clear_history": True, "compact_history": False,
        "pre_commands": ["make", "make test"], "allowed_tools": ["Read", "Bash(git log:*)", "mcp__a__b"],
        "max_tokens_per_command": 5000,
    }  # fmt: skip
    assert {*keys, "prompt"} == set(FIELDS)
    found = parse_job_list(json.dumps({"instances": [keys]}), PATH)
    assert isinstance(found, JobList)
    (read,) = found.instances
    assert (read.number, read.name, read.text, read.description) == ("1", "api", "/analyze src", "why")
    assert (read.permission_mode, read.output_format) == ("plan", OutputFormat.STREAM)
    assert (read.session_id, read.clears_history, read.continues) == (UUID, True, False)
    assert (read.pre_commands, read.max_tokens) == (("make", "make test"), 5000)
    assert read.allowed_tools == ("Read", "Bash(git log:*)", "mcp__a__b")


def test_null_is_as_good_as_absent() -> None:
    assert instance(**dict.fromkeys(set(FIELDS) - {"prompt"})).name == "x-1"


def test_as_a_plan_nothing_waits_for_anything() -> None:
    found = parse_job_list(
        json.dumps({"instances": [{"command": "/a b", "max_tokens_per_command": 9}, {"prompt": "c"}]}),
        Path("/x/my jobs!.json"),
    )
    assert isinstance(found, JobList)
    plan = plan_of_jobs(found)
    assert plan.id == "my-jobs"
    assert [(task.number, task.name, task.action) for task in plan.tasks] == [("1", "a-1", "/a b"), ("2", "c-2", "c")]
    assert [task.depends_on for task in plan.tasks] == [(), ()]
    assert [each and each.high for each in (task.metrics.estimated_tokens for task in plan.tasks)] == [9, None]


def test_the_digest_is_of_the_work() -> None:
    first = instance(name="a")
    assert instance(name="b", description="other", max_tokens_per_command=3).digest == first.digest
    assert instance(pre_commands=["ls"]).digest != first.digest


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": 1}, "`name` should be text, not a number"),
        ({"name": " "}, "`name` is empty"),
        ({"name": "a\nb"}, "a name is one line of at most 100 characters"),
        ({"command": "/x"}, "both `command` and `prompt`: an agent is told one thing"),
        ({"prompt": None}, "neither `command` nor `prompt`: the agent is told nothing"),
        ({"prompt": ""}, "`prompt` is empty"),
        ({"prompt": "a\0b"}, "`prompt` holds a NUL character"),
        ({"permission_mode": "plam"}, "`permission_mode` cannot be `plam`"),
        ({"output_format": "xml"}, "`output_format` cannot be `xml`"),
        ({"session_id": "abc"}, "a session's id is a UUID, not `abc`"),
        ({"clear_history": 1}, "`clear_history` should be true or false, not a number"),
        ({"pre_commands": "ls"}, "`pre_commands` should be a list of texts, not text"),
        ({"pre_commands": ["ls", 1]}, "`pre_commands` should hold texts alone, and none of them empty"),
        ({"pre_commands": ["/clear"]}, "`/clear` is a command of the agent, not of the shell"),
        ({"allowed_tools": ["--resume"]}, "`--resume` is no tool"),
        ({"allowed_tools": ["Read,Write"]}, "`Read,Write` is no tool"),
        ({"max_tokens_per_command": True}, TOKENS),
        ({"max_tokens_per_command": -1}, TOKENS),
        ({"max_tokens_per_command": 5.0}, TOKENS),
        ({"max_token": 5}, "unknown key `max_token`"),
    ],
)  # fmt: skip
def test_what_one_instance_may_not_say(keys: dict[str, Any], said: str) -> None:
    assert problems_of(**keys) == [said]


def test_all_problems_are_told_at_once_each_at_its_place() -> None:
    text = """{"instances": [
  {"nam": "x", "prompt": 5},
  7,
  {"name": "y", "prompt": "p"},
  {"name": "y",
   "prompt": "q"},
  {"name": "z"}
], "more": 1}"""
    assert problems(text) == [
        "2:4: unknown key `nam`",
        "2:26: `prompt` should be text, not a number",
        "3:3: instance 2 should be an object",
        "5:12: two instances are called `y`: 3 and 4",
        "7:3: neither `command` nor `prompt`: the agent is told nothing",
        "8:4: unknown key `more`",
    ]


def test_an_unknown_key_names_the_nearest() -> None:
    found = parse_job_list('{"instances": [{"comand": "/x"}]}', PATH)
    assert isinstance(found, UnreadableJobList)
    assert [problem.hint for problem in found.problems] == ['"prompt": "…"', "did you mean `command`?"]


def test_two_in_one_conversation() -> None:
    two = [{"prompt": "a", "session_id": UUID}, {"prompt": "b", "session_id": UUID.upper()}]
    (said,) = problems(json.dumps({"instances": two}))
    assert said == "1:117: instances 1 and 2 would go on with one conversation at once"
    two[1]["clear_history"] = True  # type: ignore[assignment]
    assert isinstance(parse_job_list(json.dumps({"instances": two}), PATH), JobList)


def test_compacting_nothing_is_only_odd() -> None:
    found = parse_job_list('{"instances": [{"prompt": "x", "compact_history": true}]}', PATH)
    assert isinstance(found, JobList)
    assert [problem.is_error for problem in found.warnings] == [False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "1:1: an object with the key `instances` is due"),
        ("{}", "1:1: there is no `instances`"),
        ('{"instances": {}}', "1:15: `instances` should be a list"),
        ('{"instances": []}', "1:15: `instances` is empty: there is nothing to run"),
        ("nothing", "1:1: not JSON: a value is due, not `nothing`"),
    ],
)
def test_what_is_no_list(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large, binary, latin = tmp_path / "large.json", tmp_path / "binary.json", tmp_path / "latin.json"
    with large.open("wb") as file:
        file.truncate(50 * 2**20)
    binary.write_bytes(b'{"instances": [\0]}')
    latin.write_bytes('{\n "ä'.encode("latin-1"))
    said = {}
    for path in (large, binary, latin, tmp_path / "none.json"):
        found = read_job_list(path)
        assert isinstance(found, UnreadableJobList)
        said[path.stem] = [str(problem).removeprefix(f"{path}:") for problem in found.problems]
    assert said == {
        "large": ["1:1: is 50.0 MiB large; a job list has at most 4 MiB"],
        "binary": ["1:16: is a binary file (it holds a NUL byte)"],
        "latin": ["2:3: is not UTF-8: byte 0xe4"],
        "none": ["1:1: no such file"],
    }


keys = st.sampled_from(FIELDS) | st.text(max_size=3)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["plan", "text", UUID])


@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), scalars | st.lists(scalars, max_size=3)))
)
def test_whatever_it_says_it_is_a_list_or_has_problems(instances: list[dict[str, Any]]) -> None:
    found = parse_job_list(json.dumps({"instances": instances}), PATH)
    if isinstance(found, JobList):
        assert len(found.instances) == len(instances)
        assert all(each.text for each in found.instances)
    else:
        assert any(problem.is_error for problem in found.problems)
