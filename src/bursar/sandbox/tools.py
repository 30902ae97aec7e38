"""Programs that are installed in the user's home: which folders they need, and nothing beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bursar.sandbox.python_folders import base_folders, editable_folders, interpreter_folders

_BESIDE_BIN = ("lib", "lib64", "libexec", "include", "pyvenv.cfg")  # not `share`: user data lies in ~/.local/share


def tool_folders(program: str, environment: Mapping[str, str], home: Path) -> list[Path]:
    """What has to be seen for `program` (an absolute path) and for what is on PATH to run; outside `home`, too.

    Where `program` is written in Python that is also what it imports from elsewhere, as editable installs do. What
    others on PATH import is left out: it may be the user's own checkout.
    """
    found: dict[Path, None] = {}
    target = Path(os.path.realpath(program))
    places = [Path(entry) for entry in environment.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)]
    for folder in (Path(program).parent, *places):
        found |= dict.fromkeys(_around(folder, home))
        for base in base_folders(folder):
            found |= dict.fromkeys(_around(base, home))
    for folder in interpreter_folders(program, environment):
        found |= dict.fromkeys(_around(folder, home))
        found |= dict.fromkeys(path for path in editable_folders(folder) if path not in (home, *home.parents))
    if target.parent.name == "bin":
        found |= dict.fromkeys(_around(target.parent, home))
    else:
        found[_package_of(target)] = None
    return [path for path in found if path.exists()]


def _around(folder: Path, home: Path) -> Iterator[Path]:
    """The folder, and what belongs to programs in it; of the home itself nothing else does."""
    if folder in (home, *home.parents):
        return
    yield folder
    prefix = folder.parent
    if folder.name in {"bin", "shims"} and prefix not in (home, *home.parents):
        yield from (prefix / name for name in _BESIDE_BIN)


def _package_of(target: Path) -> Path:
    """The whole npm package that a program is part of, else its folder."""
    above: Iterable[Path] = target.parents
    inside = [folder for folder in above if folder.parent.name == "node_modules"]
    return inside[-1] if inside else target.parent
