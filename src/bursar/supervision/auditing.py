"""The audit log hears what a process writes into the ledger. Each tells what it wrote itself: nothing comes twice."""

from __future__ import annotations

from typing import Any

from bursar.ledger import Ledger, LedgerEvent
from bursar.notify import AuditLog
from bursar.supervision.spec import Outcome
from bursar.usage import Usage


def keep_audit(ledger: Ledger, audit: AuditLog) -> None:
    """From now on the audit log gets the usage, the charges and the alerts that come of writes of this `ledger`."""
    ledger.observe(lambda event: _write(audit, event))


def _write(audit: AuditLog, event: LedgerEvent) -> None:
    after = event.reservation
    if event.entry.kind == "recorded":
        _write_call(audit, event)
    elif after.charged is not None:
        audit.settled(after.key, after.labels, after.state, after.charged, after.unknown)
    for alert in after.alerts:
        audit.alert(alert, after.labels)


def _write_call(audit: AuditLog, event: LedgerEvent) -> None:
    call: Any = event.entry.body
    after = event.reservation
    audit.usage(after.key, after.labels, call["call_id"], call["model"], Usage(**call["usage"]), call["nano_usd"])


def tell_differences(audit: AuditLog, key: str, outcome: Outcome) -> None:
    """The audit log has every difference between the sources of an attempt's usage."""
    for difference in outcome.differences:
        audit.write("difference", {"key": key, "what": difference})
