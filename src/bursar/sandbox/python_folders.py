"""What a Python program needs beside its own folder: its interpreter, that one's library, and where packages are.

A virtual environment has links to an interpreter elsewhere, and an editable install names source folders in files of
its `site-packages`. Nothing is imported or run to find out.

Source: https://docs.python.org/3/library/site.html (`pyvenv.cfg`, `.pth` files); the finder of editable installs is
that of setuptools
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

_SHEBANG_BYTES = 512
_MOST_LINKS = 10
_MAPPING = re.compile(r"^MAPPING\b[^=\n]*= (\{.*\})$", re.MULTILINE)


def base_folders(bin_folder: Path) -> Iterator[Path]:
    """The `bin` folder of the interpreter below a virtual environment with this `bin` folder, if it is one."""
    for line in _lines(bin_folder.parent / "pyvenv.cfg"):
        key, _, value = line.partition("=")
        if key.strip() == "home" and os.path.isabs(value.strip()):
            base = Path(value.strip())
            yield from (base, Path(os.path.realpath(base)))
            yield Path(os.path.realpath(base / "python3")).parent


def interpreter_folders(program: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """The `bin` folders on the way to the interpreter that runs `program`; none where that is no Python program."""
    path = Path(program) if Path(program).name.startswith("python") else _named_interpreter(program, environment)
    if path is None or not path.name.startswith("python"):
        return
    for _ in range(_MOST_LINKS):
        yield path.parent
        yield from base_folders(path.parent)
        try:
            path = path.parent / os.readlink(path)
        except OSError:
            return


def editable_folders(bin_folder: Path) -> Iterator[Path]:
    """Folders outside of `site-packages` that packages there are imported from."""
    for site in sorted(bin_folder.parent.glob("lib*/python*/site-packages")):
        for listed in sorted(site.glob("*.pth")):
            lines = (line.strip() for line in _lines(listed))
            named = (site / line for line in lines if line and not line.startswith(("#", "import ", "import\t")))
            yield from (folder for folder in named if folder.is_dir())
        for finder in sorted(site.glob("__editable__*_finder.py")):
            yield from _mapped("\n".join(_lines(finder)))


def _mapped(text: str) -> Iterator[Path]:
    found = _MAPPING.search(text)
    try:
        mapping = ast.literal_eval(found[1]) if found else {}
    except (ValueError, SyntaxError):
        return
    if isinstance(mapping, dict):
        yield from (Path(value) for value in mapping.values() if isinstance(value, str) and os.path.isabs(value))


def _named_interpreter(program: str, environment: Mapping[str, str]) -> Path | None:
    """By the first line of a script: directly, by `env`, or by the shell that long paths take."""
    try:
        with open(program, "rb") as file:
            head = os.fsdecode(file.read(_SHEBANG_BYTES)).splitlines()
    except OSError:
        return None
    if not head or not head[0].startswith("#!"):
        return None
    words = head[0][2:].split()
    if words and words[0].endswith("/sh") and len(head) > 1 and head[1].startswith("'''exec' "):
        words = shlex.split(head[1].removeprefix("'''exec' ").partition(' "$0"')[0])
    if words and os.path.basename(words[0]) == "env":
        name = next((word for word in words[1:] if not word.startswith("-")), "")
        found = shutil.which(name, path=environment.get("PATH"))
        return None if found is None else Path(found)
    return Path(words[0]) if words else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
