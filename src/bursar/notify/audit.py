"""The audit log: one JSON line for every alert and every piece of usage, for other programs to read.

It is a copy, for convenience: the truth is in the ledger. So it never gets in the way of what it tells about: writing
it raises nothing, waits for nobody and syncs nothing. What could not be written is counted.

Several processes write one file. Each line is one append, which the kernel never mixes with another; only the one
that moves a full file away takes a lock, and whoever finds that lock taken writes on into the full file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Mapping

import msgspec

from bursar.budget import Alert, Amount
from bursar.clock import Clock
from bursar.usage import Usage

MOST_BYTES = 10_000_000
KEPT_FILES = 5

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class AuditLog:
    """One process's way to the audit log.

    Attributes:
        path: the file that is written; empty for none.
        lost: how many events could not be written.
        problem: why the last of them could not; empty if none was lost.
    """

    def __init__(self, path: str, clock: Clock, *, most_bytes: int = MOST_BYTES, kept_files: int = KEPT_FILES) -> None:
        """Opens nothing yet; an empty `path` means that no log is wanted.

        Args:
            most_bytes: a file of this size or more is moved away before the next event is written.
            kept_files: how many files there are at most, the one that is written included.
        """
        self.path = path
        self._clock = clock
        self._most_bytes = most_bytes
        self._kept_files = kept_files
        self._descriptor = -1
        self._identity = (0, 0)
        self.lost = 0
        self.problem = ""

    def alert(self, alert: Alert, labels: Mapping[str, str] | None = None) -> None:
        """The log has the alert, with the labels of the operation that set it off."""
        self.write(
            "alert",
            {
                "budget": alert.budget,
                "period": alert.period_id,
                "threshold_percent": alert.percent,
                "level": alert.level,
                "message": alert.message,
                "labels": dict(labels or {}),
            },
        )

    def usage(
        self, key: str, labels: Mapping[str, str], call_id: str, model: str, usage: Usage, nano_usd: int | None
    ) -> None:
        """The log has what a call is known to have used since it was last reported."""
        self.write(
            "usage",
            {
                "key": key,
                "call": call_id,
                "model": model,
                "tokens": usage.total_tokens,
                "usage": usage,
                "nano_usd": nano_usd,
                "labels": dict(labels),
            },
        )

    def settled(self, key: str, labels: Mapping[str, str], state: str, charged: Amount, unknown: Amount) -> None:
        """The log has what an operation was charged in the end; `unknown` is the part that nobody reported."""
        self.write(
            "settled", {"key": key, "state": state, "charged": charged, "unknown": unknown, "labels": dict(labels)}
        )

    def write(self, event: str, facts: Mapping[str, object]) -> None:
        """The log has one more line, or the event is counted as lost. Never raises."""
        if not self.path:
            return
        try:
            at = self._clock.now().isoformat(timespec="milliseconds")
            line = msgspec.json.encode({"at": at, "event": event, "pid": os.getpid(), **facts}) + b"\n"
            self._append(line)
        except (OSError, ValueError, TypeError) as error:  # a name that is no Unicode is a ValueError, and ours to bear
            self.lost += 1
            self.problem = (error.strerror if isinstance(error, OSError) else "") or str(error)
            self.close()

    def close(self) -> None:
        """The file is let go of; the next event opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, line: bytes) -> None:
        size = self._current_size()
        if size >= self._most_bytes and self._rotate():
            self._current_size()
        written = os.write(self._descriptor, line)
        if written < len(line):
            os.write(self._descriptor, b"\n")  # the disk is full: the stump must not swallow the next line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _current_size(self) -> int:
        """The size of the file at the path, which is open now; another process may have moved ours away."""
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return self._open()
        if self._descriptor < 0 or (found.st_dev, found.st_ino) != self._identity:
            return self._open()
        return found.st_size

    def _open(self) -> int:
        self.close()
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        self._descriptor = os.open(self.path, _FLAGS, 0o600)
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "it is no file of ours")
        if stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(self._descriptor, 0o600)
        self._identity = (found.st_dev, found.st_ino)
        return found.st_size

    def _rotate(self) -> bool:
        """The full file is `….1` now and the older ones moved on; False where another process is at it."""
        lock = os.open(self.path + ".lock", _LOCK_FLAGS, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.lstat(self.path).st_size >= self._most_bytes:  # another process may just have done it
                self._move_files()
            return True
        except (BlockingIOError, FileNotFoundError):
            return False
        finally:
            os.close(lock)

    def _move_files(self) -> None:
        if self._kept_files < 2:
            os.unlink(self.path)
            return
        for number in range(self._kept_files - 1, 1, -1):
            try:
                os.replace(f"{self.path}.{number - 1}", f"{self.path}.{number}")
            except FileNotFoundError:
                pass
        os.replace(self.path, f"{self.path}.1")
