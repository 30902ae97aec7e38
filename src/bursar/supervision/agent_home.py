"""The agent's private home while its supervisor works: renewed logins go back to the user, at its end logs stay.

What there is to do stands in a file beside the home, so that whoever finds an attempt whose supervisor was killed can
do it: a token that was renewed is not lost, and no link to a login stays behind.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import msgspec

from bursar.agents import PrivateHome, furnish, give_back, mirror, strip
from bursar.supervision.spec import HomeSpec

HOME_FILE = "home.json"


def open_home(directory: Path, home: PrivateHome) -> HomeSpec:
    """The home of the attempt in `directory` is furnished.

    Raises:
        OSError: it could not be made.
    """
    shared = {place: str(own) for place, own in home.shared.items()}
    mirrored = {place: str(own) for place, own in home.mirrored.items()}
    spec = HomeSpec(folder=str(home.folder), logs=list(home.logs), shared=shared, mirrored=mirrored)
    # By the standard library: paths may hold bytes that are no UTF-8, as in `encode_spec`.
    (directory / HOME_FILE).write_text(json.dumps(msgspec.to_builtins(spec)), encoding="ascii")
    furnish(home)
    return spec


def close_home(directory: Path) -> None:
    """Of the attempt's home only session logs are left. Does nothing where that was done, or where there is none."""
    if not os.path.exists(directory / HOME_FILE):  # of thousands of attempts, where a large run is resumed
        return
    try:
        spec = msgspec.convert(json.loads((directory / HOME_FILE).read_bytes()), HomeSpec)
    except (OSError, ValueError, msgspec.MsgspecError):
        return
    AgentHome(spec, directory).close()


def close_logins(folder: Path) -> None:
    """What a run's attempts have shared of logins is gone; each of them has given back what it renewed."""
    shutil.rmtree(folder, ignore_errors=True)


class AgentHome:
    """The home of one attempt; without a `spec` the agent lives in the user's, and there is nothing to do."""

    def __init__(self, spec: HomeSpec | None, directory: Path) -> None:
        self._directory = directory
        self._folder = None if spec is None else Path(spec.folder)
        self._logs = [] if spec is None else spec.logs
        self._shared = {} if spec is None else {place: Path(own) for place, own in spec.shared.items()}
        self._mirrored = {} if spec is None else {place: Path(own) for place, own in spec.mirrored.items()}

    def look_after(self) -> None:
        """A login that the agent has replaced is the user's again. Cheap: asked at whatever woke the supervisor.

        Where an agent has locked its home, say, it stays where it is: its work and its usage are not lost with it.
        """
        with suppress(OSError):
            if self._folder is not None and self._shared:
                give_back(self._folder, self._shared)
        with suppress(OSError):
            if self._mirrored:
                mirror(self._mirrored)

    def close(self) -> None:
        """The agent is gone, and so is all of its home but the session logs."""
        self.look_after()
        if self._folder is not None:
            with suppress(OSError):
                strip(self._folder, self._logs)
                (self._directory / HOME_FILE).unlink()
