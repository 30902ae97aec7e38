"""The closing statement against what was metered: which name means which model, what one has more than the other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bursar.usage import NOTHING, Usage

_SUFFIX = re.compile(r"\[[^]]*\]$")  # `[1m]`: the long-context variant, which the stream does not spell out


def excess(more: Usage, less: Usage) -> Usage:
    """What `more` has beyond `less`, counter by counter; never negative.

    The cache writes are compared as a total: a statement that does not tell the two kinds apart means the same tokens.
    """
    beyond = more.beyond(less)
    writes = max(0, _writes(more) - _writes(less))
    write_1h = min(writes, beyond.cache_write_1h_tokens)
    return Usage(
        input_tokens=beyond.input_tokens,
        cache_read_tokens=beyond.cache_read_tokens,
        cache_write_5m_tokens=writes - write_1h,
        cache_write_1h_tokens=write_1h,
        output_tokens=beyond.output_tokens,
    )


def covers(stated: Usage, metered: Usage) -> bool:
    """The statement leaves out nothing of what was metered."""
    return excess(metered, stated) == NOTHING


def falls_short(stated: Usage, metered: Usage) -> bool:
    """The statement is more than 1 % below what was metered."""
    return (metered.total_tokens - stated.total_tokens) * 100 > metered.total_tokens


def are_apart(said: Iterable[Usage]) -> bool:
    """The least of them is more than 1 % below the most."""
    totals = [usage.total_tokens for usage in said]
    return (max(totals) - min(totals)) * 100 > max(totals)


def known_name(model: str, known: Iterable[str]) -> str:
    """The name among `known` that means the same model as `model`; `model` itself where there is none."""
    names = tuple(known)
    if model in names:
        return model
    plain = _plain(model)
    for name in names:
        other = _plain(name)
        if plain == other or plain.startswith(f"{other}-2") or other.startswith(f"{plain}-2"):
            return name  # with a date (`-20250929`) and without: one model
    return model


def _plain(model: str) -> str:
    return _SUFFIX.sub("", model.lower()).replace("@", "-")


def _writes(usage: Usage) -> int:
    return usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
