"""Sessions of a project: numbered from 1 without a gap, and the last one is the current one.

A session is a budget of the ledger, and nothing else: the budget's name is the session's id, its selector are the
labels that every operation of the session carries. An operation also bears the session's id as its `run`: whoever
drives `bursar token` runs something, and budgets that count per run count it so.
"""

from __future__ import annotations

from typing import NamedTuple

from bursar.budget import (
    SESSION_STOP_PERCENT,
    SESSION_THRESHOLDS,
    Amount,
    Budget,
    Limit,
    Period,
    PeriodKind,
    Unit,
)
from bursar.session.place import digest_of, labels_of_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.ledger import Ledger
    from bursar.session.snapshot import Snapshot

IMPORTED = "imported"
"""The phase under which usage from before the ledger is charged."""


class Session(NamedTuple):
    """One session of a project.

    Attributes:
        max_tokens: its limit.
        is_imported: it began with usage from before the ledger.
    """

    id: str
    project: str
    number: int
    model: str
    max_tokens: int
    is_imported: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """What every operation of the session carries."""
        labels = {"project": self.project, "run": self.id, "session": self.id, "model": self.model}
        return labels | {"origin": IMPORTED} if self.is_imported else labels

    @property
    def labels_here(self) -> dict[str, str]:
        """What an operation of the session carries that is done here and now: who does it, and where, too."""
        return self.labels | labels_of_caller()

    def labels_of(self, operation: str) -> dict[str, str]:
        """All labels of that operation, done here and now."""
        return self.labels_here | {"phase": operation}

    @property
    def budget(self) -> Budget:
        """The session as the ledger keeps it: it warns at 80 and 90 % of its limit, and 95 % may not be reached."""
        return Budget(
            name=self.id,
            limit=Limit(self.max_tokens, Unit.TOKENS),
            selector=self.labels,
            period=Period(PeriodKind.SESSION),
            thresholds=SESSION_THRESHOLDS,
            stop_percent=SESSION_STOP_PERCENT,
        )


def current_session(ledger: Ledger, project: str) -> Session | None:
    """The project's last session; None where it has none."""
    number = _count(ledger, project)
    return _session(ledger, project, number) if number else None


def begin_session(ledger: Ledger, project: str, model: str, max_tokens: int, *, is_imported: bool = False) -> Session:
    """A new session is the current one; what the one before it still held is forfeited there.

    The caller has the project's `SessionLock`.
    """
    number = _count(ledger, project)
    if number:
        ledger.forfeit_open({"project": project, "run": _id(project, number)})
    session = Session(
        id=_id(project, number + 1),
        project=project,
        number=number + 1,
        model=model,
        max_tokens=max_tokens,
        is_imported=is_imported,
    )
    ledger.define(session.budget)
    return session


def import_session(ledger: Ledger, project: str, snapshot: Snapshot) -> Session:
    """The project's first session, with what a snapshot from elsewhere says was used, as one charge.

    The caller has the project's `SessionLock`, and the project has no session, or one that `lacks_import`.
    """
    session = current_session(ledger, project) or begin_session(
        ledger, project, snapshot.model, snapshot.max_tokens, is_imported=snapshot.current_usage > 0
    )
    if session.is_imported:
        labels = session.labels | {"phase": IMPORTED}
        ledger.charge(_import_key(session), labels, Amount(snapshot.current_usage, None))
    return session


def lacks_import(ledger: Ledger, session: Session) -> bool:
    """Whoever took the session over was stopped halfway: it is there, and what was used before is not."""
    return session.is_imported and ledger.reservation(_import_key(session)) is None


def _import_key(session: Session) -> str:
    return f"token/{session.id}/{IMPORTED}"


def _id(project: str, number: int) -> str:
    return f"session-{digest_of(project)}-{number}"


def _session(ledger: Ledger, project: str, number: int) -> Session | None:
    balance = ledger.balance(_id(project, number))
    if balance is None:
        return None
    budget = balance.budget
    return Session(
        id=budget.name,
        project=project,
        number=number,
        model=budget.selector["model"],
        max_tokens=budget.limit.quantity,
        is_imported="origin" in budget.selector,
    )


def _count(ledger: Ledger, project: str) -> int:
    """How many sessions there are, in a few looks however many: their numbers have no gap."""

    def exists(number: int) -> bool:
        return ledger.balance(_id(project, number)) is not None

    last, missing = 0, 1
    while exists(missing):
        last, missing = missing, missing * 2
    while missing - last > 1:
        middle = (last + missing) // 2
        last, missing = (middle, missing) if exists(middle) else (last, middle)
    return last
