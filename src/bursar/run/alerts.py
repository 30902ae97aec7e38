"""Alerts on the budgets that a run is charged to, and which of them were told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from bursar.budget import Alert
from bursar.events import AlertFired
from bursar.run.context import RunContext


class RunAlerts:
    """Tells each alert of one run once."""

    def __init__(self, context: RunContext, charged: Collection[str]) -> None:
        """`charged`: names of the budgets that the attempts so far are charged to."""
        self._context = context
        self._charged = set(charged)
        self._told: set[tuple[str, str, int]] = set()

    def charge(self, budgets: Iterable[str]) -> None:
        """An attempt is charged to these, too; those of one attempt never change."""
        self._charged.update(budgets)

    def skip_earlier(self) -> None:
        """What has fired until now is not told: an earlier conductor has done it."""
        self._told = {_identity(alert) for alert in self._fired()}

    def tell(self) -> None:
        """What has fired since is told."""
        for alert in self._fired():
            if _identity(alert) not in self._told:
                self._context.emit(AlertFired(level=alert.level, message=alert.message, at=alert.at.isoformat()))
                self._told.add(_identity(alert))

    def _fired(self) -> Sequence[Alert]:
        return alerts_of_run(self._context, self._charged)


def alerts_of_run(context: RunContext, charged: Collection[str] | None = None) -> Sequence[Alert]:
    """Alerts that have fired since the run began, on any budget that it was charged to; oldest first.

    Args:
        charged: those budgets (see `charged_budgets`), where they are known: a large run has many reservations to read.
    """
    began = datetime.fromisoformat(context.run.started_at)
    budgets = charged_budgets(context) if charged is None else charged
    return [alert for alert in context.stores.ledger.alerts() if alert.budget in budgets and alert.at >= began]


def charged_budgets(context: RunContext) -> set[str]:
    """Names of the budgets that the run's attempts so far are charged to; that of one attempt never changes."""
    return {name for each in context.stores.ledger.reservations({"run": context.run.id}) for name in each.budgets}


def _identity(alert: Alert) -> tuple[str, str, int]:
    return alert.budget, alert.period_id, alert.percent
