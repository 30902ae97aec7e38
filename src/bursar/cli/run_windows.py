"""Flags of `bursar run` and `bursar resume` about windows of subscriptions."""

from __future__ import annotations

from typing import Any

from bursar.budget import WindowLimit, parse_share, parse_window_length
from bursar.cli.parsing import Parser
from bursar.config import WINDOW_AGENTS
from bursar.errors import UserError

_FLAG = "--window-limit"
_HINT = "--window-limit '5h=80 %', or for one agent --window-limit 'codex:5h=80 %'"


def add_window_flags(options: Parser) -> None:
    """The flags."""
    options.add_argument(
        _FLAG,
        action="append",
        default=[],
        metavar="[AGENT:]WINDOW=PERCENT",
        help="start nothing past that share of a subscription's window: '5h=80 %%' (repeatable)",
    )
    options.add_argument(
        "--wait",
        action="store_true",
        help="wait for the reset where a window, or a limit of the provider's, is reached",
    )


def window_limits_of(options: Any) -> list[WindowLimit]:
    """The limits that the flags mean; an agent that is not named is whichever works.

    Raises:
        UserError: one is no such limit, or stands there twice.
    """
    limits = [_window_limit(text) for text in options.window_limit]
    windows = [(each.agent, each.minutes) for each in limits]
    if len(set(windows)) < len(windows):
        raise UserError(f"{_FLAG} stands there twice for the same window")
    return limits


def _window_limit(text: str) -> WindowLimit:
    window, sign, share = text.partition("=")
    agent, colon, length = window.rpartition(":")
    if not sign or (colon and agent.strip() not in WINDOW_AGENTS):
        raise UserError(f"{_FLAG} takes [AGENT:]WINDOW=PERCENT, not {text!r}", hint=_HINT)
    try:
        return WindowLimit(agent=agent.strip(), minutes=parse_window_length(length), percent=parse_share(share))
    except UserError as error:
        raise UserError(f"{_FLAG}: {error.message}", hint=_HINT) from error
