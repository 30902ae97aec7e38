"""Git's settings as they were before agents came: programs that are named in them since then are not started.

An agent can write into the settings of the repository, and into attributes that say which files a filter is for.
Filters and merge drivers are programs, and bursar's gits would start them after the agent has ended. So what its
settings looked like is noted when a repository is first used; if a file of them has changed, what would start a
program, or would have files left out, is given to git as it was before, or as nothing.

Source: git-config(1), gitattributes(5); docs/decisions/0048-a-sandbox-and-limits.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bursar.worktrees.git import git

_PROGRAMS = re.compile(
    r"(filter\..*|merge\..*\.driver|core\.(sshcommand|gitproxy|askpass|alternaterefscommand)|protocol\..*"
    r"|remote\..*\.(uploadpack|vcs)|gpg\..*program|credential\..*)\Z",
    re.DOTALL,
)
# What decides which files are an attempt's work, and what becomes of their contents; and what git does without each.
_COLLECTING = {
    "core.autocrlf": "false",
    "core.safecrlf": "warn",
    "core.eol": "native",
    "core.filemode": "true",
    "core.symlinks": "true",
    "core.ignorecase": "false",
    "core.trustctime": "true",
    "core.checkstat": "default",
    "core.bare": "false",
    "core.excludesfile": "~/.config/git/ignore",
    "core.attributesfile": "~/.config/git/attributes",
}
_OFF = {  # by a key's last part; others are off where they are empty
    "required": "false",
    "allow": "never",
    "driver": "git merge-file --quiet %A %O %B",  # what git does without one
}

Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Listed:
    """Settings as git lists them (the last value of each), and the files that they stand in."""

    values: Mapping[str, str]
    files: frozenset[Path]


def _without(name: str) -> str:
    return _COLLECTING.get(name) or _OFF.get(name.rpartition(".")[2], "")


class TrustedSettings:
    """The settings of one repository: as they were when first asked for, and what to say to git since then."""

    def __init__(self, root: Path, *, bare: bool = False) -> None:
        """`root` is a folder in the checkout; with `bare` the repository's own folder, whatever is in the checkout."""
        self._root = root
        self._where = {"GIT_DIR": str(root), "GIT_WORK_TREE": str(root)} if bare else {}
        self._trusted = self._list(None)
        self._seen: dict[Fingerprint, Mapping[str, str]] = {self._look(None): {}}

    @property
    def values(self) -> Mapping[str, str]:
        """All of them, as they were."""
        return self._trusted.values

    def overrides(self, git_dir: Path | None = None) -> Mapping[str, str]:
        """Variables for a git that is to start no program but those that were named before; mostly none are needed.

        Args:
            git_dir: of a worktree, which may have settings of its own.
        """
        found = self._look(git_dir)
        if found not in self._seen:
            self._seen[found] = self._changes(self._list(git_dir))
        return self._seen[found]

    def _changes(self, now: _Listed) -> Mapping[str, str]:
        before = self._trusted.values
        names = {name for name in (*before, *now.values) if name in _COLLECTING or _PROGRAMS.fullmatch(name)}
        changed = sorted(name for name in names if now.values.get(name) != before.get(name))
        variables = {"GIT_CONFIG_COUNT": str(len(changed))} if changed else {}
        for number, name in enumerate(changed):
            variables[f"GIT_CONFIG_KEY_{number}"] = name
            variables[f"GIT_CONFIG_VALUE_{number}"] = before.get(name, _without(name))
        return variables

    def _list(self, git_dir: Path | None) -> _Listed:
        where = self._where if git_dir is None else {"GIT_DIR": str(git_dir)}
        _, output = git(self._root, "config", "--list", "--show-origin", "-z", environment=where)
        parts = output.split("\0")
        entries = (entry.partition("\n") for entry in parts[1::2])
        values = {name: value if separator else "true" for name, separator, value in entries}
        origins = (origin.removeprefix("file:") for origin in parts[:-1:2] if origin.startswith("file:"))
        return _Listed(values, frozenset(self._root / origin for origin in origins))

    def _look(self, git_dir: Path | None) -> Fingerprint:
        """What the files look like from outside; ctime cannot be set back."""
        own = [] if git_dir is None else [git_dir / "config.worktree"]
        looks = []
        for path in (*sorted(self._trusted.files), *own):
            try:
                seen = path.stat()
            except OSError:
                continue
            looks.append((str(path), seen.st_ctime_ns, seen.st_size, seen.st_ino))
        return tuple(looks)
