"""`bursar run export|import`: what is known of a run as JSON, to be looked at on another machine.

An imported run is history: it cannot go on there, and none of its money enters the ledger.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec

import bursar
from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.clock import SystemClock
from bursar.config import find_ledger_place, open_stores
from bursar.errors import OK, UserError
from bursar.journal import AttemptRow, ImportedRun, Journal, PlanRow, RunRow, RunState, TaskRow, open_journal
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.reports import build_run_report, plain, report_as_data

FORMAT = 1
_KIND = "bursar run"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST_BYTES = 64 * 1024 * 1024


def export_run(arguments: Sequence[str]) -> int:
    """The run as one JSON object on stdout.

    Raises:
        UserError: there is no such run, or its money is in another ledger.
    """
    options = parser("run export", "what is known of a run, as JSON on stdout")
    options.add_argument("run", metavar="RUN", help="a run's id")
    chosen = options.parse_args(arguments)
    stores = open_stores(Path(state_dir()), find_ledger_place(), SystemClock())
    run, journal = stores.journal.run(chosen.run), stores.journal
    if run is None:
        raise UserError(f"there is no run `{chosen.run}`", hint="bursar status --all")
    imported = journal.imported(run.id)
    if imported is not None:
        sys.stdout.write(imported.content)
        return OK
    data = _exported(journal, run) | {"report": report_as_data(build_run_report(journal, stores.ledger, run))}
    sys.stdout.write(_render(data))
    return OK


def import_run(arguments: Sequence[str]) -> int:
    """What another machine has exported can be looked at here; the same file again changes nothing.

    Raises:
        UserError: it is no such file, it was changed since, or the run is one of this machine's own.
    """
    options = parser("run import", "take over what another machine has exported, to look at it")
    options.add_argument("file", metavar="FILE", help="what `bursar run export` has printed")
    path = Path(options.parse_args(arguments).file)
    text, data = _read(path)
    run, tasks, attempts, plans = _rows(path, data)
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    before = journal.imported(run.id)
    if before is not None and before.digest == data["digest"]:
        sys.stderr.write(f"run {run.id} was imported before; nothing changed\n")
        return OK
    imported = ImportedRun(
        run_id=run.id,
        digest=data["digest"],
        content=text,
        imported_at=SystemClock().now().isoformat(timespec="seconds"),
    )
    try:
        journal.import_run(imported, run, tasks, attempts, plans)
    except ValueError:
        raise UserError(
            f"run {run.id} is one of this machine's own; nothing changed", hint=f"bursar report {run.id}"
        ) from None
    finally:
        journal.close()
    sys.stderr.write(f"run {run.id} of {run.project} can be looked at: bursar report {run.id}\n")
    return OK


def tell_imported(imported: ImportedRun, *, as_json: bool) -> None:
    """The report of an imported run as it was when it was exported, on stdout."""
    report = json.loads(imported.content)["report"]
    if as_json:
        write_json(report | {"imported_at": imported.imported_at})
        return
    head, *tasks = _lines(report)
    sys.stdout.write("\n".join([f"{head} · imported {imported.imported_at[:16]}", *tasks]) + "\n")


def _lines(report: Mapping[str, Any]) -> list[str]:
    """The report in words; names in it are others' words, which cannot steer a terminal."""
    tasks = [
        f"  {task['number']}  {task['name']}  {task['state']}  {task['metered_tokens']:,} tokens"
        for task in report["tasks"]
    ]
    lines = [f"{report['plan']} · run {report['run']} · {report['state']}", *tasks]
    return [*map(plain, lines), f"metered {report['metered_tokens']:,} tokens on another machine"]


def _exported(journal: Journal, run: RunRow) -> dict[str, Any]:
    """Everything but the money. Nobody conducts what is exported."""
    return {
        "kind": _KIND,
        "format": FORMAT,
        "version": bursar.__version__,
        "run": asdict(replace(run, conductor=None)),
        "plans": [asdict(row) for row in journal.plans(run.id)],
        "tasks": [asdict(row) for row in journal.tasks(run.id)],
        "attempts": [asdict(row) for row in journal.attempts(run.id)],
    }


def _render(data: Mapping[str, Any]) -> str:
    return json.dumps({**data, "digest": _digest(data)}, indent=2, ensure_ascii=False) + "\n"


def _digest(data: Mapping[str, Any]) -> str:
    """Of all but itself: a file that was edited, or cut short, is not taken."""
    rest = {key: value for key, value in data.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The file's text, and what it says: an exported run, as it was exported.

    Raises:
        UserError: it cannot be read, or is not what was exported.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError(f"{path} is larger than {_LARGEST_BYTES // 2**20} MiB")
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise UserError(f"{path} is no exported run", hint="bursar run export RUN > run.json")
    if data.get("format") != FORMAT:
        raise UserError(f"{path} has format {data.get('format')}, and this bursar reads {FORMAT}")
    if data.get("digest") != _digest(data):
        raise UserError(f"{path} is not as it was exported: its digest does not fit its content")
    return text, data


def _rows(path: Path, data: Mapping[str, Any]) -> tuple[RunRow, list[TaskRow], list[AttemptRow], list[PlanRow]]:
    """The run's rows, all of them its own.

    Raises:
        UserError: a row is none, or belongs to another run.
    """
    try:
        run = msgspec.convert(data["run"], RunRow)
        tasks = msgspec.convert(data["tasks"], list[TaskRow])
        attempts = msgspec.convert(data["attempts"], list[AttemptRow])
        plans = msgspec.convert(data["plans"], list[PlanRow])
    except (KeyError, msgspec.ValidationError) as error:
        raise UserError(f"{path} is no exported run: {error}") from error
    known = {task.number for task in tasks}
    try:
        _lines(data["report"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no exported run: its report cannot be read") from error
    runs = {row.run_id for row in tasks} | {row.run_id for row in attempts} | {row.run_id for row in plans}
    if runs - {run.id} or any(attempt.task not in known for attempt in attempts):
        raise UserError(f"{path} is no exported run: its rows belong to different runs")
    if not _ID.fullmatch(run.id) or not run.plan_id.isprintable():
        raise UserError(f"{path} is no exported run: {run.id!a} is no id")
    is_over = run.state not in (RunState.RUNNING, RunState.CANCELLED)  # nobody conducts it, or cancels it, here
    state = run.state if is_over else RunState.INTERRUPTED
    return replace(run, conductor=None, state=state), tasks, attempts, plans
