"""Estimates asked for as JSON objects: `estimate`, `estimate_total`, and `outcome` with a `measure`.

Asked for through `bursar route --stdio`; this knows the words, not the lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bursar.estimation.estimator import Estimator, is_amount
from bursar.estimation.key import Fact, Interval, Key

_MOST_PENDING = 10_000


class EstimateDesk:
    """Answers requests about what work takes, and learns from the outcomes that it is told."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self._pending: dict[tuple[str, ...], Key] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, object]:
        """The reply to one of the three operations.

        An outcome that brings no facts and no text has those of the last estimate for the same work.

        Raises:
            ValueError: the request names no measure, or a total of nothing, or of what is no work.
        """
        match request.get("op"):
            case "estimate":
                key = read_key(request)
                self._keep(key)
                return _reply(self._estimator.estimate(key))
            case "estimate_total":
                return _reply(self._estimator.estimate_total(_read_keys(request)))
            case _:
                key = read_key(request)
                value = request.get(key.measure)
                if is_amount(value):
                    self._estimator.observe(self._pending.pop(_name(key), key), float(value))  # type: ignore[arg-type]
                return {"ok": True}

    def _keep(self, key: Key) -> None:
        if len(self._pending) >= _MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        self._pending[_name(key)] = key


def is_about_estimates(request: Mapping[str, Any]) -> bool:
    """Whether it is one of the operations that an `EstimateDesk` answers."""
    operation = request.get("op")
    return operation in ("estimate", "estimate_total") or (operation == "outcome" and "measure" in request)


def read_key(request: Mapping[str, Any]) -> Key:
    """What the request says of the work; what it does not say, or says wrongly, is unknown.

    Raises:
        ValueError: it names no measure.
    """
    measure, complexity, facts = request.get("measure"), request.get("complexity"), request.get("facts")
    if not isinstance(measure, str) or not measure:
        raise ValueError("an estimate needs a `measure`, for example `cost_usd`")
    if not isinstance(complexity, int) or isinstance(complexity, bool):
        complexity = None
    return Key(
        measure=measure,
        model=_word(request, "model"),
        type=_word(request, "type") or "unknown",
        complexity=None if complexity is None else min(10, max(1, complexity)),
        project=_word(request, "project"),
        task=_word(request, "task"),
        facts={str(name): value for name, value in facts.items() if isinstance(value, Fact)}
        if isinstance(facts, Mapping)
        else {},
        text=_word(request, "text"),
    )


def _read_keys(request: Mapping[str, Any]) -> list[Key]:
    tasks = request.get("tasks")
    if not isinstance(tasks, list) or not all(isinstance(each, Mapping) for each in tasks):
        raise ValueError("a total needs `tasks`, a list of objects")
    return [read_key(each) for each in tasks]


def _word(request: Mapping[str, Any], name: str) -> str:
    found = request.get(name)
    return found if isinstance(found, str) else ""


def _name(key: Key) -> tuple[str, ...]:
    return key.measure, key.task, key.model, key.type, key.project


def _reply(interval: Interval) -> dict[str, object]:
    return {
        "p10": interval.p10,
        "p50": interval.p50,
        "p90": interval.p90,
        "mean": interval.mean,
        "observations": interval.observations,
        "alike": interval.alike,
        "coverage": interval.coverage,
    }
