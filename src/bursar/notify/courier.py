"""The process that empties the outbox: `python -m bursar.notify.courier OUTBOX`. It ends when nothing waits any more.

Targets are served side by side, each in the order in which its alerts came: one that hangs holds up nobody else.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from bursar.clock import SystemClock
from bursar.notify.audit import AuditLog
from bursar.notify.delivery import PATIENCE, Delivery, Patience, deliver
from bursar.notify.message import Message
from bursar.notify.outbox import Outbox, Parcel
from bursar.notify.targets import mask_target
from bursar.paths import AUDIT_FILE

_OLDEST_SECONDS = 24 * 3600.0
_REMEMBERED_DAYS = 400.0
_LOOK_SECONDS = 0.5
_SIDE_BY_SIDE = 8
_HASTE = replace(PATIENCE, tries=1)

Deliver = Callable[[Message, str, Patience], Delivery]


def main() -> None:
    """Delivers what waits in the outbox that the argument names."""
    directory = os.path.abspath(sys.argv[1])
    audit = AuditLog(os.path.join(os.path.dirname(directory), AUDIT_FILE), SystemClock())
    Courier(Outbox(directory), audit).serve()


def _deliver(message: Message, target: str, patience: Patience) -> Delivery:
    return deliver(message, target, patience=patience)


class Courier:
    """Delivers parcels until none is left."""

    def __init__(self, outbox: Outbox, audit: AuditLog, deliver_one: Deliver = _deliver) -> None:
        self._outbox = outbox
        self._audit = audit
        self._deliver = deliver_one
        self._busy: dict[str, Future[None]] = {}

    def serve(self) -> None:
        """Nothing waits, or another courier is at it.

        After the lock is given back there is one more look: what was posted just before was left to us.
        """
        while self._outbox.waiting():
            lock = self._outbox.lock()
            if lock is None:
                return
            try:
                self._outbox.forget(_REMEMBERED_DAYS)
                with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                    while self._hand_out(pool):
                        wait(self._busy.values(), timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            finally:
                os.close(lock)

    def _hand_out(self, pool: ThreadPoolExecutor) -> bool:
        """Every target with parcels is being served; False when nothing is left to do."""
        for target in [target for target, work in self._busy.items() if work.done()]:
            self._busy.pop(target).result()
        for target, parcels in self._parcels().items():
            if target not in self._busy:
                self._busy[target] = pool.submit(self._serve_target, parcels)
        return bool(self._busy)

    def _parcels(self) -> Mapping[str, dict[str, Parcel]]:
        parcels: dict[str, dict[str, Parcel]] = {}
        for name in self._outbox.waiting():
            if (parcel := self._outbox.read(name)) is not None:
                parcels.setdefault(parcel.target, {})[name] = parcel
        return parcels

    def _serve_target(self, parcels: Mapping[str, Parcel]) -> None:
        """Once a target has failed with all our patience, what else waits for it gets one try each."""
        patience = PATIENCE
        for name, parcel in parcels.items():
            delivery = self._serve(parcel, patience)
            if not delivery.delivered:
                patience = _HASTE
                self._outbox.add_failure(delivery)
            self._audit.write("delivery", {"message": parcel.message.body, **_facts(delivery)})
            self._outbox.remove(name)

    def _serve(self, parcel: Parcel, patience: Patience) -> Delivery:
        if time.time() - parcel.posted_at > _OLDEST_SECONDS:
            shown = mask_target(parcel.target)
            return Delivery(target=shown, delivered=False, tries=0, reason="it waited for more than a day")
        return self._deliver(parcel.message, parcel.target, patience)


def _facts(delivery: Delivery) -> Mapping[str, object]:
    return {
        "target": delivery.target,
        "delivered": delivery.delivered,
        "tries": delivery.tries,
        "reason": delivery.reason,
    }


if __name__ == "__main__":
    main()
