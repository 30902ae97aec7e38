"""What was used since an instant, for the books: by agent and model, without sessions that are in the books already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bursar.logs.index import QUARTER_MS, LogIndex
from bursar.usage import NOTHING, Usage

IsWanted = Callable[[str, str], bool]
"""Whether what a session used is asked for, by its project's folder and its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one model of one agent was used for. `nano_usd` is None where the price of a part is not known."""

    agent: str
    model: str
    usage: Usage
    nano_usd: int | None


def spent_between(index: LogIndex, since: int, until: int, is_wanted: IsWanted) -> list[Spent]:
    """Everything from one instant to before another (ms; both at a full quarter of an hour, or rounded up to one)."""
    found: dict[tuple[str, str], Spent] = {}
    for agent, project, session, model, *counters, nano_usd, unpriced in index.database.query(
        "SELECT source, project, session.name, model.name, sum(input_tokens), sum(cache_read_tokens),"
        " sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens), sum(nano_usd), sum(unpriced)"
        " FROM quarter JOIN session ON session.id = session JOIN model ON model.id = model"
        " WHERE quarter >= ? AND quarter < ? GROUP BY session, model",
        (-(-since // QUARTER_MS), -(-until // QUARTER_MS)),
    ):
        if is_wanted(project, session):
            name = _printable(model)
            before = found.get((agent, name), Spent(agent=agent, model=name, usage=NOTHING, nano_usd=0))
            found[agent, name] = _with(before, counters, None if unpriced else nano_usd)
    return [found[key] for key in sorted(found)]


def _with(before: Spent, counters: list[int], nano_usd: int | None) -> Spent:
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
    return Spent(
        agent=before.agent,
        model=before.model,
        usage=before.usage + Usage(**dict(zip(names, counters, strict=True))),
        nano_usd=None if before.nano_usd is None or nano_usd is None else before.nano_usd + nano_usd,
    )


def _printable(model: str) -> str:
    """A name that the books take: a log may name its model as it likes."""
    return "".join(sign if sign.isprintable() else "?" for sign in model)[:200] or "unknown"
