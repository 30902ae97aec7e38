"""A file beside a plan gets new content: all of it or none, and only if nobody else has changed it meanwhile."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from bursar.errors import UserError


def read_again(path: Path, digest: str) -> bytes:
    """The content of the file whose sha256 was this when it was read before.

    Raises:
        UserError: it has changed since, or cannot be read any more.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; nothing was written") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise UserError(f"{path} has changed since it was read; nothing was written", hint="run the command again")
    return data


def rewrite_file(path: Path, data: bytes, digest: str) -> None:
    """The file holds `data`, with the mode and the owner that it had; a link is followed and stays a link.

    Raises:
        UserError: it is read-only, cannot be written, or is no longer what had this sha256; nothing was changed.
    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
            hint = f"chmod u+w {shlex.quote(str(path))}"
            raise UserError(f"{path} is read-only; nothing was written", hint=hint)
        _replace(target, data, status, lambda: read_again(path, digest))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; nothing was written") from error


def write_file(path: Path, data: bytes) -> None:
    """The file holds `data`, whether it was there before or not.

    Raises:
        UserError: it cannot be written; nothing was changed.
    """
    try:
        status = os.stat(path) if path.exists() else None
        _replace(os.path.realpath(path), data, status, lambda: None)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; nothing was written") from error


def _replace(target: str, data: bytes, status: os.stat_result | None, check: Callable[[], object]) -> None:
    """Write a draft in the same folder, durably, and rename it over the target once `check` has passed."""
    handle, draft = tempfile.mkstemp(prefix=".bursar-", suffix=".draft", dir=os.path.dirname(target))
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            _set_owner(file.fileno(), status)
        check()
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise


def _set_owner(handle: int, status: os.stat_result | None) -> None:
    """The mode, and where we may the owner, of the file that is replaced; of a new file what is usual."""
    if status is None:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
        os.fchown(handle, status.st_uid, status.st_gid)
    os.fchmod(handle, stat.S_IMODE(status.st_mode))
