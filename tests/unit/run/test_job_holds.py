"""What is learned of earlier attempts at the same command."""

from __future__ import annotations

import pytest

from bursar.run.expectations import estimate_from


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], None),
        ([5, 5], None),
        ([30, 10, 20], (10, 20, 30)),
        ([0, 0, 0], (1, 1, 1)),
        (range(1, 11), (1, 5, 9)),
        (range(1, 101), (55, 75, 95)),  # the latest fifty
    ],
)
def test_nearest_ranks_from_three_on(tokens: list[int], expected: tuple[int, int, int] | None) -> None:
    found = estimate_from(list(tokens))
    assert (None if found is None else (found.tokens_p10, found.tokens_p50, found.tokens_p90)) == expected
