"""`.planning/token_budget.json`: the session's report as a file for scripts, replaced as a whole after each change.

The ledger is the truth. The file is read for its figures once, when the ledger does not know the project yet; after
that only to see that what is about to be replaced is such a file and nobody else's.
"""

from __future__ import annotations

import json
import os
import stat
from typing import NamedTuple

from bursar.budget import LARGEST_QUANTITY
from bursar.errors import SetupError, UserError
from bursar.session.words import DEFAULT_MODEL, MODELS, parse_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any

SNAPSHOT_PATH = ".planning/token_budget.json"
_LARGEST_BYTES = 64 * 1024 * 1024


class Snapshot(NamedTuple):
    """What a snapshot says that can be taken over: tokens, and the model they were for."""

    model: str
    max_tokens: int
    current_usage: int
    reserved_tokens: int


def read_snapshot(project: str) -> Snapshot | None:
    """What the project's file says; None where there is none.

    Raises:
        UserError: it is no token budget, or none that adds up. It is left as it is.
    """
    path = os.path.join(project, SNAPSHOT_PATH)
    try:
        text = _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _foreign(path, error.strerror or "it cannot be read") from error
    try:
        return _parse(json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError, UserError) as error:
        raise _foreign(path, str(error)) from error


class SnapshotWriter:
    """A `with` block around a change: at its beginning the file can be written, in it `write` replaces it.

    A folder that cannot be written is found before anything has changed. Nobody ever reads half a file.
    """

    def __init__(self, project: str) -> None:
        self._path = os.path.join(project, SNAPSHOT_PATH)
        self._new_path = os.path.join(
            os.path.dirname(self._path), ".token_budget.json.new"
        )  # one name: a kill leaves at most one
        self._file: int | None = None

    def __enter__(self) -> SnapshotWriter:
        """A draft beside the snapshot is open; the snapshot is as it was.

        Raises:
            SetupError: the file's folder cannot be made, or not be written.
        """
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = os.open(self._new_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise SetupError(
                f"`{self._path}` cannot be written: {error.strerror}; nothing changed",
                hint=f"check the permissions of `{os.path.dirname(self._path)}`",
            ) from error
        return self

    def write(self, data: Mapping[str, object]) -> str | None:
        """The file is `data`, all of it and synced; or it is what it was, and the answer says why."""
        if self._file is None:
            return "it is not open"
        try:
            with os.fdopen(self._file, "w", encoding="utf-8", closefd=False) as file:
                file.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
            os.fchmod(self._file, 0o644)
            os.fsync(self._file)
            os.replace(self._new_path, self._path)
        except OSError as error:
            return error.strerror or str(error)
        return None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        try:
            os.unlink(self._new_path)
        except FileNotFoundError:
            pass  # it has become the snapshot


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is not a file")
        if found.st_size > _LARGEST_BYTES:
            raise OSError(0, "it is too large")
        try:
            return file.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise OSError(0, "it is not text in UTF-8") from error


def _parse(data: Any) -> Snapshot:
    """Both spellings of the two figures are read: `current_usage` and `currentUsage`."""
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    model = data.get("model", DEFAULT_MODEL)
    if not isinstance(model, str):
        raise ValueError("`model` is not a name")
    usage = data.get("current_usage", data.get("currentUsage"))
    limit = data.get("max_tokens", data.get("maxTokens", MODELS.get(model)))
    return Snapshot(
        model=parse_name(model, "model"),
        max_tokens=_count(limit, "max_tokens", least=1),
        current_usage=_count(usage, "current_usage", least=0),
        reserved_tokens=_count(data.get("reserved_tokens", 0), "reserved_tokens", least=0),
    )


def _count(value: object, name: str, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST_QUANTITY:
        raise ValueError(f"`{name}` is not a whole number from {least} to {LARGEST_QUANTITY}")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _foreign(path: str, why: str) -> UserError:
    return UserError(
        f"`{path}` is not a token budget ({why}); it is left as it is, and nothing changed",
        hint=f"if nobody needs it, move it away: mv {path} {path}.old",
    )
