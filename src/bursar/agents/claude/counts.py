"""Claude Code's numbers → `Usage`, or a refusal of what cannot be true."""

from __future__ import annotations

from bursar.agents.claude.wire import ApiUsage, ModelUsage
from bursar.agents.counts import count
from bursar.usage import Usage


def usage_from_api(reported: ApiUsage) -> Usage:
    """The five counters of a call.

    Raises:
        AbsurdCount: one of the numbers cannot be true.
    """
    split = reported.cache_creation
    write_5m, write_1h = _split_writes(
        count("cache_creation_input_tokens", reported.cache_creation_input_tokens),
        count("ephemeral_5m_input_tokens", split.ephemeral_5m_input_tokens if split else None),
        count("ephemeral_1h_input_tokens", split.ephemeral_1h_input_tokens if split else None),
    )
    return Usage(
        input_tokens=count("input_tokens", reported.input_tokens),
        cache_read_tokens=count("cache_read_input_tokens", reported.cache_read_input_tokens),
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        output_tokens=count("output_tokens", reported.output_tokens),
    )


def usage_from_model_usage(reported: ModelUsage) -> Usage:
    """The five counters of one model in the closing statement.

    Raises:
        AbsurdCount: one of the numbers cannot be true.
    """
    write_5m, write_1h = _split_writes(
        count("cacheCreationInputTokens", reported.cache_creation_input_tokens),
        count("cacheCreationEphemeral5mInputTokens", reported.cache_creation_5m),
        count("cacheCreationEphemeral1hInputTokens", reported.cache_creation_1h),
    )
    return Usage(
        input_tokens=count("inputTokens", reported.input_tokens),
        cache_read_tokens=count("cacheReadInputTokens", reported.cache_read_input_tokens),
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        output_tokens=count("outputTokens", reported.output_tokens),
    )


def _split_writes(total: int, write_5m: int, write_1h: int) -> tuple[int, int]:
    """Writes by how long they live; what the split leaves out of the total lives five minutes."""
    return write_5m + max(0, total - write_5m - write_1h), write_1h
