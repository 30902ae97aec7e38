"""`bursar parallel simulate`: phases side by side against one after the other, in minutes and tokens."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json
from bursar.cli.parallel_roadmap import link_phases, numbers_as_data, open_roadmap
from bursar.cli.quantities import parse_used_tokens
from bursar.cli.roadmap_files import find_roadmap
from bursar.cli.roadmap_progress import read_progress, tell_progress
from bursar.config import ParallelTable, read_parallel
from bursar.errors import OK, UserError
from bursar.estimation import PHASE_TOKENS, estimate_phase_tokens
from bursar.graph import Duration, find_misplaced, parallel_groups, parse_groups, simulate_group
from bursar.plan import Phase, Roadmap
from bursar.session import find_project

# Medians of 472 plans in 154 phases of eleven public projects, by the times that their summaries give.
MINUTES_PER_PLAN = 7.0
MINUTES_PER_PHASE = 20.0
_MINUTES = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What one phase is taken to need, and by what: `roadmap`, `flag`, `default`."""

    minutes: float
    minutes_by: str
    tokens: int
    tokens_by: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """One group of phases, and how it would go."""

    phases: tuple[str, ...]
    duration: Duration
    tokens: int


def simulate(options: Any) -> int:
    """Says what it would take; nothing is run."""
    table = read_parallel(Path(find_project())).table
    roadmap = _roadmap(options)
    groups = _groups(options.groups, roadmap)
    minutes = None if options.minutes is None else _parse_minutes(options.minutes)
    tokens = None if options.tokens is None else parse_used_tokens("--tokens", options.tokens)
    guesses = {phase: _guess(phase, roadmap, minutes, tokens) for group in groups for phase in group}
    simulated = [_simulated(group, guesses, table.max_workers) for group in groups]
    if options.json:
        write_json(_as_data(simulated, guesses, table))
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(simulated, guesses, table))
    return OK


def _roadmap(options: Any) -> Roadmap | None:
    """The roadmap, where one is named or the project has one; without groups there has to be one."""
    if options.roadmap is None and options.groups is not None and not _has_roadmap():
        return None
    return open_roadmap(options.roadmap)


def _has_roadmap() -> bool:
    try:
        return find_roadmap().exists()
    except UserError:
        return False


def _groups(text: str | None, roadmap: Roadmap | None) -> Sequence[tuple[str, ...]]:
    if text is None:
        assert roadmap is not None
        progress = read_progress(roadmap)
        tell_progress(progress)
        return [group.phases for group in parallel_groups(link_phases(progress.roadmap))]
    try:
        groups = parse_groups(text)
    except ValueError as error:
        raise UserError(
            f"groups of phases: {error}", hint='write them like "1,2:3,4": first 1 and 2, then 3 and 4'
        ) from error
    if roadmap is not None:
        _check_order(groups, roadmap)
    return groups


def _check_order(groups: tuple[tuple[str, ...], ...], roadmap: Roadmap) -> None:
    """A simulation may run phases in any order; one that the roadmap does not allow is warned of."""
    misplaced = find_misplaced(groups, {phase.number: phase.depends_on for phase in roadmap.phases})
    if misplaced is not None:
        sys.stderr.write(
            f"warning: phase {misplaced.phase} depends on phase {misplaced.dependency},"
            " which would run with it or after it: `bursar parallel analyze` tells the groups\n"
        )
    unknown = [phase for group in groups for phase in group if roadmap.phase(phase) is None]
    if unknown:
        sys.stderr.write(f"warning: {roadmap.path} knows no phase {', '.join(unknown)}: defaults are assumed\n")


def _parse_minutes(text: str) -> float:
    if not _MINUTES.fullmatch(text) or float(text) <= 0:
        raise UserError(f"--minutes must be a number over 0 in plain digits, like 20 or 7.5, not {text!r}")
    return float(text)


def _guess(number: str, roadmap: Roadmap | None, minutes: float | None, tokens: int | None) -> Guess:
    phase = roadmap.phase(number) if roadmap is not None else None
    by_roadmap = "roadmap" if phase is not None else "default"
    plans = 0 if phase is None else phase.planned_plans or len(phase.plans)
    by_plans = plans * MINUTES_PER_PLAN
    return Guess(
        minutes=minutes if minutes is not None else by_plans or MINUTES_PER_PHASE,
        minutes_by="flag" if minutes is not None else "roadmap" if by_plans else "default",
        tokens=tokens if tokens is not None else _tokens(phase),
        tokens_by="flag" if tokens is not None else by_roadmap,
    )


def _tokens(phase: Phase | None) -> int:
    return PHASE_TOKENS if phase is None else estimate_phase_tokens(phase)


def _simulated(group: tuple[str, ...], guesses: Mapping[str, Guess], slots: int) -> Simulated:
    duration = simulate_group([guesses[phase].minutes for phase in group], slots)
    return Simulated(group, duration, sum(guesses[phase].tokens for phase in group))


def _lines(simulated: Sequence[Simulated], guesses: Mapping[str, Guess], table: ParallelTable) -> list[str]:
    if not simulated:
        return ["no phase to simulate"]
    lines = []
    for number, each in enumerate(simulated, start=1):
        what = f"phases [{', '.join(each.phases)}]" if len(each.phases) > 1 else f"phase [{each.phases[0]}]"
        lines.append(f"group {number}: {what}: {_minutes(each.duration.parallel)}, {each.tokens:,} tokens")
    total = _total(simulated)
    tokens = sum(each.tokens for each in simulated)
    lines += [
        f"parallel:   {_minutes(total.parallel)}, {tokens:,} tokens, at most {table.max_workers} at once",
        f"sequential: {_minutes(total.sequential)}, {tokens:,} tokens",
        f"{total.sequential / total.parallel:.2f} times as fast; the tokens are the same",
        *_assumptions(guesses),
    ]
    return lines


def _assumptions(guesses: Mapping[str, Guess]) -> list[str]:
    """Which numbers nobody gave."""
    lines = []
    if any(guess.minutes_by == "roadmap" for guess in guesses.values()):
        lines.append(f"assumed: {MINUTES_PER_PLAN:g} min for each plan that the roadmap lists")
    if unlisted := [phase for phase, guess in guesses.items() if guess.minutes_by == "default"]:
        lines.append(f"assumed: {MINUTES_PER_PHASE:g} min for a phase without plans ({', '.join(unlisted)})")
    if unknown := [phase for phase, guess in guesses.items() if guess.tokens_by == "default"]:
        lines.append(f"assumed: {PHASE_TOKENS:,} tokens for a phase that no roadmap describes ({', '.join(unknown)})")
    return lines


def _total(simulated: Sequence[Simulated]) -> Duration:
    return Duration(
        math.fsum(each.duration.parallel for each in simulated),
        math.fsum(each.duration.sequential for each in simulated),
    )


def _minutes(minutes: float) -> str:
    return f"{round(minutes, 3):g} min"


def _as_data(simulated: Sequence[Simulated], guesses: Mapping[str, Guess], table: ParallelTable) -> dict[str, Any]:
    total, tokens = _total(simulated), sum(each.tokens for each in simulated)
    return {
        "maxWorkers": table.max_workers,
        "groups": [
            {
                "phases": numbers_as_data(each.phases),
                "parallelMinutes": round(each.duration.parallel, 3),
                "sequentialMinutes": round(each.duration.sequential, 3),
                "tokens": each.tokens,
                "neededTokens": len(each.phases) * table.min_token_budget_per_phase,
            }
            for each in simulated
        ],
        "parallel": {"minutes": round(total.parallel, 3), "tokens": tokens},
        "sequential": {"minutes": round(total.sequential, 3), "tokens": tokens},
        "speedup": round(total.sequential / total.parallel, 3) if total.parallel else None,
        "phases": [
            {
                "phase": numbers_as_data([phase])[0],
                "minutes": guess.minutes,
                "minutesBy": guess.minutes_by,
                "tokens": guess.tokens,
                "tokensBy": guess.tokens_by,
            }
            for phase, guess in guesses.items()
        ],
    }
