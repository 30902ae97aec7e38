"""The words of routing: models on offer, attempts that were made, what is asked and what is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class AttemptVerdict(StrEnum):
    """What came of an attempt: its work was accepted, it was not, or it was ended at its cap."""

    PASS = "pass"
    FAIL = "fail"
    CAPPED = "capped"


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that may be asked, and the tier that its owner puts it in."""

    name: str
    tier: str


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that has ended, and what it cost: dollars, 0 or more; up to its cap, where it was ended there."""

    model: str
    verdict: AttemptVerdict
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a task before it is tried; empty words and None: unknown.

    Attributes:
        kind: the task's type.
        complexity: 1 to 10.
        text: what is to be done; only its length is used by what learns.
    """

    kind: str = ""
    project: str = ""
    complexity: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A task for which an attempt may be bought.

    Attributes:
        offers: in their owner's order, small to large.
        attempts: what was tried already, in order.
        must_try: stopping is not on offer.
        value_usd: what the finished task is worth.
        budget_left_usd: no attempt is capped above it; None: no limit.
    """

    task: str
    facts: Facts
    offers: tuple[Offer, ...]
    attempts: tuple[PastAttempt, ...] = ()
    value_usd: float = 1.0
    must_try: bool = False
    budget_left_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to do next for a task; `model` None: stop, the next attempt is not worth its money.

    Attributes:
        cap_usd: where to end the attempt; None for nowhere.
        reason: why, for people.
        expected_cost_usd: of that attempt, on average, ended at the cap; None where the policy does not reckon.
        chance: that it is accepted and its work is good, 0 to 1; None likewise.
    """

    task: str
    model: str | None
    cap_usd: float | None = None
    reason: str = ""
    expected_cost_usd: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt's end says: the chance of that end if its work is good, and if it is bad."""

    model: str
    if_good: float
    if_bad: float


@dataclass(frozen=True, slots=True)
class Verifier:
    """How often a verdict is wrong."""

    rejects_good: float = 0.0
    accepts_bad: float = 0.0


@dataclass(slots=True)
class VerifierRecord:
    """Verdicts that were audited. Before any, a verifier is taken to be wrong once in fifty times.

    That belief is worth five audits, so that a few are enough to correct it; the two kinds of error are taken for equal
    until ten audits of a kind say otherwise.
    """

    wrong_good: int = 0
    good: int = 0
    wrong_bad: int = 0
    bad: int = 0
    _belief: float = field(default=0.02, init=False)
    _belief_count: float = field(default=5.0, init=False)
    _kind_count: float = field(default=10.0, init=False)

    def learn(self, solved: bool, accepted: bool) -> None:
        """One more verdict is known to be right or wrong."""
        if solved:
            self.good += 1
            self.wrong_good += not accepted
        else:
            self.bad += 1
            self.wrong_bad += accepted

    def verifier(self) -> Verifier:
        """Both error rates, each pulled towards their common one."""
        wrong = self._belief * self._belief_count + self.wrong_good + self.wrong_bad
        both = wrong / (self._belief_count + self.good + self.bad)
        return Verifier(
            (both * self._kind_count + self.wrong_good) / (self._kind_count + self.good),
            (both * self._kind_count + self.wrong_bad) / (self._kind_count + self.bad),
        )
