"""An agent's private home: one folder per attempt, with the agent's own login in it and nothing else of the user's.

A login is not copied where it can be shared, because tokens are renewed: what is written over the one file is seen by
every attempt and by the user. A CLI that replaces the file instead of writing into it leaves a file where the link was;
`give_back` brings that to its place. In a sandbox a folder that its attempts share holds a login that is replaced, and
`mirror` keeps it and the user's the same.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bursar.agents.unfollowed import PlainFile, open_folder, put_plain, read_plain, remove_name


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateHome:
    """What a private home is to hold. Places are relative to it.

    Attributes:
        folder: the home; it is made, and only its owner can look into it.
        logs: folders and files that stay when the attempt has ended: the agent's session logs.
        shared: place → the user's own file, which the agent may renew.
        written: place → content of a file that is the agent's from then on.
        reached: folders outside of the home that the agent may write, for its login.
        mirrored: a file in one of those → the user's own, which it follows and which follows it (see `mirror`).
    """

    folder: Path
    logs: tuple[str, ...] = ()
    shared: Mapping[str, Path] = field(default_factory=dict)
    written: Mapping[str, bytes] = field(default_factory=dict)
    reached: tuple[Path, ...] = ()
    mirrored: Mapping[str, Path] = field(default_factory=dict)


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
    for mirrored in home.mirrored:
        Path(mirrored).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mirror(home.mirrored)


def give_back(folder: Path, shared: Mapping[str, Path]) -> None:
    """A login that was renewed by replacing its link is the user's again, and linked again.

    Of two that were renewed the later one wins: it was renewed with the token of the earlier one. What is empty, is
    reached through a link of the agent's, or cannot be moved, stays where it is.
    """
    for place, own in shared.items():
        if (folder / place).is_symlink():  # as ever; if it is one above that is, there is nothing to fear
            continue
        with suppress(OSError), open_folder(folder, place) as inside:
            name = os.path.basename(place)
            renewed = read_plain(inside, name)
            if renewed is None:
                continue
            own = own.resolve()
            if renewed.written_ns > own.stat().st_mtime_ns:
                _replace(own, renewed)
            remove_name(inside, name)
            os.symlink(own, name, dir_fd=inside)


def mirror(mirrored: Mapping[str, Path]) -> None:
    """Of each of these files (by its place from a folder that an agent may write) and the user's own the later is both.

    For CLIs that replace the file of their login, in sandboxes in which they cannot replace the user's. What is no JSON
    was not wholly written, and is left alone; a user's file that is gone does not come back.
    """
    for place, own in mirrored.items():
        if _written(Path(place)) == _written(own):  # as ever
            continue
        with suppress(OSError), open_folder(Path(place).parent, os.path.basename(place)) as inside:
            _mirror(inside, os.path.basename(place), own.resolve())


def _mirror(inside: int, name: str, own: Path) -> None:
    with open_folder(own.parent, own.name) as outside:
        users = read_plain(outside, own.name)
    try:
        agents = read_plain(inside, name)
    except FileNotFoundError:
        agents = None
    if users is None or (agents is not None and agents.content == users.content):
        return
    if agents is None or users.written_ns > agents.written_ns:
        put_plain(inside, name, users)
    elif _is_json(agents.content):
        _replace(own, agents)


def _replace(own: Path, renewed: PlainFile) -> None:
    """`own` has the content of `renewed`, at once and as a whole; its mode stays."""
    with open_folder(own.parent, own.name) as folder:
        put_plain(folder, own.name, renewed, mode=stat.S_IMODE(own.stat().st_mode))


def _written(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content)
    except msgspec.MsgspecError:
        return False
    return True


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
        if path in kept and not entry.is_symlink():
            continue
        if entry.is_dir(follow_symlinks=False):
            _strip(path, kept, above) if path in above else shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
