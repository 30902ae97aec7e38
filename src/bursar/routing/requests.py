"""Routes asked for as JSON objects: what another orchestrator says, checked, and what it is answered.

This knows the words, not the lines: `bursar route --stdio` reads and writes those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from bursar.estimation import EstimateDesk, Estimator, is_about_estimates
from bursar.routing.purchases import AttemptVerdict, Choice, Facts, Offer, PastAttempt, Purchase

_MOST_REMEMBERED = 10_000
_MOST_USD = 1e15  # of one attempt; what is left, or what a task is worth, may be said to be more, and counts as that
_TIERS = ("small", "medium", "large")


class BadRequest(ValueError):
    """The request lacks something that its operation needs, or has it wrong; the message says what."""


class Policy(Protocol):
    """Something that chooses the next attempt, and may learn from how it ends."""

    name: str

    def choose(self, purchase: Purchase) -> Choice:
        """The next attempt at one task, or to stop."""

    def choose_next(self, ready: list[Purchase], budget_left_usd: float) -> Choice | None:
        """The next attempt at one of a plan's tasks; None to stop."""

    def observe(self, task: str, facts: Facts, attempt: PastAttempt) -> None:
        """An attempt has ended."""

    def audit(self, task: str, solved: bool) -> None:
        """The truth about a task's last attempt has become known."""


class RouteDesk:
    """Answers requests about routes and estimates, one after the other."""

    def __init__(self, policy: Policy, estimator: Estimator | None = None) -> None:
        self._policy = policy
        self._estimates = EstimateDesk(estimator or Estimator())
        self._facts: dict[str, Facts] = {}

    def answer(self, request: object) -> dict[str, object]:
        """The reply; `{"ok": true}` to what needs none. A field that is not known is passed over.

        Raises:
            BadRequest: it is no object, or lacks something that its operation needs.
        """
        if not isinstance(request, Mapping):
            raise BadRequest("a request is a JSON object")
        if is_about_estimates(request):
            try:
                return self._estimates.answer(request)
            except ValueError as error:
                raise BadRequest(str(error)) from error
        match request.get("op"):
            case str() as operation:
                return self._answer(operation, request)
            case _:
                raise BadRequest('a request names its operation, for example `"op": "route"`')

    def _answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, object]:
        match operation:
            case "route":
                return _reply(self._policy.choose(self._read_purchase(request)))
            case "next":
                return self._next(request)
            case "plan":
                for task in _list(request, "tasks"):
                    self._remember(_object(task, "tasks"))
            case "outcome":
                self._policy.observe(_word(request, "task"), self._facts_of(request), _read_attempt(request))
            case "audit":
                self._policy.audit(_word(request, "task"), _flag(request, "solved"))
        return {"ok": True}

    def _next(self, request: Mapping[str, Any]) -> dict[str, object]:
        ready = [self._read_purchase(_object(task, "ready")) for task in _list(request, "ready")]
        choice = self._policy.choose_next(ready, _amount(request, "budget_left_usd"))
        return {"stop": True} if choice is None else {"task": choice.task, **_reply(choice)}

    def _read_purchase(self, request: Mapping[str, Any]) -> Purchase:
        """The purchase that is asked about.

        Raises:
            BadRequest: no model is on offer, or a field is wrong.
        """
        self._remember(request)
        offers = tuple(_read_offer(offer, place) for place, offer in enumerate(_list(request, "models")))
        if not offers:
            raise BadRequest("`models` names no model")
        value, left = request.get("value_usd"), request.get("budget_left_usd")
        return Purchase(
            task=_word(request, "task"),
            facts=self._facts_of(request),
            offers=offers,
            attempts=tuple(_read_attempt(_object(one, "attempts")) for one in request.get("attempts") or []),
            value_usd=1.0 if value is None else _amount(request, "value_usd"),
            budget_left_usd=None if left is None else _amount(request, "budget_left_usd"),
            must_try=request.get("must_try") is True,
        )

    def _remember(self, request: Mapping[str, Any]) -> None:
        """A task's facts, for requests that name it without them; what is said anew goes before what was."""
        task = _word(request, "task")
        known = self._facts.get(task)
        if known is None and len(self._facts) >= _MOST_REMEMBERED:
            del self._facts[next(iter(self._facts))]
        self._facts[task] = _read_facts(request, known or Facts())

    def _facts_of(self, request: Mapping[str, Any]) -> Facts:
        return self._facts.get(_word(request, "task")) or _read_facts(request, Facts())


def _reply(choice: Choice) -> dict[str, object]:
    if choice.model is None:
        return {"stop": True, "reason": choice.reason}
    return {"model": choice.model, "cap_usd": choice.cap_usd, "reason": choice.reason}


def _read_facts(request: Mapping[str, Any], before: Facts) -> Facts:
    complexity = request.get("complexity")
    known = isinstance(complexity, int | float) and not isinstance(complexity, bool) and abs(complexity) < math.inf
    return Facts(
        kind=_optional_word(request, "type") or before.kind,
        project=_optional_word(request, "project") or before.project,
        complexity=float(max(1.0, min(10.0, complexity))) if known else before.complexity,  # type: ignore[type-var, arg-type]
        text=_optional_word(request, "text") or before.text,
    )


def _read_offer(offer: object, place: int) -> Offer:
    fields = _object(offer, "models")
    tier = fields.get("tier")
    return Offer(_word(fields, "name"), tier if tier in _TIERS else _TIERS[min(place, len(_TIERS) - 1)])


def _read_attempt(fields: Mapping[str, Any]) -> PastAttempt:
    verdict = _word(fields, "verdict")
    if verdict not in tuple(AttemptVerdict):
        raise BadRequest(f"`verdict` is pass, fail or capped, not {verdict}")
    cost = _amount(fields, "cost_usd")
    if cost >= _MOST_USD:
        raise BadRequest("`cost_usd` is more than any attempt costs")
    return PastAttempt(_word(fields, "model"), AttemptVerdict(verdict), cost)


def _list(request: Mapping[str, Any], name: str) -> list[Any]:
    found = request.get(name)
    if not isinstance(found, list):
        raise BadRequest(f"`{name}` is a list")
    return found


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadRequest(f"`{name}` holds objects")
    return value


def _word(request: Mapping[str, Any], name: str) -> str:
    found = request.get(name)
    if not isinstance(found, str) or not found:
        raise BadRequest(f"`{name}` is text")
    return found


def _optional_word(request: Mapping[str, Any], name: str) -> str:
    found = request.get(name)
    return found if isinstance(found, str) else ""


def _amount(request: Mapping[str, Any], name: str) -> float:
    found = request.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
        raise BadRequest(f"`{name}` is a number of dollars, 0 or more")
    return float(min(found, _MOST_USD))


def _flag(request: Mapping[str, Any], name: str) -> bool:
    found = request.get(name)
    if not isinstance(found, bool):
        raise BadRequest(f"`{name}` is true or false")
    return found
