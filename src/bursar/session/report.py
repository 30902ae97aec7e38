"""How a session stands: as values, and as the JSON that scripts read."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bursar.budget import NOTHING, Alert, Amount, Balance, projected_alerts, title_of
from bursar.ledger import Reservation, State
from bursar.session.operations import hold_id_of
from bursar.session.sessions import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.ledger import Ledger

_PARTS = 1_000_000


class Hold(NamedTuple):
    """Tokens that are set aside for an operation."""

    id: str
    operation: str
    tokens: int


class Projection(NamedTuple):
    """How budgets would stand if an amount were held on top of what is spent and reserved.

    Attributes:
        utilization: the share of the session's limit; 1.0 is all of it. Cut after six digits, never rounded up.
        alerts: every threshold that is reached then, of every budget that counts the operation.
    """

    utilization: float
    alerts: tuple[Alert, ...]


class SessionReport(NamedTuple):
    """How a session stands; all in tokens.

    Attributes:
        balance: of the session's budget.
        phases: what was charged to each, in the order in which they were first heard of.
        holds: open ones, oldest first.
        alerts: thresholds that spent and reserved together have reached, whether they have fired before or not.
    """

    session: Session
    balance: Balance
    phases: Mapping[str, int]
    holds: tuple[Hold, ...]
    alerts: tuple[Alert, ...]


def build_projection(ledger: Ledger, session: Session, operation: str, amount: Amount, at: datetime) -> Projection:
    """How the budgets of that operation stand with `amount` on top; with `NOTHING`, as they are."""
    balances = ledger.balances(session.labels_of(operation))
    return Projection(utilization=_share(_own(balances, session), amount.tokens), alerts=_alerts(balances, amount, at))


def build_report(ledger: Ledger, session: Session, at: datetime) -> SessionReport:
    """How the session stands at that instant. The caller has the project's `SessionLock`."""
    held = ledger.reservations({"run": session.id, "project": session.project}, state=State.HELD)
    phases = ledger.phases(session.id)
    operations = dict.fromkeys((*phases, *(each.labels["phase"] for each in held)))
    balances = ledger.balances_of_each(session.labels_here, "phase", operations)
    return SessionReport(
        session=session,
        balance=_own(balances, session),
        phases={phase: tokens for phase, tokens in phases.items() if tokens},
        holds=tuple(_hold(each) for each in held),
        alerts=_alerts(balances, NOTHING, at),
    )


def report_as_data(report: SessionReport) -> dict[str, object]:
    """The report as JSON can say it; also what the snapshot holds."""
    session, balance = report.session, report.balance
    return {
        "version": 1,
        "session": session.id,
        "model": session.model,
        "max_tokens": session.max_tokens,
        "current_usage": balance.spent,
        "reserved_tokens": balance.reserved,
        "remaining_tokens": max(0, session.max_tokens - balance.spent),
        "available_tokens": balance.available,
        "utilization_percent": balance.spent * 100 * _PARTS // session.max_tokens / _PARTS,
        "projected_utilization": _share(balance, 0),
        "phase_breakdown": dict(report.phases),
        "reservations": [
            {"reservation": hold.id, "operation": hold.operation, "tokens": hold.tokens} for hold in report.holds
        ],
        "active_alerts": [alert_as_data(alert) for alert in report.alerts],
    }


def alert_as_data(alert: Alert, *, is_projected: bool = False) -> dict[str, object]:
    """The alert as JSON can say it; its threshold is a share of the limit.

    Args:
        is_projected: it is about what would have been, had something been granted.
    """
    return {
        "budget": title_of(alert.budget),
        "threshold": alert.percent / 100,
        "level": alert.level.value,
        "message": f"if it were granted: {alert.message}" if is_projected else alert.message,
    }


def _own(balances: Sequence[Balance], session: Session) -> Balance:
    return next(balance for balance in balances if balance.budget.name == session.id)


def _alerts(balances: Sequence[Balance], amount: Amount, at: datetime) -> tuple[Alert, ...]:
    return tuple(alert for balance in balances for alert in projected_alerts(balance, amount, at))


def _share(balance: Balance, asked: int) -> float:
    taken = balance.spent + balance.reserved + asked
    return taken * _PARTS // balance.budget.limit.quantity / _PARTS


def _hold(reservation: Reservation) -> Hold:
    return Hold(
        id=hold_id_of(reservation) or reservation.key,
        operation=reservation.labels["phase"],
        tokens=reservation.held.tokens,
    )
