"""What one model call, or several, consumed: five counters that never overlap.

Everything inclusive (input with cache, total) is derived. Providers disagree on what their "input" includes;
the agents' adapters translate into these five, and nothing above them ever sees a provider's field.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or more calls. The counters are disjoint, so their sum is the total.

    Attributes:
        input_tokens: input that was neither read from nor written to a cache.
        cache_read_tokens: input read from the provider's prompt cache.
        cache_write_5m_tokens: input written to the cache for five minutes.
        cache_write_1h_tokens: input written to the cache for an hour.
        output_tokens: output, reasoning included.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_input_tokens(self) -> int:
        """Input with cache reads and writes."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def total_tokens(self) -> int:
        """Everything: the default count of a token budget."""
        return self.total_input_tokens + self.output_tokens

    @property
    def fresh_tokens(self) -> int:
        """Everything but cache reads."""
        return self.total_tokens - self.cache_read_tokens

    def __add__(self, other: Usage) -> Usage:
        if other is NOTHING or self is NOTHING:
            return self if other is NOTHING else other
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_5m_tokens=self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            cache_write_1h_tokens=self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    def beyond(self, other: Usage) -> Usage:
        """What this usage has more than `other`, counter by counter; never negative."""
        if other is NOTHING:
            return self
        return Usage(
            input_tokens=max(0, self.input_tokens - other.input_tokens),
            cache_read_tokens=max(0, self.cache_read_tokens - other.cache_read_tokens),
            cache_write_5m_tokens=max(0, self.cache_write_5m_tokens - other.cache_write_5m_tokens),
            cache_write_1h_tokens=max(0, self.cache_write_1h_tokens - other.cache_write_1h_tokens),
            output_tokens=max(0, self.output_tokens - other.output_tokens),
        )

    def merged(self, other: Usage) -> Usage:
        """The larger of each counter: two reports of one call, whose counters only grow while it streams."""
        if other is NOTHING or self is NOTHING:
            return self if other is NOTHING else other
        return Usage(
            input_tokens=max(self.input_tokens, other.input_tokens),
            cache_read_tokens=max(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_5m_tokens=max(self.cache_write_5m_tokens, other.cache_write_5m_tokens),
            cache_write_1h_tokens=max(self.cache_write_1h_tokens, other.cache_write_1h_tokens),
            output_tokens=max(self.output_tokens, other.output_tokens),
        )


NOTHING = Usage()
