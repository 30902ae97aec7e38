"""Who the user is to git: in a private home their own settings are not found, and an agent may commit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_SECTION = re.compile(r"^\s*\[\s*([^\]]*?)\s*\]")
_ENTRY = re.compile(r"^\s*(name|email)\s*=\s*(.*?)\s*$", re.IGNORECASE)


def git_identity(environment: Mapping[str, str]) -> bytes:
    """A git configuration with the user's name and address, as theirs says it; empty where it says neither."""
    found: dict[str, str] = {}
    for path in _own_files(environment):
        found |= dict(_entries(path))
    lines = [f"\t{name} = {value}\n" for name, value in found.items()]
    return ("[user]\n" + "".join(lines)).encode(errors="surrogateescape") if lines else b""


def _own_files(environment: Mapping[str, str]) -> list[Path]:
    """In the order in which git reads them: what comes later counts."""
    if given := environment.get("GIT_CONFIG_GLOBAL"):
        return [Path(given)]
    if not (home := environment.get("HOME")):
        return []
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return [Path(base, "git", "config"), Path(home, ".gitconfig")]


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """The entries of `[user]`, as they are written; none where the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    section = ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section = found[1].lower()
        elif section == "user" and (entry := _ENTRY.match(line)):
            yield entry[1].lower(), entry[2]
