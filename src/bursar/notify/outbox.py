"""Messages that wait to be delivered: one file each, in a folder that only its owner can read.

A message in here survives the process that posted it. The folder holds a bounded number of them: when nothing gets
through for long, the newest are dropped, and counted like any other that was not delivered.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import time
from collections.abc import Iterable

import msgspec

from bursar.notify.delivery import Delivery
from bursar.notify.message import Message

MOST_WAITING = 200
_LOCK = "lock"
_FAILURES = "undelivered.jsonl"
_ENDING = ".json"
_MARKS = "posted"
_numbers = itertools.count()


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A message for one target, as configured (an `env:NAME` is not resolved), and when it was posted (epoch)."""

    message: Message
    target: str
    posted_at: float


class Outbox:
    """The folder. Any process may post; one at a time delivers (see `lock`)."""

    def __init__(self, directory: str, *, most_waiting: int = MOST_WAITING) -> None:
        self._directory = directory
        self._most_waiting = most_waiting

    def post(self, message: Message, targets: Iterable[str], *, once: str = "") -> int:
        """A parcel for each target waits here, whole or not at all; how many found no room.

        Args:
            once: a name for the occasion. A target that a parcel was posted to for it before, by whatever process,
                gets none.

        Raises:
            OSError: the folder cannot be written.
        """
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        room, dropped = self._most_waiting - len(self.waiting()), 0
        for target in targets:
            if once and not self._is_first(f"{once} {target}"):
                continue
            if room <= 0:
                dropped += 1
                continue
            room -= 1
            self._put(msgspec.json.encode(Parcel(message=message, target=target, posted_at=time.time())))
        return dropped

    def waiting(self) -> list[str]:
        """Names of the parcels, oldest first."""
        try:
            return sorted(name for name in os.listdir(self._directory) if name.endswith(_ENDING))
        except FileNotFoundError:
            return []

    def read(self, name: str) -> Parcel | None:
        """The parcel; None where there is none of that name, or none that can be read: then it is gone."""
        try:
            with open(os.path.join(self._directory, name), "rb") as file:
                return msgspec.json.decode(file.read(), type=Parcel)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            self.remove(name)
            return None

    def remove(self, name: str) -> None:
        """The parcel waits no more."""
        os.unlink(os.path.join(self._directory, name))

    def lock(self) -> int | None:
        """The caller delivers, until it closes this file descriptor or ends; None where another process does."""
        descriptor = os.open(os.path.join(self._directory, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def add_failure(self, delivery: Delivery) -> None:
        """Somebody will be told that this could not be delivered."""
        line = msgspec.json.encode(delivery) + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(os.path.join(self._directory, _FAILURES), flags, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def take_failures(self) -> list[Delivery]:
        """What could not be delivered since somebody last asked: whoever gets it here is the only one who does."""
        taken = os.path.join(self._directory, f".{_FAILURES}.{os.getpid()}")
        try:
            os.rename(os.path.join(self._directory, _FAILURES), taken)
        except FileNotFoundError:
            return []
        with open(taken, "rb") as file:
            lines = file.read().splitlines()
        os.unlink(taken)
        return [delivery for line in lines if (delivery := _parse_failure(line)) is not None]

    def forget(self, days: float) -> None:
        """What was posted more than `days` ago might be posted again: the marks that prevented it are gone."""
        folder = os.path.join(self._directory, _MARKS)
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                if time.time() - os.lstat(path).st_mtime > days * 24 * 3600:
                    os.unlink(path)

    def _is_first(self, once: str) -> bool:
        folder = os.path.join(self._directory, _MARKS)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        name = hashlib.sha256(once.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return False
        return True

    def _put(self, content: bytes) -> None:
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers)}{_ENDING}"
        draft = os.path.join(self._directory, f".{name}.draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(draft, os.path.join(self._directory, name))


def _parse_failure(line: bytes) -> Delivery | None:
    try:
        return msgspec.json.decode(line, type=Delivery)
    except msgspec.MsgspecError:
        return None
