"""What is left of a project's session, for those who only want to know: nothing is written, made or taken over."""

from __future__ import annotations

from bursar.budget import Balance
from bursar.session.sessions import Session, current_session, lacks_import
from bursar.session.snapshot import read_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.ledger import Ledger


def read_balance(ledger: Ledger | None, project: str) -> Balance | None:
    """How the project's session stands; where the ledger knows of none, what its snapshot says; None without either.

    Raises:
        UserError: there is a snapshot that is no token budget.
    """
    session = current_session(ledger, project) if ledger is not None else None
    if ledger is not None and session is not None and not lacks_import(ledger, session):
        return ledger.balance(session.id)
    snapshot = read_snapshot(project)
    if snapshot is None:
        return None
    taken_over = Session(id="snapshot", project=project, number=1, model=snapshot.model, max_tokens=snapshot.max_tokens)
    return Balance(budget=taken_over.budget, spent=snapshot.current_usage, reserved=0, metered=0)
