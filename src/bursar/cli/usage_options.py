"""The flags of `bursar usage`. What is usual is read without argparse, which takes as long as the report itself."""

from __future__ import annotations

from bursar.errors import UserError
from bursar.logs import SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ABOUT = """\
daily      a line for each day
weekly     a line for each week, which begins on Sunday
monthly    a line for each month
session    a line for each session of an agent, the latest last
blocks     five hours from a first call on, as subscriptions count, and the gaps between
windows    how much of a subscription's windows is used
statusline one line for Claude Code's status line, from what it hands to the command
verify     what another tool counts in the same logs, and why where it differs"""
ACTIONS = tuple(line.split()[0] for line in _ABOUT.splitlines())
_VALUES = (
    ("--since", "DAY", "from this day on: 2026-11-01 or 20261101"),
    ("--until", "DAY", "to the end of this day"),
    ("--last", "N", "only the last N lines"),
    ("--agent", "AGENT", f"only this agent: {', '.join(source.name for source in SOURCES)}"),
    ("--project", "TEXT", "only projects whose path contains this"),
    ("--model", "TEXT", "only models whose name contains this"),
    ("--timezone", "ZONE", "whose days: Europe/Berlin (default: the machine's)"),
)
_SWITCHES = (
    ("--breakdown", "a line for each model, too"),
    ("--json", "JSON on stdout"),
    ("--csv", "comma-separated values on stdout"),
)
_MEANINGLESS = {
    "windows": ("--since", "--until", "--last", "--project", "--model", "--breakdown"),
    "statusline": tuple(flag for flag, *_ in (*_VALUES, *_SWITCHES) if flag != "--timezone"),
}
"""What an action does not take."""


class Options:
    """What was asked for; None where nothing was said."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.since: str | None = None
        self.until: str | None = None
        self.last: int | None = None
        self.agent: str | None = None
        self.project: str | None = None
        self.model: str | None = None
        self.timezone: str | None = None
        self.breakdown = False
        self.json = False
        self.csv = False


def parse_options(arguments: Sequence[str]) -> Options:
    """What was asked for.

    Raises:
        UserError: nobody can tell.
    """
    options = _read_usual(arguments) or _read_any(arguments)
    if options.last is not None:
        options.last = _count(options.last)
    if options.agent is not None and options.agent not in {source.name for source in SOURCES}:
        names = ", ".join(source.name for source in SOURCES)
        raise UserError(f"no logs of `{options.agent}` are read", hint=f"--agent takes one of {names}")
    return options


def _read_usual(arguments: Sequence[str]) -> Options | None:
    """What was asked for, where each flag and each value stands alone; None for everything else."""
    if not arguments or arguments[0] not in ACTIONS:
        return None
    options = Options(arguments[0])
    values, switches = {flag for flag, _, _ in _VALUES}, {flag for flag, _ in _SWITCHES}
    meaningless = _MEANINGLESS.get(options.action, ())
    rest = iter(arguments[1:])
    for flag in rest:
        value = next(rest, "-") if flag in values else flag in switches
        if flag in meaningless or not value or (isinstance(value, str) and value.startswith("-")):
            return None
        setattr(options, flag[2:], value)
    return None if options.json and options.csv else options


def _read_any(arguments: Sequence[str]) -> Options:
    from bursar.cli.parsing import Parser, parser

    top = parser("usage", "what agents have used by their own logs, whoever started them")
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    for line in _ABOUT.splitlines():
        name, text = line.split(None, 1)
        action = actions.add_parser(name, help=text, allow_abbrev=False)
        meaningless = _MEANINGLESS.get(name, ())
        for flag, metavar, about in _VALUES:
            if flag not in meaningless:
                action.add_argument(flag, metavar=metavar, help=about)
        switches = [each for each in _SWITCHES if each[0] not in meaningless]
        how = action.add_mutually_exclusive_group() if switches else action  # an empty one has no help
        for flag, about in switches:
            (action if flag == "--breakdown" else how).add_argument(flag, action="store_true", help=about)
    options = Options("")
    top.parse_args(arguments, options)
    return options


def _count(text: object) -> int:
    """How many, from 1 on.

    Raises:
        UserError: it is no number from 1 on.
    """
    try:
        count = int(str(text))
    except ValueError:
        count = 0
    if count < 1:
        raise UserError(f"--last takes a number from 1 on, not {text!r}", hint="--last 7")
    return count
