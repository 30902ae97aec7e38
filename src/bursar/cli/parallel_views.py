"""`bursar parallel analyze|check`: groups of phases, and whether the tokens that are left allow them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bursar.budget import OF_TASKS, Balance, Budget, Counting, OnLimit, PeriodKind, Unit
from bursar.cli.budget_standing import configured_standing
from bursar.cli.json_output import write_json, write_json_line
from bursar.cli.parallel_roadmap import link_phases, numbers_as_data, open_roadmap
from bursar.cli.quantities import parse_used_tokens
from bursar.cli.roadmap_progress import read_progress, tell_progress
from bursar.clock import SystemClock
from bursar.config import ParallelTable, find_ledger_place, read_parallel
from bursar.errors import OK, TASK_FAILED
from bursar.graph import ParallelGroup, Verdict, judge_group, parallel_groups
from bursar.ledger import is_ledger_url, open_ledger
from bursar.session import find_project, format_limit, read_balance

SEQUENTIAL_ONLY = TASK_FAILED  # a contract with scripts: 0 if phases can run side by side, 1 if not


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensLeft:
    """What is left of a token budget.

    Attributes:
        remaining: its limit, less what is spent and reserved.
        available: what can still be reserved: less than remains where the budget stops before its limit.
    """

    remaining: int
    available: int
    limit: int | None = None
    source: str


def analyze(options: Any) -> int:
    """The groups of all phases that are done or to be done: JSON on stdout, sentences on stderr."""
    progress = read_progress(open_roadmap(options.roadmap))
    groups = parallel_groups(link_phases(progress.roadmap, done_too=True))
    data = {
        "parallelGroups": [numbers_as_data(group.phases) for group in groups],
        "totalPhases": sum(len(group.phases) for group in groups),
        "maxParallelism": max((len(group.phases) for group in groups), default=0),
    }
    write_json_line(data, only_ascii=True)
    sentences = [str(group) for group in groups if group.wave is not None]
    for sentence in sentences or ["No two phases can run in parallel"]:
        sys.stderr.write(f"{sentence}\n")
    tell_progress(progress)
    return OK


def check(options: Any) -> int:
    """Whether any phases that are still to be done can run side by side with the tokens that are left."""
    project = find_project()
    table = read_parallel(Path(project)).table
    left = _tokens_left(project, options.remaining)
    progress = read_progress(open_roadmap(options.roadmap))
    groups = parallel_groups(link_phases(progress.roadmap))
    verdicts = {group: _judge(group, table, left) for group in groups if group.wave is not None}
    can = table.max_workers > 1 and Verdict.CAN_PROCEED in verdicts.values()
    if options.json:
        write_json(_as_data(groups, verdicts, table, left, can=can) | progress.as_data())
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(groups, verdicts, table, left))
        tell_progress(progress)
    _remark(verdicts, table, left)
    return OK if can else SEQUENTIAL_ONLY


def _tokens_left(project: str, given: str | None) -> TokensLeft | None:
    """What is left by the flag, else of the project's session or a budget of the settings, of which least is left.

    None where no budget is set.
    """
    if given is not None:
        tokens = parse_used_tokens("--remaining", given)
        return TokensLeft(remaining=tokens, available=tokens, source="--remaining")
    place = find_ledger_place()
    ledger = open_ledger(place, SystemClock()) if is_ledger_url(place) or os.path.lexists(place) else None
    try:
        session, configured = read_balance(ledger, project), configured_standing(Path(project), ledger)
    finally:
        if ledger is not None:
            ledger.close()
    lefts = [] if session is None else [_left_of(session, session.budget.name)]
    lefts += [_left_of(each.balance, each.title) for each in configured if _limits_phases(each.balance.budget)]
    return min(lefts, key=lambda left: left.available, default=None)


def _limits_phases(budget: Budget) -> bool:
    """Whether a run asks what is left of it before phases work side by side: it stops the tokens of all of them."""
    is_limit = budget.limit.unit is Unit.TOKENS and budget.on_limit is OnLimit.BLOCK
    return is_limit and budget.counts is Counting.TOTAL and OF_TASKS.isdisjoint(budget.selector)


def _left_of(balance: Balance, source: str) -> TokensLeft:
    limit = balance.budget.limit.quantity
    if balance.budget.period.kind is PeriodKind.RUN:  # the next run has all of it
        balance = Balance(budget=balance.budget, spent=0, reserved=0, metered=0)
    return TokensLeft(
        remaining=max(0, limit - balance.spent - balance.reserved),
        available=balance.available,
        limit=limit,
        source=source,
    )


def _needed(group: ParallelGroup, table: ParallelTable) -> int:
    return len(group.phases) * table.min_token_budget_per_phase


def _judge(group: ParallelGroup, table: ParallelTable, left: TokensLeft | None) -> Verdict:
    available = None if left is None else left.available
    return judge_group(_needed(group, table), available, falls_back=table.fallback_to_sequential)


def _lines(
    groups: tuple[ParallelGroup, ...],
    verdicts: dict[ParallelGroup, Verdict],
    table: ParallelTable,
    left: TokensLeft | None,
) -> list[str]:
    if not verdicts:
        count = sum(len(group.phases) for group in groups)
        which = "no phase is left to run" if not count else f"no two of the {count} phases that are left"
        return [f"Sequential only: {which}" + (" can run in parallel" if count else "")]
    remaining = "unlimited" if left is None else f"{format_limit(left.remaining)} remaining"
    lines: list[str] = []
    for group, verdict in verdicts.items():
        need = format_limit(_needed(group, table))
        lines += [str(group), f"Token budget: {remaining}, need {need} for parallel group -> {verdict}"]
    return lines


def _remark(verdicts: dict[ParallelGroup, Verdict], table: ParallelTable, left: TokensLeft | None) -> None:
    """What the lines do not say, on stderr."""
    if verdicts and table.max_workers == 1:
        sys.stderr.write("warning: MAX_WORKERS is 1: phases run one after the other\n")
    if verdicts and left is None:
        sys.stderr.write("no token budget is set; `bursar token init` sets one, `--remaining N` assumes one\n")
    if left is None:
        return
    if left.available < left.remaining:
        sys.stderr.write(f"{left.available:,} tokens can still be reserved: the budget stops before its limit\n")
    if left.available < table.min_token_budget_per_phase:
        least = format_limit(table.min_token_budget_per_phase)
        sys.stderr.write(
            f"warning: {left.available:,} tokens are less than {least}, the least for one phase: start none\n"
        )


def _as_data(
    groups: tuple[ParallelGroup, ...],
    verdicts: dict[ParallelGroup, Verdict],
    table: ParallelTable,
    left: TokensLeft | None,
    *,
    can: bool,
) -> dict[str, Any]:
    return {
        "canParallel": can,
        "groups": [
            {
                "phases": numbers_as_data(group.phases),
                "wave": group.wave,
                "neededTokens": _needed(group, table),
                "canParallel": table.max_workers > 1 and verdicts.get(group) is Verdict.CAN_PROCEED,
                "verdict": str(verdicts[group]) if group in verdicts else None,
            }
            for group in groups
        ],
        "tokenBudget": None
        if left is None
        else {
            "limit": left.limit,
            "remaining": left.remaining,
            "available": left.available,
            "source": left.source,
        },
    }
