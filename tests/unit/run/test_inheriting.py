"""How what a task inherits is cut: whole characters, whole parts, and a bound in bytes."""

from __future__ import annotations

from dataclasses import replace

from bursar.budget import Amount
from bursar.run.holds import Hold, less, with_more
from bursar.run.inheriting import join_within, shortened


def test_a_text_is_cut_in_whole_characters_and_says_so() -> None:
    assert shortened("äöü", 6) == "äöü"
    cut = shortened("ä" * 50, 31)
    assert cut == "ä" * 8 + "\n… cut short"
    assert len(cut.encode()) <= 31
    assert shortened("abc", 2) == ""


def test_parts_are_left_out_whole() -> None:
    parts = ["a" * 40, "b" * 40, "c" * 40]
    assert join_within(parts, 200) == "\n\n".join(parts)
    assert join_within(parts, 90) == f"{parts[0]}\n\n{parts[1]}\n\n… and 1 more tasks that are left out here."
    assert join_within(parts[:1], 10) == parts[0]


HOLD = Hold(amount=Amount(10_000, 1_000), minimum=Amount(10_000, 1_000), source="estimate")


def test_what_is_read_is_held_for_within_the_task_s_own_budget() -> None:
    assert with_more(HOLD, 0, None) is HOLD
    assert with_more(HOLD, 500, None).amount == Amount(10_500, 1_050)
    assert with_more(HOLD, 500, None).minimum == Amount(10_500, 1_050)
    assert with_more(HOLD, 500, 10_200).amount == Amount(10_200, 1_020)
    assert with_more(HOLD, 500, 9_000) is HOLD
    assert with_more(replace(HOLD, minimum=Amount(1, 1)), 500, None).minimum == Amount(1, 1)


def test_what_was_used_is_not_held_again() -> None:
    assert less(HOLD, 0) is HOLD
    rest = less(HOLD, 4_000)
    assert (rest.amount, rest.minimum, rest.source) == (Amount(6_000, 600), Amount(6_000, 600), "rest of the estimate")
    nearly = less(HOLD, 9_990)
    assert (nearly.amount, nearly.minimum) == (Amount(1_000, 100), Amount(1, 1)), "nobody knows what it lacks"
    blind = replace(HOLD, is_blind=True)
    assert less(blind, 4_000) is blind
