"""The tokens of phases: what is left for all of them, and what the token session holds and records for each.

Source: docs/decisions/0042-phases-side-by-side.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bursar.budget import OF_TASKS, Counting, OnLimit, Unit
from bursar.ledger import State
from bursar.run.context import RunContext
from bursar.run.phase_context import estimate_phase
from bursar.run.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What came of asking for a phase.

    Attributes:
        is_granted: the phase may start; without a token session that is always so.
        tokens: what is held for it, or what was asked for in vain.
        asked_first: what was asked for before finished phases were summed up.
    """

    is_granted: bool
    tokens: int = 0
    asked_first: int = 0


class PhaseFunds:
    """What the phases of one run may use."""

    def __init__(self, context: RunContext, place: Place) -> None:
        self._context = context
        self._place = place

    async def ask(self, phase: str, finished: Sequence[str], *, at_most: int | None = None) -> Grant:
        """Tokens are held for the phase in the session; where there is no room, once more after an archive.

        Args:
            finished: phases that can be summed up.
            at_most: so much was refused to another phase just now: nothing is asked for that is no less.
        """
        context, purse = self._context, self._context.purse
        if purse is None:
            return Grant(is_granted=True)
        first = tokens = estimate_phase(context, phase, self._place.tip)
        if at_most is None or tokens < at_most:
            if await asyncio.to_thread(purse.reserve, context.run.id, phase, tokens):
                return Grant(is_granted=True, tokens=tokens, asked_first=first)
            await self._place.archive(finished)
            tokens = estimate_phase(context, phase, self._place.tip)
            if tokens < first and await asyncio.to_thread(purse.reserve, context.run.id, phase, tokens):
                return Grant(is_granted=True, tokens=tokens, asked_first=first)
        return Grant(is_granted=False, tokens=tokens, asked_first=first)

    async def go_on(self, phase: str) -> None:
        """What an earlier conductor held for a phase that is at work still is, or is now as far as there is room."""
        if self._context.purse is not None:
            tokens = estimate_phase(self._context, phase, self._place.tip)
            await asyncio.to_thread(self._context.purse.reserve, self._context.run.id, phase, tokens)

    async def record(self, phase: str, tasks: Collection[str]) -> int:
        """What these tasks, all of the phase's, have used in this run: in the token session, too; saying it again
        changes nothing."""
        run = self._context.run.id
        found = self._context.stores.ledger.reservations({"run": run})
        tokens = sum(each.known.tokens + each.unknown.tokens for each in found if each.labels["task"] in tasks)
        if self._context.purse is not None:
            await asyncio.to_thread(self._context.purse.record, run, phase, tokens)
        return tokens

    async def in_session(self) -> int:
        """Tokens that the session can still hold; 0 without one."""
        if self._context.purse is None:
            return 0
        available = await asyncio.to_thread(self._context.purse.available)
        return 0 if available is None else available

    async def left(self) -> int | None:
        """Tokens that the run's phases may still use, those included that they hold; None where nothing limits them."""
        context, run = self._context, self._context.run.id
        lefts: list[int] = []
        if context.purse is not None and (session := await asyncio.to_thread(context.purse.available)) is not None:
            lefts.append(session + await asyncio.to_thread(context.purse.held, run))
        own = sum(each.held.tokens for each in context.stores.ledger.reservations({"run": run}, state=State.HELD))
        for balance in context.stores.ledger.balances(context.labels_of(context.plan.tasks[0])):
            budget = balance.budget
            is_limit = budget.limit.unit is Unit.TOKENS and budget.on_limit is OnLimit.BLOCK
            if is_limit and budget.counts is Counting.TOTAL and OF_TASKS.isdisjoint(budget.selector):
                lefts.append(balance.available + own)
        return min(lefts, default=None)
