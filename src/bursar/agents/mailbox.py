"""How an agent is told something while it works: through a file in its home.

A hook of its CLI's, which runs after each tool, hands what is in the file to the model beside the tool's answer, once.
So words are heard with the next call or not at all: they cost no call of their own, and start none.

Source: docs/decisions/0052-wrapping-up.md
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

MAILBOX = "mailbox.json"
_HEARD = ".heard"


def hook_command(mailbox: Path, event: str) -> str:
    """What a shell runs after a tool: nothing without words; else they are printed as that event's answer, once."""
    full, heard = shlex.quote(str(mailbox)), shlex.quote(f"{mailbox}{_HEARD}")
    before = f'{{"hookSpecificOutput":{{"hookEventName":"{event}","additionalContext":'
    told = f"printf %s {shlex.quote(before)} && cat {heard} && printf '}}}}'"
    return f"test ! -e {full} || {{ mv {full} {heard} && {told}; }}"


def hook_table(mailbox: Path, events: Sequence[str], timeout: int) -> dict[str, object]:
    """The hooks as the CLIs' settings have them.

    Args:
        timeout: how long a hook may take, in the unit that the CLI takes it in: seconds, or milliseconds.
    """
    return {
        event: [{"hooks": [{"type": "command", "command": hook_command(mailbox, event), "timeout": timeout}]}]
        for event in events
    }


def put_words(mailbox: Path, words: str) -> None:
    """The agent hears them with the answer of its next tool; in place of words that it has not heard yet.

    Raises:
        OSError: they could not be written.
    """
    draft = mailbox.with_name(f".{mailbox.name}.{os.getpid()}")
    draft.write_text(json.dumps(words), encoding="ascii")
    os.replace(draft, mailbox)


def were_heard(mailbox: Path) -> bool:
    """Whether the CLI has taken the words that were put there."""
    return Path(f"{mailbox}{_HEARD}").exists()


def empty_mailbox(mailbox: Path) -> None:
    """Nothing of an earlier process's words is left."""
    for path in (mailbox, Path(f"{mailbox}{_HEARD}")):
        with suppress(OSError):
            path.unlink()
