"""Commands that people have written for Claude Code: one Markdown file each, `/db:check` in `commands/db/check.md`."""

from __future__ import annotations

import re
from pathlib import Path

_COMMAND = re.compile(r"/([A-Za-z0-9][\w-]*(?::[A-Za-z0-9][\w-]*)*)(?=\s|$)", re.ASCII)
_MOST_BYTES = 1 << 20


def read_command(config: Path, text: str) -> tuple[str, bytes] | None:
    """The file of the command that a prompt begins with, as its place in a home and its content.

    None where the prompt begins with no command, or the folder `config` (a `.claude`) has no file for it.
    """
    found = _COMMAND.match(text)
    if found is None:
        return None
    path = config / "commands" / f"{found[1].replace(':', '/')}.md"
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return f".claude/{path.relative_to(config)}", path.read_bytes()
    except OSError:
        return None
