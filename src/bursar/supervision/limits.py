"""What one agent may take of the machine: how many processes, how large a file, a log, a worktree.

Processes are counted below the supervisor, which is their subreaper: the kernel's own limit counts all processes of a
user, and groups of its own (cgroups) are not given to everybody. Files are limited by the kernel; logs are cut by who
writes them; the worktree is added up now and then, beside the work.

Source: docs/decisions/0048-a-sandbox-and-limits.md
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from bursar.processes import descendants

_PROCESS_SECONDS = 2.0
_DISK_SECONDS = 10.0
_DISK_SHARE = 50  # adding up takes at most so small a part of the time


class AttemptLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt; 0 for none.

    Attributes:
        processes: at once, those that the agent has started included.
        file_bytes: of one file, written by any of them.
        log_bytes: of what is kept of the agent's output, and of what it complains about.
        disk_bytes: on disk, in its worktree and its home together.
    """

    processes: int = 0
    file_bytes: int = 0
    log_bytes: int = 0
    disk_bytes: int = 0


def limit_files(limits: AttemptLimits) -> None:
    """The calling process, and all that it becomes or starts, writes no larger file; call it right after the fork."""
    if limits.file_bytes:
        _, hardest = resource.getrlimit(resource.RLIMIT_FSIZE)
        most = limits.file_bytes if hardest == resource.RLIM_INFINITY else min(limits.file_bytes, hardest)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


class LimitWatch:
    """Looks now and then whether an agent is past its limits."""

    def __init__(self, limits: AttemptLimits, places: Sequence[Path], look_from: float = 0.0) -> None:
        """`places` are what `disk_bytes` is about; before `look_from` nobody looks: next to nothing is there yet."""
        self._limits = limits
        self._places = places
        self._count_at = look_from
        self._disk_at = look_from
        self._adding: _Adding | None = None

    def excess_of_processes(self, now: float) -> str:
        """In words, if there are too many; empty if not, or where it is not time to look."""
        if not self._limits.processes or now < self._count_at:
            return ""
        self._count_at = now + _PROCESS_SECONDS
        count = len(descendants(os.getpid()))
        return _past("processes at once", count, self._limits.processes) if count > self._limits.processes else ""

    def excess_of_disk(self, now: float) -> str:
        """In words, if there is too much by the last look that is finished; the next one goes on beside the work."""
        if not self._limits.disk_bytes or now < self._disk_at:
            return ""
        if self._adding is None:
            self._adding = _Adding(self._places)
        if self._adding.is_alive():
            self._disk_at = now + 1.0
            return ""
        self._disk_at = now + max(_DISK_SECONDS, self._adding.seconds * _DISK_SHARE)
        size, self._adding = self._adding.size, None
        return _past("bytes on disk", size, self._limits.disk_bytes) if size > self._limits.disk_bytes else ""

    def seconds_left(self, now: float) -> float | None:
        """Until the next look; None where there is nothing to look at."""
        looks = ((self._count_at, self._limits.processes), (self._disk_at, self._limits.disk_bytes))
        due = [at for at, limit in looks if limit]
        return max(0.0, min(due) - now) if due else None


class _Adding(threading.Thread):
    """Adds up what lies in some folders; links are not followed, and what cannot be looked at counts nothing."""

    def __init__(self, places: Sequence[Path]) -> None:
        super().__init__(daemon=True)
        self._places = places
        self.size = 0
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        began = time.monotonic()
        folders = [str(place) for place in self._places]
        while folders:
            with suppress(OSError), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with suppress(OSError):
                        self.size += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
        self.seconds = time.monotonic() - began


class CappedLog:
    """A file that takes so many bytes and no more; what is left out is counted, and said at its end."""

    def __init__(self, path: Path, most: int) -> None:
        """`most` of 0: as many as come.

        Raises:
            OSError: it cannot be opened.
        """
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 — closed by `close`
        self._most = most
        self._written = os.fstat(self._file.fileno()).st_size
        self.left_out = 0

    def write(self, content: bytes) -> None:
        """It is in the file, as far as there is room, whole lines alone once there is not.

        Raises:
            OSError: the disk is full.
        """
        if not self._most or (not self.left_out and self._written + len(content) <= self._most):
            self._file.write(content)
            self._written += len(content)
        else:
            self.left_out += len(content)

    def close(self) -> None:
        """What was left out is said, as a line that no agent writes."""
        with suppress(OSError):
            if self.left_out:
                self._file.write(b'\n{"type": "bursar_cut", "left_out_bytes": %d}\n' % self.left_out)
        self._file.close()


def cut_file(path: Path, most: int) -> int:
    """The file, to which others still append, has no more than `most` bytes; how many were taken away from its end."""
    if not most:
        return 0
    try:
        size = path.stat().st_size
        if size <= most:
            return 0
        os.truncate(path, most)
    except OSError:
        return 0
    return size - most


def _past(what: str, found: int, limit: int) -> str:
    return f"{found:,} {what}, where {limit:,} are allowed"
