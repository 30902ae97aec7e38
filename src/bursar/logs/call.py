"""One model call as an agent's own log has it."""

from __future__ import annotations

from typing import NamedTuple

STANDARD = "standard"
"""What providers call their usual service."""


class LoggedCall(NamedTuple):
    """A call, or one more record of a call that was met before. A tuple: there are tens of thousands in a log.

    Attributes:
        message: the provider's id of the answer; empty where there is none: such a record is never a repeat.
        request: the provider's id of the request; may be empty.
        at: when, in milliseconds since 1970, UTC.
        model: as logged.
        project: the folder that the agent worked in, or what the log is filed under where it does not say.
        session: the agent's session.
        is_sidechain: a sub-agent made it.
        service_tier: what the provider calls its service (`standard`, `batch`, `fast`); empty where the log does not
            say.
        nano_usd: what the log itself says that it cost, for models without a list price; None where it does not.
    """

    message: str
    request: str
    at: int
    model: str
    project: str
    session: str
    is_sidechain: bool
    service_tier: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    nano_usd: int | None = None

    @property
    def total_tokens(self) -> int:
        """All five counters."""
        return sum(self[8:13])


def is_better(new: LoggedCall, old: LoggedCall) -> bool:
    """`new` says more of the same call than `old`, and goes into its place.

    A record of the main thread goes before one of a sub-agent, then the larger total, then the one with a service tier.

    Source: the duplicate rule of ccusage 20 (message id and request id), so that both tools count the same.
    """
    if new.is_sidechain != old.is_sidechain:
        return old.is_sidechain
    if new[8:13] == old[8:13]:
        return bool(new.service_tier) and not old.service_tier
    if new.total_tokens != old.total_tokens:
        return new.total_tokens > old.total_tokens
    return bool(new.service_tier) and not old.service_tier


CallRow = tuple[str, str, int, str, str, str, bool, str, int, int, int, int, int, int | None]
"""A `LoggedCall` without its names: what is made for each line of a log has to be made quickly."""


def best_of(calls: list[CallRow]) -> list[CallRow]:
    """Each call once, as its best record has it; those without a message all."""
    if len({call[0] for call in calls}) == len(calls):
        return calls  # most often, nothing is there twice
    best: dict[tuple[str, str], CallRow] = {}
    nameless: list[CallRow] = []
    for call in calls:
        message, request, *_ = call
        if not message:
            nameless.append(call)
            continue
        known = best.setdefault((message, request), call)
        if known is not call and is_better(LoggedCall(*call), LoggedCall(*known)):
            best[message, request] = call
    return [*best.values(), *nameless]
