"""An agent is told to wrap up before its hard limit comes. The limit stays where it is: this only comes earlier.

Source: docs/decisions/0052-wrapping-up.md
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bursar.agents import empty_mailbox, put_words, were_heard
from bursar.errors import BursarError
from bursar.events import WindowTold
from bursar.supervision.spec import STOP_ASKED, WrapUpSpec
from bursar.supervision.spending import Spending


class WrapUp:
    """Of one process; whoever has no `spec` cannot be told anything."""

    def __init__(self, spec: WrapUpSpec | None, spending: Spending, now: Callable[[], datetime]) -> None:
        self._spec = spec
        self._spending = spending
        self._now = now
        self._mailbox = None if spec is None else Path(spec.mailbox)
        self._told_at: datetime | None = None
        self._window: WindowTold | None = None
        self.why = ""
        self.was_heard = False
        if self._mailbox is not None:
            empty_mailbox(self._mailbox)

    def look_at_money(self) -> None:
        """The agent is told where too few calls are left within its limits. What cannot be read is no reason."""
        if self._spec is not None and self._told_at is None and self._spec.calls:
            with suppress(BursarError):
                self._tell(self._spending.shortage(self._spec.calls, self._spec.budgets))

    def look_at_window(self, told: WindowTold) -> None:
        """The agent is told where a window of its subscription is nearly used up."""
        percent = 0.0 if self._spec is None else self._spec.window_percent
        if self._told_at is None and percent and percent <= told.percent and not told.is_used_up:
            self._window = told
            self._tell(f"the subscription's window {told.name} is used to {told.percent:g} %")

    def ask_to_end(self) -> bool:
        """The agent is told, because the run is to stop, if it was not told before; False where it cannot be."""
        if self._spec is not None and self._told_at is None:
            self._tell(STOP_ASKED)
        return self._spec is not None

    def _tell(self, why: str) -> None:
        if not why or self._mailbox is None or self._spec is None:
            return
        self.why, self._told_at = why, self._now()
        with suppress(OSError):  # a full disk: then it is stopped at its limit, as one that hears nothing
            put_words(self._mailbox, self._spec.words.replace("{why}", why))

    def end(self) -> None:
        """The agent is gone: whether it has heard is known from now on."""
        if self._mailbox is not None:
            self.was_heard = self._told_at is not None and were_heard(self._mailbox)

    @property
    def told_at(self) -> str:
        """When it was told; empty where it was not."""
        return "" if self._told_at is None else self._told_at.isoformat(timespec="seconds")

    @property
    def resets_at(self) -> int | None:
        """When the window begins anew because of which it has wrapped up, in s since 1970."""
        return self._window.resets_at if self._window is not None and self.was_heard else None

    def remarks(self) -> list[str]:
        """In words, that it was told; nothing where it was not."""
        if self._told_at is None:
            return []
        unheard = "" if self.was_heard else "; it has used no tool after that, and so has not heard it"
        return [f"it was told to wrap up at {self._told_at.astimezone():%H:%M:%S}: {self.why}{unheard}"]
