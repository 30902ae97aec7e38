"""Windows of subscriptions during a run: what is known of them, what will come on top, and whom that keeps waiting.

Nothing is held: a percentage is told after the call, by somebody else's books. So a window is looked at before an
attempt starts, and what runs already is reckoned with as far as its size and the price of a token are known.

Source: docs/decisions/0037-windows-as-budgets.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bursar.budget import (
    Level,
    OnLimit,
    WindowDenial,
    WindowLimit,
    WindowUse,
    decide_window,
    due_window_alert,
    name_window,
)
from bursar.clock import Clock
from bursar.ledger import Ledger, State
from bursar.run.token_shares import TokenShares

_LOOK_SECONDS = 2.0  # what providers tell comes with a call, and calls take longer
_ALERT_SECONDS = 10.0  # between two looks for alerts alone
_PAST_THE_RESET = timedelta(seconds=1)
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)

Look = Callable[[str, datetime], Sequence[WindowUse]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An agent's own word that it has reached a limit of its provider's, and that this is over at `until`."""

    agent: str
    until: datetime


@dataclass(frozen=True, slots=True)
class WindowAlert:
    """A threshold of a window was reached; `at` is the same for whoever sees it in the same window."""

    level: Level
    message: str
    at: str


@dataclass(slots=True)
class _Attempt:
    """An attempt that is reckoned with, and how much of it was in the percentages when they were told last."""

    agent: str
    told: dict[int, int] = field(default_factory=dict)


class WindowGate:
    """Keeps attempts from starting where a window is used up, or an agent was refused.

    Args:
        limits: of the settings and flags.
        look: what is known of an agent's windows now.
        shares: what tokens take of windows; it learns here.
        labels: what attempts of other runs bear that use the same subscriptions: whose they are.
    """

    def __init__(
        self,
        limits: Sequence[WindowLimit],
        look: Look,
        ledger: Ledger,
        clock: Clock,
        shares: TokenShares,
        labels: Mapping[str, str],
    ) -> None:
        self._limits = tuple(limits)
        self._look = look
        self._ledger = ledger
        self._clock = clock
        self._shares = shares
        self._labels = dict(labels)
        self._attempts: dict[str, _Attempt] = {}
        self._refused: dict[str, Refusal] = {}
        self._refusals: dict[str, int] = {}
        self._seen: dict[str, Sequence[WindowUse]] = {}
        self._looked_at: dict[str, float] = {}
        self._told: dict[tuple[str, int], WindowUse] = {}
        self._marks: dict[tuple[str, int, str], set[int]] = {}

    def began(self, key: str, agent: str) -> None:
        """An attempt of the agent's runs: what it holds is expected to be used."""
        if self._limits:
            self._attempts.setdefault(key, _Attempt(agent))

    def ended(self, agent: str, resets_at: int | None) -> None:
        """An attempt of the agent's runs no more; `resets_at` (s since 1970): it was refused until then."""
        self._looked_at.pop(agent, None)  # it may have been told something at its end
        if resets_at is None:
            self._refusals.pop(agent, None)
        else:
            self._refuse(agent, datetime.fromtimestamp(resets_at, self._clock.now().tzinfo))

    def _refuse(self, agent: str, until: datetime) -> None:
        """The first time until what was said; one that is refused again at once waits longer and longer beyond.

        Attempts that were refused side by side were refused once.
        """
        if (known := self.refusal(agent)) is not None:
            self._refused[agent] = Refusal(agent, max(known.until, until + _PAST_THE_RESET))
            return
        times = self._refusals[agent] = self._refusals.get(agent, 0) + 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (times - 2)) if times > 1 else timedelta()
        self._refused[agent] = Refusal(agent, max(until + _PAST_THE_RESET, self._clock.now() + pause))

    def refusal(self, agent: str) -> Refusal | None:
        """The agent's own word that it would be refused now; None without one."""
        refused = self._refused.get(agent)
        if refused is not None and refused.until <= self._clock.now():
            del self._refused[agent]
            return None
        return refused

    def denials(self, agent: str, tokens: int, *, is_blind: bool = False) -> Sequence[WindowDenial]:
        """The limits that an attempt of so many tokens would pass; those that only warn are among them.

        Args:
            is_blind: nothing stands behind the number of tokens.
        """
        found = []
        for limit in self.limits_of(agent):
            for use in self._uses(agent):
                if use.minutes == limit.minutes:
                    running = self._tokens_ahead(use)
                    found.append(
                        decide_window(limit, use, running_tokens=running, own_tokens=tokens, is_blind=is_blind)
                    )
        return [each for each in found if each is not None]

    def due_alerts(self) -> Sequence[WindowAlert]:
        """Thresholds that were reached since it was last asked, of windows that were looked at."""
        alerts = []
        for agent in list(self._seen):
            self._uses(agent, _ALERT_SECONDS)
            for limit in self.limits_of(agent):
                for use in self._seen[agent]:
                    marked = self._marks.setdefault((agent, use.minutes, _occasion(use)), set())
                    if use.minutes == limit.minutes and (firing := due_window_alert(limit, use, marked)):
                        marked.update(firing.marks)
                        alerts.append(WindowAlert(firing.level, firing.message, _occasion(use)))
        return alerts

    def standing(self) -> Sequence[tuple[WindowLimit, WindowUse | None]]:
        """Every limit with what is known of its window; None: nothing."""
        rows: list[tuple[WindowLimit, WindowUse | None]] = []
        for agent in self._seen:
            for limit in self.limits_of(agent):
                uses = [use for use in self._seen[agent] if use.minutes == limit.minutes]
                rows += [(limit, use) for use in uses] or [(limit, None)]
        return rows

    def limits_of(self, agent: str) -> list[WindowLimit]:
        """Limits on windows of the agent; its own go before those of any agent."""
        own = {each.minutes: each for each in self._limits if each.agent == agent}
        return [*own.values(), *(each for each in self._limits if not each.agent and each.minutes not in own)]

    def _uses(self, agent: str, seconds: float = _LOOK_SECONDS) -> Sequence[WindowUse]:
        """What is known of the agent's windows, at most so old."""
        now, instant = self._clock.monotonic(), self._clock.now()
        is_old = agent not in self._looked_at or now - self._looked_at[agent] >= seconds
        if is_old or any(use.resets_at is not None and use.resets_at <= instant for use in self._seen[agent]):
            self._looked_at[agent] = now
            uses = self._look(agent, instant)
            self._find_others(agent, uses)
            for use in uses:
                self._keep_what_is_in(use)
            shares = self._shares
            self._seen[agent] = [replace(use, percent_per_token=shares.per_token(agent, use.minutes)) for use in uses]
            self._forget_what_is_in(agent)
        return self._seen[agent]

    def _find_others(self, agent: str, uses: Sequence[WindowUse]) -> None:
        """Attempts of other runs are reckoned with, too; what they have used until now is taken as told."""
        for each in self._ledger.reservations({**self._labels, "agent": agent}, state=State.HELD):
            if each.key not in self._attempts:
                told = dict.fromkeys((use.minutes for use in uses), each.metered.tokens)
                self._attempts[each.key] = _Attempt(agent, told=told)

    def _forget_what_is_in(self, agent: str) -> None:
        """Attempts that have ended and are in every percentage are not reckoned with any more."""
        over = [key for key, each in self._attempts.items() if each.agent == agent and not self._is_held(key)]
        for key in over:
            used, told = self._used(key), self._attempts[key].told
            if self._seen[agent] and all(told.get(use.minutes, 0) >= used for use in self._seen[agent]):
                del self._attempts[key]

    def _keep_what_is_in(self, use: WindowUse) -> None:
        """Where the percentage is a new one, what attempts have used by now is in it; and what that took is learned."""
        before = self._told.get((use.agent, use.minutes))
        if before is not None and use.is_official and _telling(before) == _telling(use):
            return
        self._told[use.agent, use.minutes] = use
        tokens = 0
        for key, attempt in self._attempts.items():
            if attempt.agent == use.agent:
                used = self._used(key)
                tokens += used - attempt.told.get(use.minutes, 0)
                attempt.told[use.minutes] = used
        if before is not None and tokens > 0 and not use.has_begun_anew and before.percent is not None:
            grown = -1.0 if use.percent is None else use.percent - before.percent
            if grown >= 0:  # else it has begun anew meanwhile
                self._shares.learn(use.agent, use.minutes, grown, tokens)

    def _is_held(self, key: str) -> bool:
        reservation = self._ledger.reservation(key)
        return reservation is not None and reservation.state is State.HELD

    def _tokens_ahead(self, use: WindowUse) -> int:
        """Tokens of attempts that are not in the percentage yet: what they used since, and what they still may."""
        return sum(
            max(0, self._expected(key) - attempt.told.get(use.minutes, 0))
            for key, attempt in self._attempts.items()
            if attempt.agent == use.agent
        )

    def _expected(self, key: str) -> int:
        reservation = self._ledger.reservation(key)
        if reservation is None:
            return 0
        used = self._used(key)
        return max(used, reservation.held.tokens) if reservation.state is State.HELD else used

    def _used(self, key: str) -> int:
        reservation = self._ledger.reservation(key)
        if reservation is None:
            return 0
        return reservation.metered.tokens if reservation.state is State.HELD else reservation.known.tokens


def _telling(use: WindowUse) -> tuple[datetime | None, bool]:
    """What tells one percentage from another: when it was said, and whether it is of a window that is over."""
    return use.said_at, use.has_begun_anew


def _occasion(use: WindowUse) -> str:
    """The window itself: when it begins anew, to the minute; providers' seconds waver."""
    return "" if use.resets_at is None else use.resets_at.replace(second=0, microsecond=0).isoformat()


def explain(denial: WindowDenial, now: datetime) -> str:
    """In words, why nothing starts: the window, what is used by whose word, what would come on top, when it is over."""
    limit, use = denial.limit, denial.use
    percent = 0.0 if use.percent is None else use.percent
    said = "an estimate" if not use.is_official else f"said {_ago(use.said_at, now)}"
    if use.has_begun_anew:
        said = "it has begun anew since anybody spoke of it"
    parts = [
        f"{name_window(use.agent, use.minutes)} is at {percent:.0f} % ({said}), and its limit is {limit.percent:g} %"
    ]
    if percent < limit.percent and denial.ahead is not None:
        parts.append(f"what runs and this task are expected to take {denial.ahead:.0f} % more")
    if denial.is_hopeless:
        parts.append("the task alone is expected to take more than the limit")
    parts.append("nobody says when it begins anew" if use.resets_at is None else f"it begins anew {_at(use.resets_at)}")
    return "; ".join(parts)


def explain_refusal(refusal: Refusal) -> str:
    """In words, until when the agent is refused."""
    return f"{refusal.agent} has reached a limit of its provider's, which is over {_at(refusal.until)}"


def blocks(denial: WindowDenial) -> bool:
    """Whether it keeps the attempt from starting."""
    return denial.limit.on_limit is OnLimit.BLOCK


def _at(moment: datetime) -> str:
    return f"at {moment.astimezone():%Y-%m-%d %H:%M %Z}".strip()


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "by its provider"
    minutes = max(0, int((now - moment).total_seconds()) // 60)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
