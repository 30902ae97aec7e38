"""What a script does with its session: hold tokens, give them back, say what was used."""

from __future__ import annotations

from bursar.budget import Amount
from bursar.errors import KeyReused, UserError
from bursar.ledger import ReserveRequest, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.ledger import Denial, Ledger, Reservation
    from bursar.session.sessions import Session

_OPEN_ONES = "bursar token report lists the open ones"


def reserve_hold(ledger: Ledger, session: Session, hold_id: str, tokens: int, operation: str) -> Reservation | Denial:
    """The tokens are held for the operation until they are settled, released, or the session ends; or none are.

    The same id with the same content gets the reservation as it is now, whoever asks, and from wherever.

    Raises:
        UserError: the id belongs to another reservation of this session.
    """
    key, labels = _hold_key(session, hold_id), session.labels_of(operation)
    known = ledger.reservation(key)
    if known is not None and known.labels["phase"] == operation:
        labels = dict(known.labels)
    request = ReserveRequest(key=key, labels=labels, amount=Amount(tokens, None))
    try:
        return ledger.reserve(request)
    except KeyReused as error:
        raise UserError(
            f"the key `{hold_id}` belongs to another reservation of this session; nothing was reserved",
            hint="the same key means the same request: use another key for another one",
        ) from error


def release_hold(ledger: Ledger, session: Session, hold_id: str) -> Reservation:
    """The hold has ended and nothing is charged; once more changes nothing.

    Raises:
        UserError: there is no such hold in this session, or it has ended in another way.
    """
    found = _find(ledger, session, hold_id)
    try:
        return ledger.release(found.key)
    except KeyReused as error:
        raise _ended(found, hold_id) from error


def settle_hold(ledger: Ledger, session: Session, hold_id: str, tokens: int) -> Reservation:
    """The hold has ended and `tokens` are charged, past the hold and the limit too; the same number again is no change.

    Raises:
        UserError: there is no such hold in this session, or it has ended in another way or with another number.
    """
    found = _find(ledger, session, hold_id)
    try:
        return ledger.settle(found.key, Amount(tokens, None))
    except KeyReused as error:
        raise _ended(found, hold_id) from error


def record_usage(ledger: Ledger, session: Session, usage_id: str, tokens: int, phase: str) -> Reservation:
    """The tokens are charged to the phase: they end its oldest open hold, or stand for themselves where it has none.

    Never refused: it happened, past the limit too.

    Args:
        usage_id: new; the name of the charge where there is no hold.
    """
    held = ledger.reservations(session.labels | {"phase": phase}, state=State.HELD)
    if held:
        return ledger.settle(held[0].key, Amount(tokens, None))
    return ledger.charge(f"token/{session.id}/used/{usage_id}", session.labels_of(phase), Amount(tokens, None))


def hold_id_of(reservation: Reservation) -> str | None:
    """The id that people know the hold by; None for usage that was never held."""
    kind, _, name = reservation.key.split("/", 2)[2].partition("/")
    return name if kind == "hold" else None


def _hold_key(session: Session, hold_id: str) -> str:
    return f"token/{session.id}/hold/{hold_id}"


def _find(ledger: Ledger, session: Session, hold_id: str) -> Reservation:
    found = ledger.reservation(_hold_key(session, hold_id))
    if found is None:
        raise UserError(f"there is no reservation `{hold_id}` in this session", hint=_OPEN_ONES)
    return found


def _ended(found: Reservation, hold_id: str) -> UserError:
    charged = found.charged.tokens if found.charged is not None else 0
    how = "released" if found.state is State.RELEASED else f"{found.state} with {charged} tokens"
    return UserError(f"the reservation `{hold_id}` has already been {how}; nothing changed", hint=_OPEN_ONES)
