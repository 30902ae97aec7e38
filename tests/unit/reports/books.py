"""A journal and a ledger with a run in them, for tests of reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, OnLimit, Unit
from bursar.journal import AttemptRow, AttemptState, Journal, RunRow, RunState, TaskRow, TaskState, open_journal
from bursar.ledger import CallRecord, MemoryLedger, Reservation, ReserveRequest
from bursar.reports import RunReport, build_run_report
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock

START = "2026-03-01T10:00:00.000+00:00"
END = "2026-03-01T10:00:30.000+00:00"


@dataclass
class Books:
    """One run named `r`; every call here is an attempt's way through both stores."""

    journal: Journal
    ledger: MemoryLedger

    def begin(
        self,
        *names: str,
        limit: str | None = None,
        state: RunState = RunState.RUNNING,
        workspace: str | None = None,
    ) -> None:
        run = RunRow(
            id="r",
            project="/p",
            plan_path="/p/PLAN.md",
            plan_id="08-02",
            plan_digest="d",
            branch="main",
            base_commit="c0",
            limit=limit,
            state=state,
            conductor=None,
            started_at=START,
            workspace=workspace,
        )
        tasks = [TaskRow(run_id="r", number=str(at), name=name, digest="") for at, name in enumerate(names, start=1)]
        self.journal.begin_run(run, tasks)

    def limit(self, quantity: int, unit: Unit = Unit.TOKENS, *, task: str | None = None, warn: bool = False) -> None:
        selector = {"run": "r"} | ({"task": task} if task else {})
        on_limit = OnLimit.WARN if warn else OnLimit.BLOCK
        self.ledger.define(
            Budget(
                name=f"run-r/task-{task}" if task else "run-r",
                selector=selector,
                limit=Limit(quantity, unit),
                thresholds=RUN_THRESHOLDS,
                on_limit=on_limit,
            )
        )

    def attempt(
        self,
        task: str,
        number: int = 1,
        *,
        hold: Amount | None = None,
        start: str = START,
        model: str = "sonnet",
        labels: Mapping[str, str] | None = None,
    ) -> AttemptRow:
        """An attempt is held for and begun."""
        row = AttemptRow(
            key=f"r/{task}/{number}",
            run_id="r",
            task=task,
            number=number,
            model=model,
            directory=f"/state/{task}-{number}",
            base_commit="c0",
            session_id="s",
            worktree="/w",
            state=AttemptState.PLANNED,
            started_at=start,
        )
        all_labels = {"run": "r", "task": task, **(labels or {})}
        request = ReserveRequest(key=row.key, labels=all_labels, amount=hold or Amount(1000, 9000), attempt=number)
        assert isinstance(self.ledger.reserve(request), Reservation)
        self.journal.begin_attempt(row)
        return row

    def call(self, row: AttemptRow, tokens: int, nano_usd: int | None, model: str = "claude-sonnet") -> None:
        """One model call was metered."""
        held = self.ledger.reservation(row.key)
        assert held is not None
        usage = Usage(input_tokens=tokens - tokens // 10, output_tokens=tokens // 10)
        call_id = f"m{held.metered.tokens}"
        self.ledger.record(
            row.key, CallRecord(call_id=call_id, sequence=1, model=model, usage=usage, nano_usd=nano_usd)
        )

    def end(
        self,
        row: AttemptRow,
        state: AttemptState = AttemptState.SUCCEEDED,
        task: TaskState = TaskState.MERGED,
        *,
        commit: str | None = "0123456789abcdef",
        note: str = "",
        unknown: Amount | None = None,
        at: str = END,
    ) -> None:
        """It is settled and ended."""
        held = self.ledger.reservation(row.key)
        assert held is not None
        self.ledger.settle(row.key, held.metered, unknown=unknown or Amount(0, 0))
        self.journal.end_attempt(row, state, at, task=task, commit=commit, note=note)

    def report(self) -> RunReport:
        run = self.journal.run("r")
        assert run is not None
        return build_run_report(self.journal, self.ledger, run)


def open_books(folder: Path) -> Books:
    """Empty books."""
    return Books(open_journal(folder / "journal.db"), MemoryLedger(SteppingClock()))
