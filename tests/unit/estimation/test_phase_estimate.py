"""What a phase will probably take, by its requirements and success criteria."""

from __future__ import annotations

import pytest

from bursar.estimation import estimate_phase_tokens
from bursar.plan import Phase


@pytest.mark.parametrize(
    ("requirements", "criteria", "tokens"), [(0, 0, 10_000), (1, 0, 11_000), (0, 1, 10_500), (4, 3, 15_500)]
)
def test_a_phase_is_estimated_by_what_it_lists(requirements: int, criteria: int, tokens: int) -> None:
    phase = Phase(
        number="7",
        requirements=tuple(f"A-{number}" for number in range(requirements)),
        success_criteria=tuple(f"criterion {number}" for number in range(criteria)),
    )
    assert estimate_phase_tokens(phase) == tokens
