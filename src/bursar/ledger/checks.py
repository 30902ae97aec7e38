"""What the ledger accepts as input: numbers that can be counted, names that can be read aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bursar.budget import (
    LANE_LABEL,
    LARGEST_QUANTITY,
    Amount,
    Budget,
    Counting,
    Lane,
    Unit,
    check_period,
    check_thresholds,
)
from bursar.errors import UserError
from bursar.ledger.types import CallRecord, ReserveRequest

_LONGEST_NAME = 4096
_LANES = tuple(lane.value for lane in Lane)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_request(request: ReserveRequest) -> None:
    """The request can be decided on.

    Raises:
        UserError: an empty or unprintable name, a number that is no count, a hold of nothing, a minimum above the wish.
    """
    check_name(request.key, "key")
    check_labels(request.labels)
    check_amount(request.amount)
    if request.amount.tokens == 0:
        raise UserError("a hold of no tokens pays for nothing")
    _check_count(request.attempt, "attempt", least=1)
    if request.minimum is not None:
        check_minimum(request.minimum, request.amount)


def check_minimum(minimum: Amount, amount: Amount) -> None:
    """The minimum is an amount, and no side of it is above the amount's."""
    check_amount(minimum)
    sides = (
        (minimum.nano_usd, amount.nano_usd),
        (minimum.fresh_tokens, amount.fresh_tokens),
        (minimum.output_tokens, amount.output_tokens),
    )
    is_above = any(least is not None and most is not None and least > most for least, most in sides)
    if minimum.tokens > amount.tokens or is_above:
        raise UserError("the minimum of a hold is above what is asked for")


def check_budget(budget: Budget) -> None:
    """The budget can be kept: its names can be read, its limit counted, its thresholds are ascending percents."""
    check_name(budget.name, "name of a budget")
    check_labels(budget.selector)
    check_period(budget.period)
    _check_count(budget.limit.quantity, "limit", least=1)
    check_thresholds(budget.thresholds)
    for threshold in budget.thresholds:
        if threshold.name:
            check_name(threshold.name, "name of a threshold")
    if budget.limit.unit is Unit.USD and budget.counts is not Counting.TOTAL:
        raise UserError(f"budget `{budget.name}` is in USD: only one in tokens counts fresh or output tokens")
    if budget.stop_percent is not None:
        _check_count(budget.stop_percent, "percent of a stop", least=1)
        if budget.stop_percent > 100:
            raise UserError("a budget stops at 100 percent of its limit at the latest")


def check_call(call: CallRecord) -> None:
    """The call can be counted. Its texts are an agent's: anything that can be stored is taken as it is."""
    for text, what in ((call.call_id, "id of a call"), (call.model, "model"), (call.provenance, "provenance")):
        if not text or _SURROGATE.search(text):
            raise UserError(f"the {what} is empty or no text")
    _check_count(call.sequence, "sequence", least=1)
    usage = call.usage
    for counter in (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
    ):
        _check_count(counter, "usage")
    check_amount(Amount(usage.total_tokens, call.nano_usd))


def check_amount(amount: Amount) -> None:
    """Both sides are whole numbers from 0 to 2⁶³ − 1; the cost may be unknown."""
    _check_count(amount.tokens, "number of tokens")
    if amount.nano_usd is not None:
        _check_count(amount.nano_usd, "cost in nano-USD")
    for part, what in ((amount.fresh_tokens, "fresh tokens"), (amount.output_tokens, "output tokens")):
        if part is not None:
            _check_count(part, f"number of {what}")
            if part > amount.tokens:
                raise UserError(f"there cannot be more {what} than tokens")
    if amount.counted(Counting.OUTPUT) > amount.counted(Counting.FRESH) and amount.output_tokens is not None:
        raise UserError("there cannot be more output tokens than fresh ones")


def check_labels(labels: Mapping[str, str]) -> None:
    """Every label has a name and a value that can be read; the lane is one that there is."""
    if not _are_names((*labels, *labels.values())):
        for name, value in labels.items():
            check_name(name, "name of a label")
            check_name(value, f"label `{name}`")
    lane = labels.get(LANE_LABEL)
    if lane is not None and lane not in _LANES:
        raise UserError(f"the lane {lane!r} is unknown", hint=f"one of {', '.join(_LANES)}")


def check_name(name: object, what: str) -> None:
    """A text that is not empty, not endless, and has no control characters."""
    if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME or _CONTROL.search(name):
        raise UserError(f"the {what} must be a text of 1 to {_LONGEST_NAME} characters without control characters")


def _are_names(texts: tuple[str, ...]) -> bool:
    """All of them can be read, and none is long; where this says no, they may still be names."""
    try:
        together = "".join(texts)
    except TypeError:
        return False
    return "" not in texts and len(together) <= _LONGEST_NAME and not _CONTROL.search(together)


def check_history_limit(limit: int) -> None:
    """So many entries can be asked for."""
    _check_count(limit, "number of entries", least=1)


def _check_count(number: object, what: str, *, least: int = 0) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= LARGEST_QUANTITY:
        raise UserError(f"the {what} must be a whole number from {least} to {LARGEST_QUANTITY}, not {number!r}")
