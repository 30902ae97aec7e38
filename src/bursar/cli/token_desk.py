"""Where one `bursar token` command works: the ledger is open, the project's lock is held, and at the end what has
happened is told to whoever wants to know.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import NamedTuple

from bursar.clock import SystemClock
from bursar.config import find_ledger_place
from bursar.errors import UserError
from bursar.ledger import is_ledger_url, open_ledger, take_turn
from bursar.paths import AUDIT_FILE, state_dir
from bursar.session import (
    BUSY_SECONDS,
    SessionLock,
    SnapshotWriter,
    begin_session,
    build_report,
    current_session,
    find_project,
    import_session,
    lacks_import,
    read_snapshot,
    report_as_data,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.budget import Alert
    from bursar.ledger import Ledger, Reservation
    from bursar.session import Session, Snapshot


class Terms(NamedTuple):
    """What a session is about."""

    model: str
    max_tokens: int


class Desk(NamedTuple):
    """Where one command works: the project's lock is held, and its file is one of ours or not there."""

    project: str
    ledger: Ledger
    snapshot: Snapshot | None
    clock: SystemClock

    @contextmanager
    def change(self, operation: str | None = None, *, is_strict: bool = False) -> Iterator[Session]:
        """A block that changes the current session; at its end the snapshot is as the books are.

        A session that only the snapshot knows is taken over first.

        Args:
            operation: what something is about to be held or recorded for.
            is_strict: budgets of the settings must be readable; else it is only said that they are not, because what
                was used has to be booked all the same.

        Raises:
            SetupError: the snapshot cannot be written; nothing changed.
            UserError: `is_strict`, and the settings have problems.
        """
        with SnapshotWriter(self.project) as writer:
            session = self._session()
            try:
                _define_budgets(self.ledger, session, operation)
            except UserError as error:
                if is_strict:
                    raise
                sys.stderr.write(f"warning: budgets of the settings are as they were: {error.message}\n")
            yield session
            self._write(writer, session)

    def begin(self, terms: Terms | None) -> Session:
        """A new session is the current one, on these terms, or on those of the one before.

        Raises:
            SetupError: the snapshot cannot be written; nothing changed.
        """
        with SnapshotWriter(self.project) as writer:
            if terms is None or self.snapshot is not None:
                before = self._session()  # what only a snapshot knows is in the books before it is replaced
                terms = terms or Terms(before.model, before.max_tokens)
            session = begin_session(self.ledger, self.project, terms.model, terms.max_tokens)
            self._write(writer, session)
        return session

    def report(self, session: Session) -> dict[str, object]:
        """The session as it stands."""
        return report_as_data(build_report(self.ledger, session, self.clock.now()))

    def current(self) -> Session | None:
        """The current session where the ledger has all of it; None where `change` takes it over first."""
        session = current_session(self.ledger, self.project)
        is_whole = session is None or self.snapshot is None or not lacks_import(self.ledger, session)
        return session if is_whole else None

    def _session(self) -> Session:
        session = self.current()
        if session is not None:
            return session
        if self.snapshot is None:
            raise _not_initialized()
        return self._take_over(self.snapshot)

    def _take_over(self, snapshot: Snapshot) -> Session:
        sys.stderr.write(f"the ledger did not know this project: took over {snapshot.current_usage} used tokens\n")
        if snapshot.reserved_tokens:
            sys.stderr.write(
                f"warning: {snapshot.reserved_tokens} reserved tokens of another ledger are not held here\n"
            )
        return import_session(self.ledger, self.project, snapshot)

    def _write(self, writer: SnapshotWriter, session: Session) -> None:
        """The snapshot is as the books are; where it cannot be, that is said: what was booked stays booked."""
        problem = writer.write(self.report(session))
        if problem is not None:
            sys.stderr.write(f"warning: the snapshot could not be written: {problem}; the ledger has the change\n")


@contextmanager
def open_desk(*, must_exist: bool, project: str | None = None) -> Iterator[Desk]:
    """The desk of the project, for one command.

    Args:
        project: its top folder; None: the project around the current folder.
        must_exist: nothing is made where neither a ledger nor a snapshot is there.

    Raises:
        UserError: there is none; or the project's snapshot is nobody's.
    """
    project, clock = project or find_project(), SystemClock()
    place = find_ledger_place()
    snapshot = read_snapshot(project)  # a foreign one is refused before any store is made
    if must_exist and snapshot is None and not (is_ledger_url(place) or os.path.lexists(place)):
        raise _not_initialized()
    ledger = open_ledger(place, clock)
    ended: list[Reservation] = []
    ledger.observe(lambda event: ended.append(event.reservation))
    try:
        with SessionLock(state_dir(), project), take_turn(ledger, f"session/{project}", BUSY_SECONDS):
            desk = Desk(project, ledger, read_snapshot(project), clock)
            if must_exist and desk.snapshot is None and desk.current() is None:
                raise _not_initialized()
            yield desk
    finally:
        ledger.close()
        if ended:
            _announce(ended, project, clock)


def _announce(ended: Sequence[Reservation], project: str, clock: SystemClock) -> None:
    """The audit log has what was used, and alerts that have fired are told and on their way to their targets."""
    from bursar.notify import AuditLog

    audit = AuditLog(os.path.join(state_dir(), AUDIT_FILE), clock)
    alerts = [alert for each in ended for alert in each.alerts]
    for each in ended:
        for alert in each.alerts:
            audit.alert(alert, each.labels)
        if each.charged is not None:
            audit.settled(each.key, each.labels, each.state.value, each.charged, each.unknown)
    audit.close()
    for alert in alerts:
        sys.stderr.write(f"warning: {alert.message}\n")
    if alerts and _may_have_settings(project):
        _send(alerts, project)


def _send(alerts: Sequence[Alert], project: str) -> None:
    from pathlib import Path

    from bursar.config import build_notifier, load_user_settings

    try:
        settings = load_user_settings()  # a project's own targets are for runs, which a person has approved
    except UserError as error:
        sys.stderr.write(f"warning: alerts could not be sent: {error.message}\n")
        return
    notifier = build_notifier(settings, Path(state_dir()), os.path.basename(project))
    for alert in alerts:
        notifier.alert(alert.level.value, alert.message, at=alert.at.isoformat())
    for sentence in notifier.undelivered():
        sys.stderr.write(f"warning: {sentence}\n")


def _define_budgets(ledger: Ledger, session: Session, operation: str | None) -> None:
    """Budgets of the settings count the session too. The settings are opened only where there may be some.

    A budget of the ledger that selects the operation and is not the session's own came from settings that may have
    changed.
    """
    root = session.project
    labels = session.labels_here if operation is None else session.labels_of(operation)
    others = any(balance.budget.name != session.id for balance in ledger.balances(labels))
    if not others and not _may_have_settings(root):
        return
    from pathlib import Path

    from bursar.config import configured_budgets, define_budgets

    is_shared = is_ledger_url(find_ledger_place())
    changed = define_budgets(ledger, Path(root), configured_budgets(Path(root)), is_shared=is_shared)
    sys.stderr.writelines(f"warning: {sentence}\n" for sentence in changed)


def _may_have_settings(root: str) -> bool:
    home = os.environ.get("XDG_CONFIG_HOME", "")
    user = home if os.path.isabs(home) else os.path.expanduser("~/.config")
    files = (os.path.join(root, "bursar.toml"), os.path.join(user, "bursar", "bursar.toml"))
    return any(map(os.path.lexists, files)) or any(name.startswith("BURSAR_BUDGET_") for name in os.environ)


def _not_initialized() -> UserError:
    return UserError("this project has no token budget yet; nothing changed", hint="bursar token init")
