"""What `bursar run` does beside conducting where it runs a roadmap: the token session pays, and a token report ends it.

Source: docs/decisions/0042-phases-side-by-side.md
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from bursar.budget import Amount, is_retired, title_of
from bursar.cli.phase_states import state_of
from bursar.cli.token_desk import open_desk
from bursar.errors import UserError
from bursar.journal import PhaseCounts
from bursar.layout import count_of
from bursar.ledger import Denial, Ledger, Reservation, State
from bursar.run import PlanToRun, Purse, RunContext
from bursar.session import (
    Session,
    current_session,
    format_limit,
    hold_id_of,
    read_snapshot,
    release_hold,
    reserve_hold,
    settle_hold,
)


class SessionPurse:
    """The token session of a project as `run.Purse`: each call opens the books for itself, as `bursar token` does."""

    def __init__(self, project: str) -> None:
        self._project = project

    def available(self) -> int | None:
        """What `bursar token reserve` can still grant; None where the session is gone."""
        try:
            with open_desk(must_exist=True, project=self._project) as desk:
                session = desk.current()
                balance = None if session is None else desk.ledger.balance(session.id)
                return None if balance is None else balance.available
        except UserError:
            return None

    def held(self, run: str) -> int:
        """What is held for phases of the run."""
        with open_desk(must_exist=False, project=self._project) as desk:
            session = desk.current()
            found = [] if session is None else desk.ledger.reservations(session.labels, state=State.HELD)
            return sum(each.held.tokens for each in found if (hold_id_of(each) or "").startswith(f"{run}/"))

    def reserve(self, run: str, phase: str, tokens: int) -> bool:
        """As `bursar token reserve TOKENS phase-PHASE`, but one that is open already is enough."""
        if self.available() is None:  # the session is gone, and its limit with it
            return True
        with open_desk(must_exist=True, project=self._project) as desk, desk.change(_operation(phase)) as session:
            rounds = _rounds(desk.ledger, session, run, phase)
            if any(each.state is State.HELD for each in rounds):
                return True
            hold = f"{run}/{phase}/{len(rounds) + 1}"
            answer = reserve_hold(desk.ledger, session, hold, tokens, _operation(phase))
            return not isinstance(answer, Denial)

    def record(self, run: str, phase: str, tokens: int) -> None:
        """As `bursar token record`: what was not recorded before is charged, and ends what is held for the phase."""
        if self.available() is None:
            return
        with open_desk(must_exist=True, project=self._project) as desk, desk.change(_operation(phase)) as session:
            ledger, rounds = desk.ledger, _rounds(desk.ledger, session, run, phase)
            more = tokens - sum(each.charged.tokens for each in rounds if each.charged is not None)
            held = next((each for each in rounds if each.state is State.HELD), None)
            hold = None if held is None else hold_id_of(held)
            if hold is not None and more > 0:
                settle_hold(ledger, session, hold, more)
            elif hold is not None:
                release_hold(ledger, session, hold)
            elif more > 0:
                labels = session.labels_of(_operation(phase))
                ledger.charge(f"token/{session.id}/used/{run}/{phase}/{tokens}", labels, Amount(more, None))


def open_purse(opened: PlanToRun, ledger: Ledger) -> Purse | None:
    """The project's token session, where a roadmap is run and there is one that nobody else counts along.

    A budget that selects the project counts every attempt already. Were phases recorded in the session as well, it
    would count them twice.
    """
    if opened.selection is None or not opened.selection.roadmap:
        return None
    project = str(opened.origin.project)
    session = current_session(ledger, project)
    if session is None:
        if read_snapshot(project) is None:
            return None
        with open_desk(must_exist=True, project=project) as desk, desk.change() as session:
            pass
    balances = ledger.balances(session.labels_of(_operation("0")))
    others = [each.budget for each in balances if each.budget.name != session.id and not is_retired(each.budget)]
    if others:
        names = ", ".join(sorted({title_of(each.name) for each in others}))
        sys.stderr.write(
            f"warning: the token session takes no part in this run: {names} would count each token twice\n"
        )
        return None
    return SessionPurse(project)


def tell_roadmap(context: RunContext) -> None:
    """What each phase has used, how the token session stands, and what was left out, on stderr."""
    phases = context.stores.journal.phases(context.run.id)
    if phases:
        used = _used(context)
        for each in phases:
            title = f"phase {each.phase}  {each.name}".rstrip()
            state = _state_of(context, each, is_begun=used[each.phase] > 0)
            far = f"{each.merged} of {count_of(each.tasks, 'task')}{'' if state == 'completed' else f', {state}'}"
            sys.stderr.write(f"{title}: {far}, {used[each.phase]:,} tokens\n")
    if context.purse is not None:
        _tell_session(str(context.project))
    for left in () if context.selection is None else context.selection.left_out:
        sys.stderr.write(f"warning: {left}\n")


def _state_of(context: RunContext, phase: PhaseCounts, *, is_begun: bool) -> str:
    """As `bursar status` says it: what was cut off is `interrupted`, or `stopped` by a limit."""
    run = context.stores.journal.run(context.run.id)
    more = {"begun": is_begun, "run_state": "" if run is None else str(run.state)}
    return state_of(asdict(phase) | more, is_conducted=False)


def _tell_session(project: str) -> None:
    with open_desk(must_exist=False, project=project) as desk:
        session = desk.current()
        balance = None if session is None else desk.ledger.balance(session.id)
        if balance is None:
            return
        limit = balance.budget.limit.quantity
        sys.stderr.write(
            f"token session: {balance.spent:,} of {format_limit(limit)} tokens used"
            f" ({100 * balance.spent / limit:.1f} %), {balance.reserved:,} reserved: bursar token report\n"
        )


def _used(context: RunContext) -> Counter[str]:
    """Tokens by phase in this run, those charged for unknown outcomes included."""
    phase_of = {plan.plan_id: plan.phase for plan in context.stores.journal.plans(context.run.id)}
    used: Counter[str] = Counter()
    for each in context.stores.ledger.reservations({"run": context.run.id}):
        used[phase_of.get(each.labels["task"].partition("/")[0], "")] += each.known.tokens + each.unknown.tokens
    return used


def _rounds(ledger: Ledger, session: Session, run: str, phase: str) -> Sequence[Reservation]:
    """What was held and recorded for the phase of the run in this session, once for each time that it was conducted."""
    found = ledger.reservations(session.labels | {"phase": _operation(phase)})
    prefixes = tuple(f"token/{session.id}/{kind}/{run}/{phase}/" for kind in ("hold", "used"))
    return [each for each in found if each.key.startswith(prefixes)]


def _operation(phase: str) -> str:
    return f"phase-{phase}"
