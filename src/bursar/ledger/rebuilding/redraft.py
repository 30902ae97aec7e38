"""The new ledger's journal while it is written: entries repeated word for word, and after a gap, what can be said.

As long as none is missing, every entry stays as it is, hash and all. After a gap no hash can follow any more: what was
found there is repeated under new numbers, between two entries `rebuilt` that say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bursar.budget import Amount
from bursar.ledger import changes, rows
from bursar.ledger.audit import expected_holding
from bursar.ledger.books import Mark
from bursar.ledger.entries import (
    FIRST_HASH,
    RawEntry,
    decode_amount,
    encode,
    encode_amount,
    encode_budget,
    encode_call,
    format_instant,
    hash_of,
)
from bursar.ledger.fold import follow
from bursar.ledger.folded import Fold, Line
from bursar.ledger.holding import Holding
from bursar.ledger.rebuilding.chain import Gap
from bursar.ledger.rebuilding.findings import Findings
from bursar.ledger.types import State

SUBJECT = "ledger"
"""What the entries `rebuilt` are about."""

_OPENING = ("reserved", "charged")
_OF_NO_RESERVATION = ("defined", "denied", "rebuilt")


class Redraft:
    """The journal so far, and its sums.

    Attributes:
        orphans: entries about reservations of which nothing else is known, by key.
        lost_budgets: names of budgets whose definition is lost; what was put on them is on no budget now.
    """

    def __init__(self, findings: Findings, at: datetime) -> None:
        self.rows: list[RawEntry] = []
        self.folded = Fold()
        self.orphans: dict[str, list[Line]] = {}
        self.lost_budgets: set[str] = set()
        self._findings = findings
        self._at = format_instant(at)

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry."""
        return (self.rows[-1][0], self.rows[-1][6]) if self.rows else (0, FIRST_HASH)

    def keep(self, entry: RawEntry) -> None:
        """The entry follows as it is; it names the hash of the one before."""
        number, at, kind, key, body = entry[:5]
        self.rows.append(entry)
        follow(self.folded, Line(number, at, kind, key, json.loads(body)))

    def begin_repeats(self, gaps: Sequence[Gap]) -> None:
        """From here on entries are repeated, and balances are not what they were when each was written."""
        lost = [list(gap) for gap in gaps]
        self._add(self._at, "rebuilt", SUBJECT, {"repeats": True, "lost": lost})

    def end_repeats(self, marks: Sequence[Mark]) -> None:
        """From here on every entry has to follow from those before. Thresholds that have fired do not fire again."""
        known = self.folded.in_force
        new = [
            mark
            for mark in marks
            if not mark.is_over
            and mark.budget in self.folded.budgets
            and (mark.budget, mark.period_id, mark.percent) not in known
        ]
        body = {"repeats": False, "marks": [_encode_mark(mark) for mark in new]}
        self._add(self._at, "rebuilt", SUBJECT, body)

    def repeat(self, entry: RawEntry) -> None:
        """The entry follows under a number of its own, if what it is about is known, or can be found in the file."""
        number, at, kind, key, text = entry[:5]
        body = json.loads(text)
        if kind in _OPENING:
            if key not in self.folded.reservations:
                self._add(at, kind, key, self._on_known_budgets(body))
        elif kind in _OF_NO_RESERVATION:
            if kind != "rebuilt":
                self._add(at, kind, key, body)
        elif key in self.folded.reservations or self.open(key):
            if kind == "credited" and self.folded.reservations[key].state == "held":
                self._forfeit(at, key, decode_amount(body.get("charged", body["actual"])))
            self._add(at, kind, key, self._on_known_budgets(body))
        else:
            self.orphans.setdefault(key, []).append(Line(number, at, kind, key, body))

    def open(self, key: str) -> bool:
        """The reservation is there as the file has its row; False where there is none to believe."""
        holding = self._findings.holdings.get(key)
        if holding is None:
            return False
        kind, body = _opening(holding)
        self._add(self._at, kind, key, self._on_known_budgets(body))
        return True

    def _forfeit(self, at: str, key: str, least: Amount) -> None:
        """The reservation is forfeited: a credit says that it was, and that no less than `least` was charged then."""
        holding = self._holding(key)
        held = holding.held
        if least.tokens > held.tokens or (least.nano_usd or 0) > (held.nano_usd or 0):
            nano_usd = least.nano_usd if held.nano_usd is None else max(held.nano_usd, least.nano_usd or 0)
            raised = Amount(max(held.tokens, least.tokens), nano_usd)
            self._add(at, "extended", key, {"held": encode_amount(raised)})
            holding = self._holding(key)
        after = changes.forfeit(holding)
        sides = {"charged": encode_amount(after.charged), "unknown": encode_amount(after.unknown)}
        self._add(at, "forfeited", key, {"state": after.state.value, **sides})

    def _holding(self, key: str) -> Holding:
        return rows.read_holding((key, *expected_holding(self.folded.reservations[key])))

    def catch_up(self, holding: Holding) -> None:
        """Calls of an open reservation that only rows tell of are recorded, and it holds what its row says."""
        folded = self.folded.reservations[holding.key]
        for call in self._findings.calls.get(holding.key, ()):
            if (holding.key, call.call_id, call.sequence) not in self.folded.calls:
                self._add(self._at, "recorded", holding.key, encode_call(call))
        held = encode_amount(holding.held)
        is_higher = holding.held.tokens > folded.held[0] or (holding.held.nano_usd or 0) > (folded.held[1] or 0)
        if holding.state is State.HELD and is_higher:
            self._add(self._at, "extended", holding.key, {"held": held})

    def define(self, name: str) -> bool:
        """The budget is there as the file has its row; False where there is none to believe."""
        if name in self.folded.budgets:
            return True
        budget = self._findings.budgets.get(name)
        if budget is not None:
            self._add(self._at, "defined", name, encode_budget(budget))
        return budget is not None

    def _on_known_budgets(self, body: dict[str, Any]) -> Mapping[str, object]:
        """The body without budgets that nobody can define any more."""
        for part in ("budgets", "exempt"):
            names = [each if isinstance(each, str) else each[0] for each in body.get(part, ())]
            self.lost_budgets |= {name for name in names if not self.define(name)}
            if part in body:
                body[part] = [each for each, name in zip(body[part], names, strict=True) if self.define(name)]
        if "marks" in body:
            body["marks"] = [mark for mark in body["marks"] if self.define(mark["budget"])]
        return body

    def _add(self, at: str, kind: str, key: str, body: Mapping[str, Any]) -> None:
        number, previous = self.head[0] + 1, self.head[1]
        text = encode(body)
        self.rows.append((number, at, kind, key, text, previous, hash_of(number, at, kind, key, text, previous)))
        follow(self.folded, Line(number, at, kind, key, json.loads(text)))


def _opening(holding: Holding) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = json.loads(holding.request)
    body["budgets"] = [list(account) for account in holding.accounts]
    if holding.exempt:
        body["exempt"] = [list(account) for account in holding.exempt]
    if "attempt" in body:
        return "reserved", body | {"granted": encode_amount(holding.granted)}
    charged = {"charged": encode_amount(holding.charged), "unknown": encode_amount(holding.unknown)}
    return "charged", body | charged | {"state": holding.state.value}


def _encode_mark(mark: Mark) -> dict[str, object]:
    alert = mark.alert and {"level": mark.alert.level.value, "message": mark.alert.message}
    return {"budget": mark.budget, "period": mark.period_id, "percent": mark.percent, "alert": alert}
