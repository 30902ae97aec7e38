"""An alert costs the one who tells it a small file and the start of a process. Everything else is the courier's."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bursar.budget import Level
from bursar.notify.delivery import Delivery
from bursar.notify.message import build_message, is_loud_enough
from bursar.notify.outbox import Outbox
from bursar.notify.targets import require_library

COURIER_MODULE = "bursar.notify.courier"
OUTBOX = "outbox"


class Notifier:
    """Sends alerts to the configured targets, without waiting for any of them."""

    def __init__(
        self,
        state: Path,
        targets: Sequence[str],
        *,
        min_level: Level = Level.WARNING,
        source: str = "",
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`state`: the state directory; `source`: a name for the project, shown in titles."""
        self._directory = str(state / OUTBOX)
        self._outbox = Outbox(self._directory)
        self._targets = tuple(targets)
        self._min_level = min_level
        self._source = source
        self._environment = environment
        self._couriers: list[int] = []
        self._lost: Counter[str] = Counter()

    def check(self) -> None:
        """All that the targets need is installed.

        Raises:
            SetupError: apprise is needed and missing.
        """
        require_library(self._targets)

    def alert(self, level: str, text: str, *, at: str = "") -> None:
        """The alert is on its way to every target, if it is loud enough. Never raises and never waits.

        Args:
            at: the ledger's time of the alert. With it, an alert that several processes see is sent once.
        """
        try:
            if not self._targets or not is_loud_enough(Level(level), self._min_level):
                return
            message = build_message(Level(level), text, self._source, self._environment)
            if dropped := self._outbox.post(message, self._targets, once=f"{at} {level} {text}" if at else ""):
                self._lost["too many are waiting to be delivered"] += dropped
            self._start_courier()
        except (OSError, ValueError) as error:  # a text that is no Unicode is a ValueError
            self._lost[getattr(error, "strerror", None) or str(error)] += len(self._targets)

    def undelivered(self) -> list[str]:
        """In words, what could not be delivered and that nobody has been told of yet; told here and nowhere else.

        Earlier commands' alerts are among them: their couriers work on when the command has ended. Should one have been
        killed, another takes up what waits.
        """
        self._replace_courier()
        failures = Counter(_reason(delivery) for delivery in self._take_failures())
        failures.update({f"to anyone: {reason}": count for reason, count in self._lost.items()})
        self._lost.clear()
        return [f"{_alerts(count)} could not be delivered {reason}" for reason, count in failures.items()]

    def _take_failures(self) -> list[Delivery]:
        try:
            return self._outbox.take_failures()
        except OSError:
            return []

    def _replace_courier(self) -> None:
        """Where messages wait and nobody delivers, somebody does from now on."""
        with suppress(OSError):
            if self._outbox.waiting() and (lock := self._outbox.lock()) is not None:
                os.close(lock)
                self._start_courier()

    def _start_courier(self) -> None:
        self._couriers = [pid for pid in self._couriers if not _has_ended(pid)]
        null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        arguments = [sys.executable, "-P", "-m", COURIER_MODULE, self._directory]
        self._couriers.append(
            os.posix_spawn(sys.executable, arguments, self._environment, file_actions=null, setsid=True)
        )


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _reason(delivery: Delivery) -> str:
    return f"to {delivery.target}: {delivery.reason}"


def _alerts(count: int) -> str:
    return "an alert" if count == 1 else f"{count} alerts"
