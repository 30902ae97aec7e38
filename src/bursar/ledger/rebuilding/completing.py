"""What entries that are lost have left undone: holds that have ended, usage that nobody has charged.

It writes by the ledger's own methods, so the law holds for every line of it. A hold is ended on the best word there is:
its row in the damaged file, then an outcome or the audit log. On none it is forfeited: an unknown outcome is charged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bursar.budget import Amount, Balance, Counting, PeriodKind, Unit, format_quantity, title_of
from bursar.errors import StoreError
from bursar.ledger import changes
from bursar.ledger.folded import Line
from bursar.ledger.holding import Account
from bursar.ledger.posting import Posting, is_past
from bursar.ledger.rebuilding.findings import Findings, ending_of
from bursar.ledger.rebuilding.redraft import Redraft
from bursar.ledger.rebuilt import Charged, Ended, Evidence
from bursar.ledger.sqlite import SqliteLedger
from bursar.ledger.types import Reservation, State

FILE = "the damaged file"
_NOBODY = "nobody: it is charged what was held"
_KINDS = (PeriodKind.SESSION, PeriodKind.RUN)


class Completing:
    """One new ledger, which has all entries that were found. What it does is told by its three lists."""

    def __init__(
        self, ledger: SqliteLedger, findings: Findings, draft: Redraft, evidence: Mapping[str, Evidence]
    ) -> None:
        self.ended: list[Ended] = []
        self.charged: list[Charged] = []
        self.unexplained: list[str] = []
        self._ledger = ledger
        self._findings = findings
        self._draft = draft
        self._evidence = evidence

    def complete(self, may_be_lost: Callable[[str], bool]) -> None:
        """Every hold has ended unless the file itself says that it is open, and no balance is below the file's.

        Args:
            may_be_lost: whether an entry that was written at that instant may be among those that are lost.
        """
        for name in sorted(self._draft.lost_budgets):
            self.unexplained.append(
                f"the definition of budget `{title_of(name)}` is lost: what was put on it counts on it no more;"
                " define it again"
            )
        for held in self._ledger.reservations({}, state=State.HELD):
            self._end(held)
        for key, lines in self._draft.orphans.items():
            self._adopt(key, lines)
        for key, each in self._evidence.items():
            if self._ledger.reservation(key) is None and key not in self._draft.orphans:
                self._believe(each, may_be_lost)
        for balance in self._findings.balances.values():
            self._level(balance)

    def _end(self, held: Reservation) -> None:
        row, evidence = self._findings.holdings.get(held.key), self._evidence.get(held.key)
        if row is not None and row.state is not State.HELD:
            kind, actual, unknown = ending_of(row)
            ended = self._finish(Evidence(held.key, kind, actual, unknown, source=FILE))
            if row.state is State.CREDITED and row.charged is not None:
                ended = self._ledger.credit(held.key, _sound(row.charged), evidence=f"credited before, by {FILE}")
        elif evidence is not None:
            ended = self._finish(evidence)
        elif row is not None:
            return  # open, by its own row
        else:
            ended = self._ledger.forfeit(held.key)
        source = FILE if row is not None and row.state is not State.HELD else evidence.source if evidence else _NOBODY
        self._tell_end(ended, source)

    def _finish(self, how: Evidence) -> Reservation:
        """The hold has ended so; where that cannot be, it is forfeited, and as far as that is too much, credited."""
        try:
            if how.kind == "released":
                return self._ledger.release(how.key)
            if how.kind == "settled":
                return self._ledger.settle(how.key, _sound(how.actual), unknown=_sound(how.unknown))
        except StoreError:  # a later attempt has begun, or calls say otherwise
            pass
        ended = self._ledger.forfeit(how.key)
        if how.kind == "settled":
            try:
                return self._ledger.credit(
                    how.key, _sound(how.actual + how.unknown), evidence=f"as {how.source} has it"
                )
            except StoreError:
                return ended
        return ended

    def _tell_end(self, ended: Reservation, source: str) -> None:
        assert ended.charged is not None
        self.ended.append(Ended(ended.key, ended.state.value, ended.charged, source))

    def _adopt(self, key: str, lines: Iterable[Line]) -> None:
        """Entries about a reservation whose first one is lost: what they say was used is charged, if somebody knows for
        what."""
        used = _used_by(lines)
        evidence = self._evidence.get(key)
        if used.tokens == 0 and not used.nano_usd:
            return
        if evidence is None or not evidence.labels:
            words = format_quantity(used.tokens, Unit.TOKENS)
            self.unexplained.append(f"`{key}` has used {words}, and nobody knows for what: its first entry is lost")
            return
        self._charge(key, self._labels(evidence), used, "entries after the gap")

    def _believe(self, evidence: Evidence, may_be_lost: Callable[[str], bool]) -> None:
        """Something that was used is in no entry: it is charged, if it may have stood in one that is lost."""
        used = evidence.actual + evidence.unknown
        if may_be_lost(evidence.at) and evidence.labels and (used.tokens or used.nano_usd):
            self._charge(evidence.key, self._labels(evidence), used, evidence.source)

    def _labels(self, evidence: Evidence) -> Mapping[str, str]:
        """With those of another operation of the same run, where only some are known."""
        run = evidence.labels.get("run")
        others = self._ledger.reservations({"run": run}) if run else ()
        return {**(others[0].labels if others else {}), **evidence.labels}

    def _charge(self, key: str, labels: Mapping[str, str], used: Amount, source: str) -> None:
        self._ledger.charge(key, labels, _sound(used))
        self.charged.append(Charged(key, used, source))

    def _level(self, file: Balance) -> None:
        """Where the file's balance is higher than that of all entries that were found, the rest is charged to it."""
        name, period = file.budget.name, file.period_id
        with self._ledger._writing() as posting:
            standing = posting.books.standing(name)
            if standing is None:
                return
            budget = standing.budget
            found = posting.books.balance(budget, period) or Balance(
                budget=budget, spent=0, reserved=0, metered=0, period_id=period
            )
            missing = file.spent + file.reserved - found.spent - found.reserved
            if missing <= 0:
                return
            amount = Amount(0, missing) if budget.limit.unit is Unit.USD else Amount(missing, 0)
            words = f"{format_quantity(missing, budget.limit.unit)} more than the entries explain"
            last = standing.last
            if last is not None and last.id != period and budget.period.kind not in _KINDS:
                self.unexplained.append(f"budget `{title_of(name)}` had {words} in its earlier period {period}")
                return
            _charge_alone(posting, found, amount)
        self.charged.append(Charged(f"budget `{title_of(name)}`", amount, f"its balance in {FILE}: {words}"))


def _charge_alone(posting: Posting, balance: Balance, amount: Amount) -> None:
    """The amount is charged to this budget in this period, and to no other; for what, nobody knows."""
    budget, period = balance.budget, balance.period_id
    key = f"rebuilt/{posting.books.head()[0] + 1}"
    labels = dict(budget.selector) | (
        {budget.period.kind.value: period} if budget.period.kind in _KINDS and period else {}
    )
    holding = changes.charge(key, labels, amount, (Account(budget.name, period),), ())
    if is_past([balance], None, holding):
        holding = holding._replace(state=State.OVERRUN)
    charged = [amount.tokens, amount.nano_usd]
    body = {
        "labels": labels,
        "amount": charged,
        "state": holding.state.value,
        "charged": charged,
        "unknown": [0, 0],
    }
    posting.open(holding, "charged", body, [balance], speaks=True)


def _sound(amount: Amount) -> Amount:
    """The same, with no more output than fresh tokens: a sum has a bound where nobody said, and bounds may cross."""
    if amount.output_tokens is None:
        return amount
    return replace(amount, output_tokens=min(amount.output_tokens, amount.counted(Counting.FRESH)))


def _used_by(lines: Iterable[Line]) -> Amount:
    """What entries on one reservation say was used: what was charged last, else what calls have reported."""
    used = Amount(0, 0)
    for line in lines:
        body = line.body
        if "charged" in body:
            tokens, nano_usd = body["charged"][:2]
            used = Amount(tokens, nano_usd)
        elif line.kind == "recorded":
            used = used + Amount(sum(body["usage"].values()), body["nano_usd"])
    return used
