"""`bursar token`: a token budget for scripts that drive agents themselves.

Scripts call it before and after every step, so it has to be over quickly. Half of its time is the making of modules,
among which the garbage collector looks for garbage again and again, and once more at the end. There is none.
"""

from __future__ import annotations

import atexit
import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Does what the words after `bursar token` say; what was wrong with them is told before anything is opened."""
    was_enabled = gc.isenabled()
    gc.disable()
    atexit.unregister(gc.freeze)  # once is enough, however often a program calls this
    atexit.register(gc.freeze)
    try:
        from bursar.cli.token_commands import run_command

        return run_command(arguments)
    finally:
        if was_enabled:
            gc.enable()
