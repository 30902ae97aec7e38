"""`[[window]]`: how much of a subscription's windows may be used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from bursar.budget import (
    PERIOD_THRESHOLDS,
    OnLimit,
    WindowLimit,
    build_thresholds,
    parse_share,
    parse_window_length,
)
from bursar.config.budget_tables import percent_of
from bursar.errors import UserError

WINDOW_AGENTS = ("claude", "codex", "gemini", "opencode", "command")


class WindowTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table.

    Attributes:
        agent: whose subscription.
        window: how long the window is, as its provider counts: `5h`, `7d`.
        limit: the share of it that may be used: `80 %`.
        on_limit: whether nothing more of that agent starts then, or that is only told.
        thresholds: shares of the limit at which that is told.
    """

    agent: str
    window: str
    limit: str
    on_limit: Literal["block", "warn"] = "block"
    thresholds: list[float] | None = None

    def limit_on_window(self, where: str) -> WindowLimit:
        """The limit that the table means.

        Raises:
            UserError: a value is wrong; it is named with `where` before it.
        """
        if self.agent not in WINDOW_AGENTS:
            raise UserError(f"{where}agent must be one of {', '.join(WINDOW_AGENTS)}, not `{self.agent}`")
        try:
            thresholds = PERIOD_THRESHOLDS
            if self.thresholds is not None:
                thresholds = build_thresholds([percent_of(each) for each in self.thresholds])
            return WindowLimit(
                agent=self.agent,
                minutes=parse_window_length(self.window),
                percent=parse_share(self.limit),
                on_limit=OnLimit(self.on_limit),
                thresholds=thresholds,
            )
        except UserError as error:
            raise UserError(f"{where}{error.message}", hint=error.hint) from error


def window_limits(tables: Iterable[WindowTable]) -> list[WindowLimit]:
    """The limits; of two on the same window of the same agent the later holds."""
    limits = [table.limit_on_window("") for table in tables]
    return list({(each.agent, each.minutes): each for each in limits}.values())


def check_windows(tables: Iterable[WindowTable], where: str) -> None:
    """Every table means a limit.

    Raises:
        UserError: one does not; it is named with `where` before it.
    """
    for number, table in enumerate(tables, 1):
        table.limit_on_window(f"{where}window {number}: ")
