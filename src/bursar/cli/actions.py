"""Commands that only say which of several actions is meant; each has a module of its own, imported when asked for."""

from __future__ import annotations

import sys
from importlib import import_module

from bursar.errors import OK, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_action(
    command: str, what: str, actions: Mapping[str, tuple[str, str]], arguments: Sequence[str], *, footer: str = ""
) -> int:
    """Runs one action of `bursar COMMAND`; its exit code.

    Args:
        what: what something is to be done with, in words.
        actions: name → module, whose `main` gets all arguments, and what it does.
        footer: the last line of the help.

    Raises:
        UserError: none was named, or there is none of that name; the hint names the nearest.
    """
    if not arguments:
        raise UserError(f"say what to do with {what}", hint=f"bursar {command} --help")
    name = arguments[0]
    if name in ("-h", "--help"):
        sys.stdout.write(_help(command, actions, footer))
        return OK
    if name not in actions:
        import difflib

        near = difflib.get_close_matches(name, actions, n=1)
        hint = f"did you mean `bursar {command} {near[0]}`?" if near else f"bursar {command} --help"
        raise UserError(f"there is no `bursar {command} {name}`", hint=hint)
    code: int = import_module(actions[name][0]).main(arguments)
    return code


def _help(command: str, actions: Mapping[str, tuple[str, str]], footer: str) -> str:
    width = max(map(len, actions)) + 2
    listed = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in actions.items())
    head = f"usage: bursar {command} ACTION [...]      bursar {command} ACTION --help tells more"
    return f"{head}\n\n{listed}\n" + (f"\n{footer}\n" if footer else "")
