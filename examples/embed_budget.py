"""A program of your own on a budget: define it, hold before you spend, record what was spent, hear of alerts.

    python examples/embed_budget.py [FOLDER]

The ledger lies in FOLDER (by default in one that is thrown away), and two processes may share it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bursar.budget import PERIOD_THRESHOLDS, Amount, Budget, Counting, parse_limit, parse_period
from bursar.clock import SystemClock
from bursar.ledger import CallRecord, Denial, Ledger, LedgerEvent, ReserveRequest, open_ledger
from bursar.usage import Usage

LABELS = {"project": "newsletter", "user": "ada"}


def tell(event: LedgerEvent) -> None:
    """Called after each commit that has to do with usage; what it raises would undo nothing."""
    for alert in event.reservation.alerts:
        sys.stdout.write(f"{alert.level}: {alert.message}\n")


def write_article(ledger: Ledger, number: int, estimate: int, usage: Usage) -> bool:
    """One article, if it fits: hold the estimate, do the work, and settle at what it took."""
    key = f"article-{number}"  # the same key is the same hold, however often a crash makes you ask again
    answer = ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(estimate, None)))
    if isinstance(answer, Denial):
        short = answer.shortfalls[0]
        left = f"{short.balance.available:,} of {short.balance.budget.limit.quantity:,} tokens left"
        sys.stdout.write(f"{key}: not started, {left}\n")
        return False
    call = CallRecord(call_id="message-1", sequence=1, model="my-model", usage=usage, nano_usd=None)
    metered = ledger.record(key, call).metered
    ledger.settle(key, metered)
    sys.stdout.write(f"{key}: {metered.tokens:,} tokens, {metered.counted(Counting.FRESH):,} of them fresh\n")
    return True


def main(folder: Path) -> None:
    ledger = open_ledger(folder / "ledger.db", SystemClock())
    ledger.observe(tell)
    ledger.define(
        Budget(
            name="newsletter",
            limit=parse_limit("100k tokens"),
            selector={"project": "newsletter"},
            period=parse_period("monthly", "Europe/Berlin"),
            thresholds=PERIOD_THRESHOLDS,
        )
    )
    usage = Usage(input_tokens=5_000, cache_read_tokens=30_000, output_tokens=5_000)
    number = 1
    while write_article(ledger, number, 45_000, usage):
        number += 1
    ledger.charge("editing", LABELS, Amount(15_000, None))  # happened already: recorded, whatever the limit
    balance = ledger.balance("newsletter")
    assert balance is not None
    sys.stdout.write(f"spent {balance.spent:,} of {balance.budget.limit.quantity:,} tokens this month\n")
    assert ledger.verify() == []
    ledger.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
