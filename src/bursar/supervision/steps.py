"""The processes of one attempt, where there are more than one: what comes before the agent's work, on the same hold."""

from __future__ import annotations

import msgspec

from bursar.budget import Amount
from bursar.errors import BursarError
from bursar.supervision.spec import AttemptSpec, Ending, Outcome
from bursar.supervision.spending import Spending


def attempt_steps(spec: AttemptSpec) -> list[AttemptSpec]:
    """The processes of the attempt, in their order: what comes before the agent's work, and that."""
    return [*(msgspec.structs.replace(spec, stdin=told) for told in spec.before), spec]


def within_time(step: AttemptSpec, before: Outcome) -> AttemptSpec:
    """The step with the time that is left of the attempt's."""
    if step.limit_seconds is None:
        return step
    return msgspec.structs.replace(step, limit_seconds=max(0.0, step.limit_seconds - before.wall_seconds))


def what_stops(outcome: Outcome, spending: Spending) -> Outcome | None:
    """The outcome with which the attempt ends before its agent's work; None if nothing is in the way of that."""
    if outcome.ending is not Ending.EXITED:
        return outcome
    if outcome.is_error is not False or outcome.exit_code != 0:
        said = outcome.message or f"exit code {outcome.exit_code}"
        return msgspec.structs.replace(outcome, is_error=True, message=f"before its work: {said}")
    try:
        limit = spending.limit_reached()
    except BursarError as error:
        return msgspec.structs.replace(outcome, ending=Ending.LEDGER_FAILED, limit=error.message)
    return msgspec.structs.replace(outcome, ending=Ending.LIMIT, limit=limit) if limit else None


def join_outcomes(first: Outcome, then: Outcome, unknown: Amount, spending: Spending) -> Outcome:
    """The later process's outcome, with what both have left open; what was metered is of both already."""
    return msgspec.structs.replace(
        then,
        unknown_tokens=unknown.tokens,
        unknown_nano_usd=unknown.nano_usd,
        wall_seconds=round(first.wall_seconds + then.wall_seconds, 3),
        differences=[*first.differences, *then.differences],
        tokens_by_provenance=spending.tokens_by_provenance(unknown),
        rejected_lines=first.rejected_lines + then.rejected_lines,
        leftovers_killed=first.leftovers_killed and then.leftovers_killed,
        left_out_bytes=first.left_out_bytes + then.left_out_bytes,
    )
