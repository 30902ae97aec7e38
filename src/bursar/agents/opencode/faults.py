"""OpenCode's own log of what went wrong: the only place that tells of a reply that broke off before its first piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bursar.agents.log_follower import LogFollower

LOG_FILE = "log/opencode.log"
_SESSION = re.compile(rb"session\.id=(ses_\w+)")
_ERROR = re.compile(rb'error\.error="(\w+): ?(.{0,80})')
_NOT_ANSWERED = b"Cannot connect to API"  # with it, the provider's own words: a status refused the call
_NEVER_SENT = (b"Unable to connect", b"ECONNREFUSED", b"ENOTFOUND")


class FaultLog:
    """Follows the log of a process."""

    def __init__(self, data: Path | None) -> None:
        self._path = None if data is None else data / LOG_FILE
        self._follower: LogFollower | None = None

    def poll(self) -> list[str]:
        """The sessions of which a reply broke off since it was last asked, each as often as that happened."""
        if self._follower is None and self._path is not None:
            try:
                self._follower = LogFollower(self._path)
            except OSError:
                return []
        return [] if self._follower is None else list(_lost_replies(self._follower.poll()))

    def close(self) -> list[str]:
        """The last of them."""
        found = self.poll()
        return found if self._follower is None else found + list(_lost_replies(self._follower.close()))


def _lost_replies(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        if b'message="stream error"' in line and _is_lost(line):
            found = _SESSION.search(line)
            yield "" if found is None else found[1].decode()


def _is_lost(line: bytes) -> bool:
    """Whether the reply may have been paid for: no status refused it, and a connection was there."""
    found = _ERROR.search(line)
    if found is None or found[1] != b"AI_APICallError":
        return True
    return found[2].startswith(_NOT_ANSWERED) and not any(words in line for words in _NEVER_SENT)
