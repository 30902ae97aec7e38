"""JSON with places: what is read, and where it is said that something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.plan.json_text import MAX_DEPTH, Json, parse_json
from bursar.plan.source import Source

PATH = Path("jobs.json")


def plain(found: Json) -> Any:
    """The value without its places."""
    match found.value:
        case dict():
            return {key: plain(value) for key, (_, value) in found.value.items()}
        case list():
            return [plain(item) for item in found.value]
    return found.value


def problems(text: str) -> list[str]:
    source = Source(text, PATH)
    parse_json(source)
    return [str(problem).removeprefix("jobs.json:") for problem in source.problems()]


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_it_reads_what_the_standard_library_writes(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    source = Source(json.dumps(value, indent=indent, ensure_ascii=ascii_only), PATH)
    found = parse_json(source)
    assert found is not None
    assert plain(found) == value
    assert not source.problems()


@given(st.text())
def test_it_agrees_with_the_standard_library_on_what_is_json(text: str) -> None:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
        is_json = True
    except ValueError:
        is_json = False
    assert (parse_json(Source(text, PATH)) is not None) == is_json


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: not JSON: a value is due, not the end of the file"),
        ('{"a": NaN}', "1:7: not JSON: a value is due, not `NaN`"),
        ("[Infinity]", "1:2: not JSON: a value is due, not `Infinity`"),
        ('{"a": 1,\n}', "1:8: not JSON: a comma before `}`"),
        ("[1 2]", "1:4: not JSON: `,` or `]` is due, not `2`"),
        ('{"a" 1}', "1:6: not JSON: `:` is due, not `1`"),
        ("{'a': 1}", "1:2: not JSON: a key in double quotes is due, not `'`"),
        ('{"a": "b', "1:7: not JSON: an unterminated string"),
        ('{"a": "b\nc"}', "1:9: not JSON: invalid control character"),
        ("[01]", "1:2: not JSON: a value is due, not `01`"),
        ("[] {}", "1:4: not JSON: `{` after the end"),
        ("9" * 500, "1:1: a number of 500 characters"),
        ('{"a": 1,\n "a": 2}', "2:2: the key `a` stands there already, in line 1"),
        ('["\\ud800"]', "1:2: half a character: a surrogate escape without its other half"),
    ],
)
def test_every_problem_has_its_place(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_deep_nesting_is_refused_and_not_followed() -> None:
    assert problems("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert problems("[" * 1_000_000) == [f"1:{MAX_DEPTH + 1}: nested more than {MAX_DEPTH} deep"]
