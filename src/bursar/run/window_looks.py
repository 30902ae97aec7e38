"""Where a run knows the windows of subscriptions from: agents' session logs, and what running attempts were told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bursar.budget import WindowUse
from bursar.errors import BursarError
from bursar.logs import SOURCES, LogIndex, note_limit, open_index, update_index
from bursar.logs.window_use import window_uses
from bursar.paths import LOGS_FILE
from bursar.supervision import WINDOWS_FILE, read_windows


class WindowLooks:
    """Looks at windows: only what is new in the logs is read, of those agents alone that are asked for.

    Args:
        state_dir: where the index of logs is.
        environment: says where the user's logs are.
        tell: hears in words what is in the way, once.
    """

    def __init__(self, state_dir: Path, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._state_dir = state_dir
        self._environment = environment
        self._tell = tell
        self._watched: dict[Path, str] = {}
        self._noted: dict[Path, int] = {}
        self._last: dict[str, Sequence[WindowUse]] = {}
        self._told = ""

    def watch(self, directory: Path, agent: str) -> None:
        """An attempt of the agent's runs there: what it is told counts."""
        self._watched[directory] = agent

    def leave(self, directory: Path, agent: str) -> None:
        """It has ended; the last that it was told is kept, for whoever looks at windows next."""
        self._watched.pop(directory, None)
        if self._changed(directory):
            self._with_index(lambda index: self._note(index, directory, agent))
        self._noted.pop(directory, None)

    def look(self, agent: str, now: datetime) -> Sequence[WindowUse]:
        """What is known of the agent's windows; where the index cannot be used, what was known before."""

        def read(index: LogIndex) -> None:
            sources = [source for source in SOURCES if source.name == agent]
            update_index(index, self._environment, sources)
            for directory, whose in self._watched.items():
                if whose == agent and self._changed(directory):
                    self._note(index, directory, agent)
            self._last[agent] = window_uses(index, [agent], now)

        self._with_index(read)
        return self._last.get(agent, ())

    def _with_index(self, use: Callable[[LogIndex], None]) -> None:
        try:
            self._state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            index = open_index(self._state_dir / LOGS_FILE)
            try:
                use(index)
            finally:
                index.close()
        except (BursarError, OSError) as error:
            said = f"windows of subscriptions cannot be looked at: {error}"
            if said != self._told:
                self._tell(said)
            self._told = said

    def _changed(self, directory: Path) -> bool:
        try:
            changed = (directory / WINDOWS_FILE).stat().st_mtime_ns
        except OSError:
            return False
        return self._noted.get(directory) != changed

    def _note(self, index: LogIndex, directory: Path, agent: str) -> None:
        self._noted[directory] = (directory / WINDOWS_FILE).stat().st_mtime_ns
        for seen in read_windows(directory):
            note_limit(index, agent, seen.name, seen.minutes, seen.percent, seen.resets_at, seen.at)
