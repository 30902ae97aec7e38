"""A plan file's bytes → a `Plan`, or every problem in it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from bursar.plan.model import Plan, Position, Problem, UnreadablePlan
from bursar.plan.parse import parse_plan

MAX_BYTES = 4 * 1024 * 1024
_START = Position(1)
_BOM = b"\xef\xbb\xbf"


def read_plan(path: Path) -> Plan | UnreadablePlan:
    """The plan in the file at `path`; what keeps it from being read comes back as problems, never as an exception."""
    data = read_bytes(path)
    if isinstance(data, Problem):
        return UnreadablePlan(path=path, problems=(data,))
    text = decode(data, path)
    if isinstance(text, Problem):
        return UnreadablePlan(path=path, problems=(text,))
    return parse_plan(text, path, folder=path.absolute().parent.name, digest=hashlib.sha256(data).hexdigest())


def read_bytes(path: Path, kind: str = "plan") -> bytes | Problem:
    """The content of a file of this kind; a directory, a device, a file too large or unreadable is a problem."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return _problem(path, f"is a directory, not a {kind} file", hint=_file_within(path, kind))
        if not stat.S_ISREG(status.st_mode):
            return _problem(path, "is not a regular file")
        if status.st_size > MAX_BYTES:
            return _problem(path, f"is {status.st_size / 2**20:.1f} MiB large; a {kind} has at most 4 MiB")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)  # it may have grown since
    except FileNotFoundError:
        return _problem(path, "no such file", hint=_file_beside(path, kind))
    except (OSError, ValueError) as error:
        return _problem(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    return data if len(data) <= MAX_BYTES else _problem(path, "is larger than 4 MiB")


def decode(data: bytes, path: Path) -> str | Problem:
    """The text of UTF-8 bytes, a byte order mark dropped; line and column of the first byte that is not UTF-8."""
    data = data.removeprefix(_BOM)
    nul = data.find(b"\0")
    if nul >= 0:
        return _problem(path, "is a binary file (it holds a NUL byte)", position=_position(data, nul))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: byte 0x{data[error.start]:02x}"
        return _problem(path, message, position=_position(data, error.start), hint="save the file as UTF-8")


def _position(data: bytes, offset: int) -> Position:
    line_start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[line_start:offset].decode("utf-8", "replace")) + 1
    return Position(data.count(b"\n", 0, offset) + 1, column)


def _problem(path: Path, message: str, *, position: Position = _START, hint: str | None = None) -> Problem:
    return Problem(path, position, message, hint=hint)


def _file_within(directory: Path, kind: str) -> str | None:
    """A hint that names a file of this kind in a directory, the first by name."""
    files = _files_in(directory, kind)
    return f"name a {kind} in it, such as {files[0]}" if files else f"name a {kind.upper()}.md file"


def _file_beside(path: Path, kind: str) -> str | None:
    """A hint that names a file of this kind where a missing one was looked for."""
    files = _files_in(path.parent, kind)
    return f"there is {files[0]}" if files else None


def _files_in(directory: Path, kind: str) -> list[Path]:
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(f"{kind.upper()}.md"))
    except OSError:
        return []
    return [directory / name for name in names]
