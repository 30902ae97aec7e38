"""The budgets over one run: as they were asked for, and as the ledger has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bursar.budget import RUN_THRESHOLDS, Budget, Limit, OnLimit, parse_limit
from bursar.errors import UserError
from bursar.journal import RunRow, TopUp
from bursar.run.prepare import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimit:
    """The budget over a run: as typed, and as understood; `top_up` says so where it was reached by adding."""

    text: str
    limit: Limit
    top_up: TopUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBudget:
    """One more budget over a run, or over the part of it that bears the labels of `match`.

    Attributes:
        on_limit: None leaves it to what the run's budget of that name does already; a new one warns.
    """

    name: str
    limit: Limit
    match: Mapping[str, str] = field(default_factory=dict)
    on_limit: OnLimit | None = None


def define_budgets(tools: Tools, run_id: str, limit: RunLimit | None, more: Sequence[RunBudget]) -> None:
    """The ledger has them; where the limit was reached by adding, the journal had it before."""
    if limit is not None:
        if limit.top_up is not None:
            tools.stores.journal.controls.add_to_limit(limit.top_up)  # before the ledger: its key must not count twice
        tools.stores.ledger.define(run_budget(run_id, limit.limit))
    for each in more:
        tools.stores.ledger.define(_build_budget(tools, run_id, each))


def limit_never_defined(tools: Tools, run: RunRow) -> RunLimit | None:
    """The limit that a run was begun with, or raised to, where it was cut off before the ledger heard of it."""
    if run.limit is None:
        return None
    limit = parse_limit(run.limit)
    known = tools.stores.ledger.balance(run_budget(run.id, limit).name)
    is_known = known is not None and not _is_top_up_missing(tools, run, known.budget.limit)
    return None if is_known else RunLimit(text=run.limit, limit=limit)


def _is_top_up_missing(tools: Tools, run: RunRow, known: Limit) -> bool:
    """Whether the ledger still has the limit from before what was added last."""
    added = tools.stores.journal.controls.top_ups(run.id)
    if not added or added[-1].new_limit != run.limit:
        return False
    return known.quantity + parse_limit(added[-1].amount).quantity == parse_limit(added[-1].new_limit).quantity


def check_unit(tools: Tools, run: RunRow, limit: RunLimit) -> None:
    """The run's budget keeps its unit for ever: what was spent so far was counted in it.

    Raises:
        UserError: the limit is in another unit.
    """
    known = tools.stores.ledger.balance(run_budget(run.id, limit.limit).name)
    if known is not None and known.budget.limit.unit is not limit.limit.unit:
        raise UserError(
            f"run {run.id} has a budget of {run.limit}, which cannot become one of {limit.text}",
            hint="give a limit in the same unit, or start a run of its own with --new",
        )


def check_top_up(run: RunRow, limit: RunLimit) -> None:
    """What was added was added to the limit that the run has: it was worked out before anybody had the lock.

    Raises:
        UserError: somebody has changed the limit since; nothing was added.
    """
    if limit.top_up is None or run.limit is None:
        return
    if parse_limit(run.limit).quantity + parse_limit(limit.top_up.amount).quantity != limit.limit.quantity:
        raise UserError(
            f"the limit of run {run.id} has been changed meanwhile: it is {run.limit}, and nothing was added",
            hint=f'bursar resume {run.id} --add "{limit.top_up.amount}"',
        )


def run_budget(run_id: str, limit: Limit) -> Budget:
    """The budget over a whole run: it blocks when all of it is spent or held."""
    return Budget(name=f"run-{run_id}", selector={"run": run_id}, limit=limit, thresholds=RUN_THRESHOLDS)


def _build_budget(tools: Tools, run_id: str, each: RunBudget) -> Budget:
    name = f"run-{run_id}/{each.name}"
    known = tools.stores.ledger.balance(name)
    return Budget(
        name=name,
        selector={"run": run_id, **each.match},
        limit=each.limit,
        thresholds=RUN_THRESHOLDS,
        on_limit=each.on_limit or (OnLimit.WARN if known is None else known.budget.on_limit),
    )
