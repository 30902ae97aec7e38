"""What a phase will probably take, before it has any plan."""

from __future__ import annotations

from bursar.plan import Phase

PHASE_TOKENS = 10_000
REQUIREMENT_TOKENS = 1_000
CRITERION_TOKENS = 500


def estimate_phase_tokens(phase: Phase) -> int:
    """Tokens for all of a phase: 10,000, and 1,000 for each requirement and 500 for each success criterion.

    Source: the documents that bursar is built after; it knows nothing of earlier phases.
    """
    listed = len(phase.requirements) * REQUIREMENT_TOKENS + len(phase.success_criteria) * CRITERION_TOKENS
    return PHASE_TOKENS + listed
