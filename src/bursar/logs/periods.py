"""Rows of a report: by day, week, month or session, read from the sums in the index.

This is on the way of every `bursar usage`, so it imports next to nothing.
"""

from __future__ import annotations

from bursar.logs.index import QUARTER_MS
from bursar.logs.zones import day_text, week_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from bursar.logs.index import LogIndex
    from bursar.logs.zones import Zone

_EVER = 1 << 62
SUMS = (
    "sum(calls), sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens + cache_write_1h_tokens),"
    " sum(output_tokens), sum(nano_usd), sum(unpriced)"
)

_DAYS = (
    "WITH RECURSIVE day (quarter) AS (VALUES (?1) UNION ALL SELECT (SELECT min(quarter) FROM quarter"
    " WHERE quarter >= (day.quarter / 96 + 1) * 96) FROM day WHERE day.quarter <= ?2)"
    " SELECT quarter / 96 FROM day WHERE quarter <= ?2"
)
"""The days of UTC, from a quarter that there is to another, on which there is anything: a look into the table each."""


class Totals:
    """What was used. The counters are disjoint; `nano_usd` is of the calls whose cost is known, `unpriced` counts the
    others."""

    __slots__ = (
        "cache_read_tokens", "cache_write_tokens", "calls", "input_tokens", "nano_usd", "output_tokens", "unpriced",
    )  # fmt: skip

    def __init__(
        self,
        calls: int = 0,
        input_tokens: int = 0,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        output_tokens: int = 0,
        nano_usd: int = 0,
        unpriced: int = 0,
    ) -> None:
        self.calls = calls
        self.input_tokens = input_tokens
        self.cache_read_tokens = cache_read_tokens
        self.cache_write_tokens = cache_write_tokens
        self.output_tokens = output_tokens
        self.nano_usd = nano_usd
        self.unpriced = unpriced

    @property
    def total_tokens(self) -> int:
        """All four counters."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens

    @property
    def fresh_tokens(self) -> int:
        """All but what was read from a cache."""
        return self.total_tokens - self.cache_read_tokens

    def add(self, other: Totals) -> None:
        """`other` is in it too."""
        self.calls += other.calls
        self.input_tokens += other.input_tokens
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.output_tokens += other.output_tokens
        self.nano_usd += other.nano_usd
        self.unpriced += other.unpriced


class UsageRow:
    """One line of a report.

    Attributes:
        label: the day (`2026-11-18`), the first day of the week, the month (`2026-11`), or the session.
        models: what each model was used for, in the order in which they were first met.
        first_at, last_at: the first and the last call, in ms since 1970.
        source: the agent; empty where it is several.
    """

    __slots__ = ("first_at", "label", "last_at", "models", "project", "source")

    def __init__(self, label: str, first_at: int, last_at: int, source: str = "", project: str = "") -> None:
        self.label = label
        self.first_at = first_at
        self.last_at = last_at
        self.source = source
        self.project = project
        self.models: dict[str, Totals] = {}

    @property
    def totals(self) -> Totals:
        """Over all models."""
        return add_up(self.models.values())

    def add(self, model: str, totals: Totals, first_at: int, last_at: int) -> None:
        """So much of the model was used too."""
        known = self.models.get(model)
        if known is None:
            self.models[model] = totals
        else:
            known.add(totals)
        self.first_at, self.last_at = min(self.first_at, first_at), max(self.last_at, last_at)


class Wanted:
    """Which calls a report is about.

    Attributes:
        since, until: from one instant to before another, in ms; None: without an end.
        project, model: only where the name contains it. agent: only of this one. Empty for all.
        session: only of this one.
    """

    __slots__ = ("agent", "model", "project", "session", "since", "until")

    def __init__(
        self,
        since: int | None = None,
        until: int | None = None,
        project: str = "",
        model: str = "",
        agent: str = "",
        session: str = "",
    ) -> None:
        self.since = since
        self.until = until
        self.project = _as_kept(project)
        self.model = _as_kept(model)
        self.agent = agent
        self.session = _as_kept(session)

    def condition(self) -> tuple[str, list[Any]]:
        """As SQL on the table `quarter`, and what goes into its places."""
        first = -_EVER if self.since is None else -(-self.since // QUARTER_MS)
        last = _EVER if self.until is None else -(-self.until // QUARTER_MS) - 1
        text = "quarter BETWEEN ? AND ?"
        values: list[Any] = [first, last]
        inner: list[Any] = [self.agent, self.agent, self.project, self.project, self.session, self.session]
        if self.agent or self.project or self.session:
            text += (
                " AND session IN (SELECT id FROM session WHERE (? = '' OR source = ?)"
                " AND (? = '' OR instr(project, ?)) AND (? = '' OR name = ?))"
            )
            values += inner
        if self.model:
            text += " AND model IN (SELECT id FROM model WHERE instr(name, ?))"
            values.append(self.model)
        return text, values


def _as_kept(text: str) -> str:
    """As `values.clean` has it, which takes longer to import."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def add_up(parts: Iterable[Totals]) -> Totals:
    """The sum of the parts."""
    whole = Totals()
    for part in parts:
        whole.add(part)
    return whole


def rows_by_day(index: LogIndex, wanted: Wanted, zone: Zone, label: Callable[[int], str]) -> list[UsageRow]:
    """A row for each label that `label` gives to a day (days since 1970-01-01, where the zone is), oldest first."""
    condition, values = wanted.condition()
    query = index.database.query
    ((first, last),) = query(f"SELECT min(quarter), max(quarter) FROM quarter WHERE {condition}", values)
    models, rows = model_names(index), dict[str, UsageRow]()
    labelled, name = None, ""
    days = [] if first is None else [day for (day,) in query(_DAYS, (first, last))]
    for start, end, ahead in zone.spans(days):
        found = query(
            f"SELECT (quarter + ?) / 96 AS day, model, min(first_at), max(last_at), {SUMS} FROM quarter"
            f" WHERE {condition} AND quarter BETWEEN ? AND ? GROUP BY day, model ORDER BY day, min(first_at)",
            (ahead, *values, start, end),
        )
        for day, model, first_at, last_at, *sums in found:
            if day != labelled:
                labelled, name = day, label(day)
            row = rows.get(name)
            if row is None:
                row = rows[name] = UsageRow(name, first_at, last_at)
            row.add(models[model], Totals(*sums), first_at, last_at)
    return [rows[name] for name in sorted(rows)]


def rows_by_session(index: LogIndex, wanted: Wanted) -> list[UsageRow]:
    """A row for each session of each agent, the latest last."""
    condition, values = wanted.condition()
    models, rows = model_names(index), dict[tuple[str, str], UsageRow]()
    found = index.database.query(
        f"SELECT source, name, project, model, first_at, last_at, s.* FROM (SELECT session, model, min(first_at) AS"
        f" first_at, max(last_at) AS last_at, {SUMS} FROM quarter WHERE {condition} GROUP BY session, model) AS s"
        " JOIN session ON session.id = s.session ORDER BY s.first_at",
        values,
    )
    for source, name, project, model, first_at, last_at, _, _, _, _, *sums in found:
        row = rows.get((source, name))
        if row is None:
            row = rows[source, name] = UsageRow(name, first_at, last_at, source, project)
        row.add(models[model], Totals(*sums), first_at, last_at)
    return sorted(rows.values(), key=lambda row: row.last_at)


def day_of(day: int) -> str:
    """`2026-11-18`."""
    return day_text(day)


def week_of(day: int) -> str:
    """The Sunday that the week began with."""
    return day_text(week_start(day))


def month_of(day: int) -> str:
    """`2026-11`."""
    return day_text(day).rpartition("-")[0]


def model_names(index: LogIndex) -> dict[int, str]:
    """By number."""
    return dict(index.database.query("SELECT id, name FROM model"))
