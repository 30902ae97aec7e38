"""Which project a command is about, and its turn among the commands on that project."""

from __future__ import annotations

import hashlib
import os

from bursar.database import check_place, lock_file, make_place, unlock_file
from bursar.errors import SetupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

BUSY_SECONDS = 30.0


def find_project() -> str:
    """The top of the git checkout around the current folder, else that folder; links are resolved.

    Raises:
        SetupError: the current folder is gone.
    """
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError as error:
        raise SetupError("the current folder has been removed", hint="cd into a folder that exists") from error
    folder = here
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return here
        folder = parent
    return folder


def digest_of(project: str) -> str:
    """Twelve characters that stand for the project's path."""
    return hashlib.sha256(project.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def labels_of_caller() -> dict[str, str]:
    """The labels `user` and `host`: who is at work here, by the account's name or else its number, and where."""
    import pwd  # here, because not every command of a session writes something down

    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return {"user": name, "host": os.uname().nodename}


class SessionLock:
    """A `with` block in which no other command of this project changes its session or writes its snapshot.

    It is of this machine; a ledger on a server keeps the other machines out (`take_turn`).

    The ledger has locks of its own. This one makes "which session, then what, then the snapshot" one step, so the
    snapshot that was written last is the state after the last change.
    """

    def __init__(self, state_dir: str, project: str) -> None:
        self._path = os.path.join(state_dir, f"session-{digest_of(project)}.lock")
        self._lock: int | None = None

    def __enter__(self) -> None:
        """The lock is this process's.

        Raises:
            LedgerBusy: another command took more than half a minute; nothing was written.
            SetupError: the lock file cannot be opened.
            StoreError: the state directory is not ours alone.
        """
        try:
            make_place(self._path)
            check_place(self._path)
            self._lock = lock_file(self._path, BUSY_SECONDS)
        except OSError as error:
            raise SetupError(f"`{self._path}` cannot be locked: {error.strerror}; nothing was written") from error

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if self._lock is not None:
            unlock_file(self._lock)
            self._lock = None
