"""OpenCode's numbers → `Usage`, or a refusal of what cannot be true."""

from __future__ import annotations

from bursar.agents.counts import count
from bursar.agents.opencode import wire
from bursar.usage import Usage

_NO_CACHE = wire.Cache()


def usage_of(reported: wire.Tokens) -> Usage:
    """The five counters of a call; what was written to the cache is taken to live five minutes.

    Raises:
        AbsurdCount: one of the numbers cannot be true.
    """
    cache = reported.cache or _NO_CACHE
    return Usage(
        input_tokens=count("input", reported.input),
        cache_read_tokens=count("cache.read", cache.read),
        cache_write_5m_tokens=count("cache.write", cache.write),
        output_tokens=count("output", reported.output) + count("reasoning", reported.reasoning),
    )
