"""Where Claude Code keeps its transcripts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class LogFile(NamedTuple):
    """A log file as the folder lists it; `changed` in ns. `project` and `session`: what its place says they are."""

    path: str
    size: int
    changed: int
    project: str
    session: str


def find_roots(environment: Mapping[str, str]) -> list[str]:
    """The `projects` folders: of each entry of `CLAUDE_CONFIG_DIR`, else of the two places that Claude Code uses."""
    home = environment.get("HOME") or os.path.expanduser("~")
    given = [part.strip() for part in environment.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()]
    if not given:
        base = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        given = [os.path.join(base, "claude"), os.path.join(home, ".claude")]
    folders = [os.path.realpath(os.path.join(os.path.expanduser(folder), "projects")) for folder in given]
    return list(dict.fromkeys(folder for folder in folders if os.path.isdir(folder)))


def find_files(roots: list[str], unreadable: dict[str, str]) -> Iterator[LogFile]:
    """Every transcript under the roots, in order of path; folders that cannot be listed are named in `unreadable`."""
    for root in roots:
        for project in _entries(root, unreadable):
            if project.is_dir(follow_symlinks=False):
                yield from _files_of(project.path, project.name, "", unreadable)
            elif project.name.endswith(".jsonl"):
                yield _file(project, "", project.name[:-6])


def _files_of(folder: str, project: str, session: str, unreadable: dict[str, str]) -> Iterator[LogFile]:
    for entry in _entries(folder, unreadable):
        if entry.is_dir(follow_symlinks=False):
            yield from _files_of(entry.path, project, session or entry.name, unreadable)
        elif entry.name.endswith(".jsonl") and entry.is_file():
            yield _file(entry, project, session or entry.name[:-6])


def _file(entry: os.DirEntry[str], project: str, session: str) -> LogFile:
    status = entry.stat()
    return LogFile(entry.path, status.st_size, status.st_mtime_ns, project, session)


def _entries(folder: str, unreadable: dict[str, str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        unreadable[folder] = error.strerror or str(error)
        return []
