"""An agent's private home: one folder per attempt, with the agent's own login in it and nothing else of the user's.

A login is not copied where it can be shared, because tokens are renewed: what is written over the one file is seen by
every attempt and by the user. A CLI that replaces the file instead of writing into it leaves a file where the link was;
`give_back` brings that to its place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateHome:
    """What a private home is to hold. Places are relative to it.

    Attributes:
        folder: the home; it is made, and only its owner can look into it.
        logs: folders and files that stay when the attempt has ended: the agent's session logs.
        shared: place → the user's own file, which the agent may renew.
        written: place → content of a file that is the agent's from then on.
        reached: files of the user's own that the agent renews where they are; not in the home at all.
    """

    folder: Path
    logs: tuple[str, ...] = ()
    shared: Mapping[str, Path] = field(default_factory=dict)
    written: Mapping[str, bytes] = field(default_factory=dict)
    reached: tuple[Path, ...] = ()


def furnish(home: PrivateHome) -> None:
    """The home is there, with the login in it. Furnishing again changes nothing but what is `written`.

    Raises:
        OSError: it could not be made.
    """
    home.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for place, content in home.written.items():
        path = _made(home.folder / place)
        path.write_bytes(content)
        path.chmod(0o600)
    for place, own in home.shared.items():
        if own.exists():
            with suppress(FileExistsError):
                _made(home.folder / place).symlink_to(own.resolve())


def give_back(folder: Path, shared: Mapping[str, Path]) -> None:
    """A login that was renewed by replacing its link is the user's again, and linked again.

    Of two that were renewed the later one wins: it was renewed with the token of the earlier one. What is empty, or
    cannot be moved, stays where it is.
    """
    for place, own in shared.items():
        path = folder / place
        try:
            renewed = path.lstat()
            if path.is_symlink() or renewed.st_size == 0:
                continue
            own = own.resolve()
            if renewed.st_mtime_ns > own.stat().st_mtime_ns:
                _replace(path, own)
            path.unlink()
            path.symlink_to(own)
        except OSError:
            continue


def strip(folder: Path, logs: Iterable[str]) -> None:
    """Only the session logs are left of the home: no link to a login, no copy, no cache."""
    kept = {folder / place for place in logs}
    _strip(folder, kept, {above for path in kept for above in path.parents})


def _strip(folder: Path, kept: set[Path], above: set[Path]) -> None:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        if path in kept:
            continue
        if entry.is_dir(follow_symlinks=False):
            _strip(path, kept, above) if path in above else shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _replace(renewed: Path, own: Path) -> None:
    """`own` has the content of `renewed`, at once and as a whole; its mode stays."""
    draft = own.with_name(f".{own.name}.bursar-{os.getpid()}")
    try:
        shutil.copyfile(renewed, draft)
        shutil.copymode(own, draft)
        os.replace(draft, own)
    finally:
        draft.unlink(missing_ok=True)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
