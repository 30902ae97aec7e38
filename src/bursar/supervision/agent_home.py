"""The agent's private home while its supervisor works: renewed logins go back to the user, at its end logs stay."""

from __future__ import annotations

from pathlib import Path

from bursar.agents import give_back, strip
from bursar.supervision.spec import HomeSpec


class AgentHome:
    """The home of one attempt; without a `spec` the agent lives in the user's, and there is nothing to do."""

    def __init__(self, spec: HomeSpec | None) -> None:
        self._folder = None if spec is None else Path(spec.folder)
        self._logs = [] if spec is None else spec.logs
        self._shared = {} if spec is None else {place: Path(own) for place, own in spec.shared.items()}

    def look_after(self) -> None:
        """A login that the agent has replaced is the user's again. Cheap: asked at whatever woke the supervisor."""
        if self._folder is not None and self._shared:
            give_back(self._folder, self._shared)

    def close(self) -> None:
        """The agent is gone, and so is all of its home but the session logs."""
        self.look_after()
        if self._folder is not None:
            strip(self._folder, self._logs)
