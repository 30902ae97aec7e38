"""One `[[budget]]` table becomes a budget, or all that is wrong with it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from bursar.budget import (
    ALWAYS,
    CALENDAR_KINDS,
    LOGS_LABEL,
    PERIOD_THRESHOLDS,
    RUN_THRESHOLDS,
    Budget,
    Counting,
    Level,
    Limit,
    OnLimit,
    Period,
    PeriodKind,
    Threshold,
    Unit,
    check_thresholds,
    level_at,
    parse_limit,
    parse_period,
)
from bursar.errors import UserError

KEYS = (
    "name",
    "limit",
    "match",
    "period",
    "timezone",
    "on_limit",
    "thresholds",
    "counts",
    "allow_unknown_price",
    "include_logs",
)
LABELS = (
    "project", "run", "roadmap", "phase", "plan", "task", "instance", "command", "agent", "model", "user", "host",
    "session", "lane",
)  # fmt: skip

_LABELS_OF_LOGS = ("project", "agent", "model", "user", "host", "lane")

_T = TypeVar("_T")
_LONGEST_NAME = 80
_STOP = "stop"
_UNBOUND = (PeriodKind.ALWAYS, PeriodKind.SESSION, PeriodKind.RUN)
_THRESHOLDS_HINT = "thresholds = [0.5, 0.8, 1.0] or { warning = 0.8, critical = 0.9, stop = 0.95 }"


@dataclass(frozen=True, slots=True)
class _Thresholds:
    all: tuple[Threshold, ...]
    stop_percent: int | None = None


@dataclass(slots=True)
class BudgetTable:
    """Reads one table; what is wrong with it is in `problems` afterwards."""

    table: Mapping[str, Any]
    labels: Collection[str]
    problems: list[str] = field(default_factory=list)

    def parse(self) -> Budget | None:
        """The budget under the name that the table gives it; None where there are problems."""
        self._check_keys()
        name = self._try("name", check_title, required=True) or ""
        limit = self._try("limit", _limit, required=True) or Limit(1, Unit.TOKENS)
        selector = self._try("match", self._selector) or {}
        period = self._period()
        thresholds = self._try("thresholds", _thresholds) or _default_thresholds(period)
        on_limit = self._try("on_limit", lambda value: OnLimit(_word(value, OnLimit))) or OnLimit.BLOCK
        counts = self._try("counts", lambda value: Counting(_word(value, Counting))) or Counting.TOTAL
        is_unpriced_allowed = self._try("allow_unknown_price", _truth) or False
        if self._try("include_logs", _truth):
            self._check_logs(selector, period)
            selector = {**selector, LOGS_LABEL: name}
        self._check_units(limit)
        if thresholds.stop_percent is not None and on_limit is not OnLimit.BLOCK:
            self.problems.append('`thresholds`: a `stop` blocks, and `on_limit` is "warn" (call it by another name)')
        if self.problems:
            return None
        return Budget(
            name=name,
            limit=limit,
            selector=selector,
            period=period,
            thresholds=thresholds.all,
            on_limit=on_limit,
            counts=counts,
            stop_percent=thresholds.stop_percent,
            allows_unknown_price=is_unpriced_allowed,
        )

    def _try(self, key: str, parse: Callable[[Any], _T], *, required: bool = False) -> _T | None:
        if key not in self.table:
            if required:
                self.problems.append(f"`{key}` is missing")
            return None
        try:
            return parse(self.table[key])
        except UserError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.problems.append(f"`{key}`: {error.message}{hint}")
            return None

    def _check_keys(self) -> None:
        unknown = sorted(set(self.table) - set(KEYS))
        if unknown:
            self.problems.append(f"unknown {_listed('key', unknown)} (known: {', '.join(KEYS)})")

    def _check_units(self, limit: Limit) -> None:
        if limit.unit is Unit.USD and "counts" in self.table:
            self.problems.append("`counts` is for limits in tokens")
        if limit.unit is Unit.TOKENS and "limit" in self.table and "allow_unknown_price" in self.table:
            self.problems.append("`allow_unknown_price` is for limits in USD")

    def _check_logs(self, selector: Mapping[str, str], period: Period) -> None:
        if period.kind not in CALENDAR_KINDS:
            why = ""
            if period.kind is PeriodKind.ROLLING:
                why = (
                    ": a window that rolls opens when something is charged, and a call made by hand is charged when its"
                    " log is read; for a subscription's own window there is [[window]]"
                )
            self.problems.append(f"`include_logs` needs a `period` of days, weeks or months{why}")
        unknown = sorted(set(selector) - set(_LABELS_OF_LOGS))
        if unknown:
            known = ", ".join(_LABELS_OF_LOGS)
            self.problems.append(f"`include_logs`: logs do not tell {_listed('label', unknown)}, but {known}")

    def _period(self) -> Period:
        zone = self._try("timezone", _text)
        return self._try("period", lambda value: parse_period(_text(value), zone)) or self._zoned_always(zone)

    def _zoned_always(self, zone: str | None) -> Period:
        if zone is not None and "period" not in self.table:
            self.problems.append("`timezone` needs a `period` of days, weeks or months")
        return ALWAYS

    def _selector(self, value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise UserError("is no table of labels", hint='match = { phase = "08-features" }')
        for label, wanted in value.items():
            if not isinstance(wanted, str) or not wanted or not wanted.isprintable():
                raise UserError(f"the value of `{label}` is no text that can be printed")
        unknown = sorted(set(value) - set(self.labels))
        if unknown:
            known = ", ".join(self.labels)
            raise UserError(
                f"unknown {_listed('label', unknown)} (known: {known})", hint='declare your own: labels = ["team"]'
            )
        return value


def check_title(value: object) -> str:
    """The name can stand for a budget.

    Raises:
        UserError: it is empty, too long, no text, or has a character that cannot be printed, or an `@`.
    """
    text = _text(value)
    if not text.strip() or text != text.strip():
        raise UserError("is empty, or begins or ends with a space")
    if not text.isprintable() or "@" in text or len(text) > _LONGEST_NAME:
        raise UserError(f"may have at most {_LONGEST_NAME} printable characters, and no @")
    return text


def _limit(value: object) -> Limit:
    return parse_limit(_text(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UserError("is no text in quotes")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise UserError("is neither true nor false")
    return value


def _word(value: object, kind: type[OnLimit] | type[Counting]) -> str:
    words = [str(each) for each in kind]
    if value not in words:
        raise UserError(f"must be one of {', '.join(words)}, not {value!r}")
    return str(value)


def _default_thresholds(period: Period) -> _Thresholds:
    return _Thresholds(RUN_THRESHOLDS if period.kind in _UNBOUND else PERIOD_THRESHOLDS)


def _thresholds(value: object) -> _Thresholds:
    if isinstance(value, list):
        percents = [percent_of(each) for each in value]
        thresholds = _Thresholds(tuple(Threshold(percent, level_at(percent)) for percent in percents))
    elif isinstance(value, dict):
        thresholds = _named_thresholds(value)
    else:
        raise UserError("are neither a list nor a table", hint=_THRESHOLDS_HINT)
    check_thresholds(thresholds.all)
    return thresholds


def _named_thresholds(table: Mapping[str, object]) -> _Thresholds:
    levels, found = {str(level) for level in Level}, []
    for name, value in table.items():
        percent = percent_of(value)
        if name in levels:
            found.append(Threshold(percent, Level(name)))
        elif name == _STOP:
            if percent > 100:
                raise UserError(f"the stop at {value!r} is past the limit", hint="a stop is a share of at most 1.0")
            found.append(Threshold(percent, Level.CRITICAL, name))
        else:
            found.append(Threshold(percent, level_at(percent), name))
    return _Thresholds(tuple(found), next((each.percent for each in found if each.name == _STOP), None))


def percent_of(value: object) -> int:
    """A share of the limit as whole percents.

    Raises:
        UserError: it is no number from 0.01 to 10 of at most two decimals.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{value!r} is no number", hint=_THRESHOLDS_HINT)
    percent = Decimal(repr(value)) * 100
    if not 1 <= percent <= 1000 or percent != int(percent):
        raise UserError(f"{value!r} is not a share of the limit from 0.01 to 10, in whole percents")
    return int(percent)


def _listed(what: str, names: Collection[str]) -> str:
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(f'`{name}`' for name in names)}"
