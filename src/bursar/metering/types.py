"""What a meter says."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDelta:
    """How much more a call is known to have used than was known before; never nothing, never negative.

    Attributes:
        call_id: the provider's message id, or `result:MODEL` for what only the closing statement knows.
        sequence: 1, 2, … within the call.
        usage: the increase.
        call_usage: the call's usage so far, this increase included: prices depend on the single call.
        service_tier: how the call was served, as far as is told; None: as usual.
        provenance: `streamed` (told while the agent worked) or `reconciled` (found out from its log or its statement).
    """

    call_id: str
    sequence: int
    model: str
    usage: Usage
    call_usage: Usage
    provenance: str = "streamed"
    service_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCall:
    """Calls that were started, as far as anybody can tell, and that nobody has reported in full.

    Attributes:
        model: whose price to charge.
        bound: tokens they may have used beyond what is metered, at most.
        floor: tokens beyond what is metered if they are like the last call that was reported in full; 0 without one.
        call_ids: those among them that have an id already; empty if only a request is known to be on its way.
    """

    model: str
    bound: int
    floor: int
    call_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The closing statement says more than 1 % less of a model than was metered; what was metered stands."""

    model: str
    metered: Usage
    stated: Usage

    def __str__(self) -> str:
        return f"{self.model}: {self.metered.total_tokens} tokens metered, the agent states {self.stated.total_tokens}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDifference:
    """Two sources say of one call what is more than 1 % apart; the larger one counts."""

    call_id: str
    model: str
    tokens: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        said = ", ".join(f"{source} says {tokens}" for source, tokens in self.tokens)
        return f"{self.model}, call {self.call_id}: {said} tokens"
