"""What is laid out for a terminal fits it: no word, no number with its unit and nothing to be pasted is torn."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.layout import Column, columns_of, count_of, fold_words, lay_out, say_left_out, shorten

COLUMNS = (
    Column("model", least=8),
    Column("input", is_right=True, rank=2),
    Column("cost", is_right=True),
    Column("from", rank=3),
)
ROWS = [tuple(column.title for column in COLUMNS), ("claude-sonnet-4-5", "1,000", "0.20", "list")]


def test_a_table_that_fits_is_whole() -> None:
    whole = ["model              input  cost  from", "claude-sonnet-4-5  1,000  0.20  list"]
    assert lay_out(COLUMNS, ROWS, None) == lay_out(COLUMNS, ROWS, 36) == (whole, [])
    padded, _ = lay_out(COLUMNS, ROWS, None, indent=2, is_padded=True)
    assert {columns_of(line) for line in padded} == {38}


@pytest.mark.parametrize(
    ("width", "last", "left_out"),
    [
        (35, "claude-sonnet-4…  1,000  0.20  list", []),
        (27, "claude-…  1,000  0.20  list", []),
        (26, "claude-sonne…  1,000  0.20", ["from"]),
        (20, "claude-sonnet…  0.20", ["input", "from"]),
        (5, "claude-…  0.20", ["input", "from"]),
    ],
)
def test_cells_are_shortened_before_columns_are_left_out(width: int, last: str, left_out: list[str]) -> None:
    lines, titles = lay_out(COLUMNS, ROWS, width)
    assert (lines[-1], titles) == (last, left_out)


@pytest.mark.parametrize(
    ("width", "last", "left_out"),
    [
        (33, "claude-sonnet…  1,000  0.20  list", []),
        (32, "claude-sonnet-4-5  1,000  0.20", ["from"]),
        (20, "claude-sonnet…  0.20", ["input", "from"]),
        (15, "claude-s…  0.20", ["input", "from"]),
    ],
)
def test_names_that_differ_at_their_ends_are_shortened_last(width: int, last: str, left_out: list[str]) -> None:
    lines, titles = lay_out((Column("model", least=8, usual=14), *COLUMNS[1:]), ROWS, width)
    assert (lines[-1], titles) == (last, left_out)


def test_what_is_left_out_is_said() -> None:
    assert say_left_out(["input", "from"]) == "(no room for: input, from)\n"
    assert say_left_out([]) == ""


@given(
    st.lists(st.tuples(*[st.text("ab漢 9,", max_size=12)] * 4), min_size=1, max_size=5),
    st.integers(min_value=8, max_value=80),
)
def test_a_table_is_as_wide_as_there_is_room_and_keeps_its_numbers(rows: list[tuple[str, ...]], width: int) -> None:
    columns = (Column("a", least=2), Column("b", rank=1), Column("c", rank=2), Column("d", rank=3, is_right=True))
    lines, left_out = lay_out(columns, rows, width)
    assert max(map(columns_of, lines)) <= max(width, 12)
    kept = [at for at, column in enumerate(columns) if column.title not in left_out]
    assert all(row[at].strip() in line for row, line in zip(rows, lines, strict=True) for at in kept[1:])


def test_one_is_no_plural() -> None:
    assert [count_of(number, "task") for number in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]


def test_shortened_text_says_so() -> None:
    assert shorten("a name", 6) == "a name"
    assert shorten("a name", 5) == "a na…"
    assert columns_of(shorten("漢字漢字", 5)) == 5


def test_styles_take_no_room_and_wide_signs_take_two() -> None:
    assert columns_of("\x1b[31m✗\x1b[0m ab") == 4
    assert columns_of("漢字") == 4
    assert columns_of("") == 0


@pytest.mark.parametrize(
    ("line", "width", "folded"),
    [
        ("error: there is no run `r` in this project", 24, "error: there is no run\n  `r` in this project"),
        ("used 460,024 tokens (23 %), 5 USD", 25, "used 460,024 tokens\n  (23 %), 5 USD"),
        ("say `bursar token init` first", 20, "say\n  `bursar token init`\n  first"),
        ("r1  08-02  stopped  →  bursar resume r1", 24, "r1  08-02  stopped\n    →  bursar resume r1"),
        ("it goes on with this: git merge a", 22, "it goes on with this:\n  git merge a"),
        ("  --at DAY  prices of that day, not", 25, "  --at DAY  prices of\n      that day, not"),
        ("  at  prices of that day, not", 20, "  at  prices of that\n      day, not"),
        ("  limit        2 tokens        ledger", 28, "  limit        2 tokens\n      ledger"),
        ("  limit        2 tokens        ledger", 31, "  limit        2 tokens  ledger"),
    ],
)
def test_a_wide_line_is_folded_between_its_parts(line: str, width: int, folded: str) -> None:
    assert fold_words(line, width) == folded


@pytest.mark.parametrize(
    "line",
    ['{"a": "words and words and words"}', '  "a": "words and words and words",', "hint: git branch a b c d e f g h i"],
)
def test_what_is_data_or_to_be_pasted_stays(line: str) -> None:
    assert fold_words(line, 20) == line


def test_a_hint_with_words_around_its_command_is_folded() -> None:
    assert fold_words("hint: `bursar token init` sets one", 26) == "hint: `bursar token init`\n  sets one"


@given(st.text("ab1,%`·→ :", max_size=120), st.integers(min_value=20, max_value=60))
def test_nothing_is_lost_and_no_word_is_torn(line: str, width: int) -> None:
    folded = fold_words(line, width)
    assert folded.split() == line.split()
    if not re.search("[`→:]", line):
        longest = max(map(len, re.findall(r"\S+", line)), default=0)
        assert longest > width // 3 or max(map(len, folded.split("\n"))) <= max(
            width, len(line) - len(line.lstrip()) + 30
        )


def test_every_line_is_looked_at_and_none_that_is_no_text() -> None:
    assert fold_words("one two three four five\nsix", 20) == "one two three four\n  five\nsix"
    huge = "a `b  " * 5_000
    assert fold_words(huge, 20) == huge
