"""What the scripted agent's calls used, summed up for its closing statement."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COUNTERS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_WRITES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


class Sums:
    """The sums of each model, and the call that is open."""

    def __init__(self) -> None:
        self.open: tuple[str, dict[str, Any]] | None = None
        self._by_model: dict[str, dict[str, int]] = {}

    def count(self, model: str, usage: dict[str, Any]) -> None:
        """The call is closed and added to the sums."""
        self.open = None
        sums = self._by_model.setdefault(model, dict.fromkeys((*COUNTERS, *_WRITES), 0))
        split = usage.get("cache_creation", {})
        for key in COUNTERS:
            sums[key] += usage.get(key, 0)
        for key in _WRITES:
            sums[key] += split.get(key, 0)

    def close_open_call(self) -> None:
        """Count a call that was broken off at what is known of it, as the real CLI does."""
        if self.open is not None and self.open[1]:
            self.count(*self.open)

    def stated(self) -> dict[str, Any]:
        """`usage` of all and `modelUsage` of each, as the closing statement spells them."""
        return {
            "usage": {key: sum(sums[key] for sums in self._by_model.values()) for key in COUNTERS},
            "modelUsage": {model: _model_usage(sums) for model, sums in self._by_model.items()},
        }


def _model_usage(sums: dict[str, int]) -> dict[str, int]:
    return {
        "inputTokens": sums["input_tokens"],
        "outputTokens": sums["output_tokens"],
        "cacheReadInputTokens": sums["cache_read_input_tokens"],
        "cacheCreationInputTokens": sums["cache_creation_input_tokens"],
        "cacheCreationEphemeral5mInputTokens": sums["ephemeral_5m_input_tokens"],
        "cacheCreationEphemeral1hInputTokens": sums["ephemeral_1h_input_tokens"],
    }
