"""What an attempt spends: usage priced call by call, written into the ledger, held against its limits."""

from __future__ import annotations

from collections.abc import Collection

from bursar.budget import Amount, Budget, Counting, OnLimit, Unit, format_quantity, title_of
from bursar.ledger import CallRecord, Denial, Ledger, Reservation
from bursar.metering import UnknownCall, UsageDelta
from bursar.pricing import STANDARD, RateTable
from bursar.supervision.spec import AttemptSpec
from bursar.usage import Usage

_A_LITTLE = Amount(1, 1, 1, 1)
_STEPS_OF_ROOM = 8  # more than there usually are agents at once: with less, they may need what is left


class Spending:
    """The money side of one attempt. It writes first and judges afterwards: usage that happened is never refused."""

    def __init__(self, spec: AttemptSpec, ledger: Ledger, reservation: Reservation) -> None:
        self._key = spec.key
        self._ledger = ledger
        self._rates = read_rates(spec)
        self._units = [Unit(unit) for unit in spec.units]
        self._refuses_unpriced = spec.refuses_unpriced
        self._countings = [Counting(counting) for counting in spec.countings]
        self._step = Amount(spec.step_tokens, spec.step_nano_usd, spec.step_tokens, spec.step_output_tokens)
        self._usage_by_call: dict[str, Usage] = {}
        self._cost_by_call: dict[str, int | None] = {}
        self._largest_call = 0
        self._by_provenance: dict[str, int] = {}
        self.reservation = reservation
        self.unpriced_models: set[str] = set()
        self.assumed_tiers: set[tuple[str, str]] = set()

    @property
    def is_limited(self) -> bool:
        """Whether any budget can end this attempt."""
        return bool(self._units)

    @property
    def metered(self) -> Amount:
        """Everything recorded so far; the cost is None when the price of any call is unknown."""
        tokens = sum(usage.total_tokens for usage in self._usage_by_call.values())
        costs = list(self._cost_by_call.values())
        return Amount(tokens, None if None in costs else sum(cost for cost in costs if cost is not None))

    @property
    def calls(self) -> int:
        """How many calls were metered; a reconciliation is no call."""
        return sum(1 for call_id in self._usage_by_call if not call_id.startswith("result:"))

    def tokens_by_provenance(self, unknown: Amount) -> dict[str, int]:
        """How what is charged was found out; what nobody reported is `estimated`. Only what there is."""
        return self._by_provenance | ({"estimated": unknown.tokens} if unknown.tokens else {})

    def record(self, delta: UsageDelta) -> None:
        """The ledger knows of `delta`, priced as the growth of its call's cost.

        Raises:
            StoreError: the ledger could not be written; what is metered stays known here.
        """
        usage = delta.call_usage
        cost_before = self._cost_by_call.get(delta.call_id, 0)
        cost = self._cost(delta.model, usage, delta.service_tier or STANDARD)
        if cost is None:
            self.unpriced_models.add(delta.model)
        elif cost_before is not None:
            cost = max(cost, cost_before)  # a larger call may fall into a cheaper tier; what is recorded never falls
        self._usage_by_call[delta.call_id] = usage
        self._by_provenance[delta.provenance] = self._by_provenance.get(delta.provenance, 0) + delta.usage.total_tokens
        self._cost_by_call[delta.call_id] = cost
        self._largest_call = max(self._largest_call, usage.total_tokens)
        self.reservation = self._ledger.record(
            self._key,
            CallRecord(
                call_id=delta.call_id,
                sequence=delta.sequence,
                model=delta.model,
                usage=delta.usage,
                nano_usd=None if cost is None or cost_before is None else cost - cost_before,
                provenance=delta.provenance,
            ),
        )

    def _cost(self, model: str, usage: Usage, service_tier: str) -> int | None:
        """What the call costs; at a service tier of which no price is known, the dearest that is, and that is noted."""
        cost = self._rates.cost_nano_usd(model, usage, service_tier)
        if cost is None and service_tier != STANDARD:
            cost = self._rates.dearest_nano_usd(model, usage)
            if cost is not None:
                self.assumed_tiers.add((model, service_tier))
        return cost

    def remarks(self) -> list[str]:
        """In words, what of the cost is not as anybody has stated it."""
        return [
            f"no price of {model} is known for the service tier `{tier}`: its calls were priced at the dearest that is;"
            f" state theirs in a [[price]] table"
            for model, tier in sorted(self.assumed_tiers)
        ]

    def limit_reached(self) -> str | None:
        """Grows the hold where it runs short; in words, the limit that leaves no room for another call, if one does."""
        if Unit.USD in self._units and self.unpriced_models and self._refuses_unpriced:
            return f"no price is known for model {', '.join(sorted(self.unpriced_models))}, and a budget in USD applies"
        if not self._is_short(ahead=self._largest_call):
            return None
        held = self.reservation.held
        growing = [each for each in self._countings if self._is_part_short(each, ahead=self._largest_call)]
        wanted = _grown(held, self._next_step(), growing)
        answer = self._ledger.extend(self._key, wanted, minimum=_grown(held, _A_LITTLE, growing))
        if isinstance(answer, Denial):
            return _describe(answer) if self._is_short(ahead=0) else None
        self.reservation = answer
        return None

    def _next_step(self) -> Amount:
        """By how much the hold grows: where a budget has room for few steps more, by what one call more needs.

        An attempt that is about to end would take from the others what it will not use, and they would be stopped.
        """
        if not self._is_room_scarce():
            return self._step
        held, metered, ahead, step = self.reservation.held, self.reservation.metered, self._largest_call, self._step

        def lack(used: int | None, had: int | None, usual: int | None) -> int | None:
            if used is None or had is None or usual is None:
                return usual
            return max(1, min(usual, used + used * ahead // max(1, metered.tokens) - had + 1))

        return Amount(
            lack(metered.tokens, held.tokens, step.tokens) or 1,
            lack(metered.nano_usd, held.nano_usd, step.nano_usd),
            lack(metered.fresh_tokens, held.fresh_tokens, step.fresh_tokens),
            lack(metered.output_tokens, held.output_tokens, step.output_tokens),
        )

    def _is_room_scarce(self) -> bool:
        for balance in self._ledger.balances(self.reservation.labels):
            budget = balance.budget
            if budget.name in self.reservation.budgets and budget.on_limit is OnLimit.BLOCK:
                step = self._step.of(budget.limit.unit, budget.counts)
                if step is not None and balance.available < step * _STEPS_OF_ROOM:
                    return True
        return False

    def shortage(self, calls: int, budgets: Collection[str]) -> str:
        """In words, which of these budgets has no room for so many calls more; empty where all have, or none was made.

        The calls to come are taken to be as large as the largest so far. Looks, and changes nothing: the hold included,
        which grows when it runs short and not before.

        Raises:
            StoreError: the ledger could not be read.
        """
        ahead = calls * self._largest_call
        if not ahead or not self._is_short(ahead=ahead):
            return ""
        counted = set(budgets).intersection(self.reservation.budgets)
        for balance in self._ledger.balances(self.reservation.labels):
            if balance.budget.name not in counted or (seen := self._counted_in(balance.budget)) is None:
                continue
            held, metered, per_call = seen
            left = max(0, held - metered) + balance.available
            if per_call and left <= per_call * calls:
                return f"{_in_words(balance.budget)} has room for about {_calls_in_words(left // per_call)}"
        return ""

    def _counted_in(self, budget: Budget) -> tuple[int, int, int] | None:
        """What is held and what was metered as the budget counts it, and a call like the largest; None if unknown."""
        held, metered = self.reservation.held, self.reservation.metered
        if budget.limit.unit is Unit.TOKENS:
            had, used = held.counted(budget.counts), metered.counted(budget.counts)
        elif held.nano_usd is None or metered.nano_usd is None:
            return None
        else:
            had, used = held.nano_usd, metered.nano_usd
        return had, used, used * self._largest_call // max(1, metered.tokens)

    def whole_hold(self) -> Amount:
        """What is left of the hold: what to charge when nobody can say anything at all."""
        held, metered = self.reservation.held, self.metered
        money = None if held.nano_usd is None or metered.nano_usd is None else held.nano_usd - metered.nano_usd
        return Amount(max(0, held.tokens - metered.tokens), None if money is None else max(0, money))

    def unknown(self, call: UnknownCall | None) -> Amount:
        """What to charge for a call that nobody reported in full: its bound, within what was held for it.

        Never below the size of the call before it, because an agent sends its whole conversation with every call.

        Source: docs/decisions/0008-unknown-outcomes.md
        """
        if call is None:
            return Amount(0, 0)
        left = max(0, self.reservation.held.tokens - self.metered.tokens)
        tokens = min(call.bound, max(call.floor, left))
        return Amount(tokens, self._rates.dearest_nano_usd(call.model, Usage(output_tokens=tokens)))

    def settle(self, unknown: Amount) -> None:
        """The hold has ended: what was metered is charged, and what is unknown on top."""
        actual = self.metered
        if actual.nano_usd is None:
            actual, unknown = self._unpriced(actual, unknown)
        self.reservation = self._ledger.settle(self._key, actual, unknown=unknown)

    def _unpriced(self, actual: Amount, unknown: Amount) -> tuple[Amount, Amount]:
        """With a price missing, money is charged as held: the priced part as actual, the rest as unknown."""
        priced = sum(cost for cost in self._cost_by_call.values() if cost is not None)
        held = self.reservation.held.nano_usd
        if held is None:
            return actual, unknown
        return Amount(actual.tokens, priced), Amount(unknown.tokens, max(0, held - priced))

    def _is_short(self, *, ahead: int) -> bool:
        """Whether the hold would not cover `ahead` more tokens (with 0: whether it is used up)."""
        held, metered = self.reservation.held, self.reservation.metered
        if any(self._is_part_short(counting, ahead=ahead) for counting in self._countings):
            return True
        if Unit.TOKENS in self._units and metered.tokens + ahead >= held.tokens:
            return True
        return Unit.USD in self._units and self._is_money_short(ahead=ahead)

    def _is_money_short(self, *, ahead: int) -> bool:
        held, metered = self.reservation.held, self.reservation.metered
        if held.nano_usd is None or metered.nano_usd is None:
            return self._refuses_unpriced
        share = metered.nano_usd * ahead // max(1, metered.tokens)
        return metered.nano_usd + share >= held.nano_usd

    def _is_part_short(self, counting: Counting, *, ahead: int) -> bool:
        """The same of those tokens that count for some budget, if the next ones are like the ones before."""
        held, metered = self.reservation.held, self.reservation.metered
        share = metered.counted(counting) * ahead // max(1, metered.tokens)
        return metered.counted(counting) + share >= held.counted(counting)


_latest: tuple[str, RateTable] | None = None


def read_rates(spec: AttemptSpec) -> RateTable:
    """The spec's price table: the one that was read last, if it is the same, with what it has found out by now."""
    global _latest
    if _latest is None or _latest[0] != spec.rates:
        _latest = spec.rates, RateTable.from_text(spec.rates)
    return _latest[1]


def _grown(held: Amount, step: Amount, growing: Collection[Counting]) -> Amount:
    """The hold with a step more of the tokens, and of those parts of them that grow; the others stay."""

    def part(said: int | None, counting: Counting) -> int | None:
        return said + step.counted(counting) if said is not None and counting in growing else said

    nano_usd = None if held.nano_usd is None or step.nano_usd is None else held.nano_usd + step.nano_usd
    fresh, output = part(held.fresh_tokens, Counting.FRESH), part(held.output_tokens, Counting.OUTPUT)
    if fresh is not None and output is not None:
        fresh = max(fresh, output)  # output is never a cache read
    return Amount(held.tokens + step.tokens, nano_usd, fresh, output)


def _describe(denial: Denial) -> str:
    return "; ".join(describe_limit(shortfall.balance.budget) for shortfall in denial.shortfalls)


def describe_limit(budget: Budget) -> str:
    """`budget NAME reached its limit of 200,000 tokens`."""
    limit = format_quantity(budget.limit.quantity, budget.limit.unit)
    return f"budget {title_of(budget.name)} reached its limit of {limit}"


def _in_words(budget: Budget) -> str:
    limit = format_quantity(budget.limit.quantity, budget.limit.unit)
    return f"budget {title_of(budget.name)} (limit of {limit})"


def _calls_in_words(count: int) -> str:
    return {0: "no whole call more", 1: "1 more call"}.get(count, f"{count} more calls")
