"""`.planning/async-jobs/bursar-RUN-PLAN.json`: GSD starts no executor for a plan that has such a manifest.

The form is GSD's own, version 1.0. While a run is on its status is `running`; when it can be resumed `submitted`, which
to GSD means: not done yet, nobody else's to do. It is removed when the plan is done, as then its SUMMARY is there,
and when the run is cancelled, as then the plan is free. What a killed conductor has left is known by its process
identity: the next run of the plan takes its place. None of its commands is ever run by bursar.

Source: GSD's reference of planning artefacts, `.planning/async-jobs/<job>.json`; docs/decisions/0044-checkpoints.md
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bursar.errors import UserError
from bursar.journal import RunState
from bursar.plan import Plan, summary_path
from bursar.processes import identify, is_alive
from bursar.run.context import RunContext
from bursar.worktrees import leave_out

_BACKEND = "bursar"
_PREFIX = "bursar-"
_FOLDER = "async-jobs"
_STATUS = {
    RunState.RUNNING: "running",
    RunState.FAILED: "failed",
    RunState.STOPPED: "submitted",
    RunState.INTERRUPTED: "submitted",
}
_OVER = frozenset({RunState.SUCCEEDED, RunState.CANCELLED})


def check_no_other_job(plan: Plan) -> None:
    """No job of another program is at work on the plan.

    Raises:
        UserError: one is, or a manifest that names the plan cannot be understood: doing it twice would cost twice.
    """
    for path, manifest in _manifests(plan):
        if manifest is None:
            raise UserError(
                f"{path} names plan {plan.id} and cannot be read: another program may be at work on it",
                hint=f"look at it, then: rm {shlex.quote(str(path))}",
            )
        if not _is_ours(path, manifest):
            backend, status = (str(manifest.get(key) or "unknown")[:60] for key in ("backend", "status"))
            raise UserError(
                f"plan {plan.id} is in the hands of another program: {path} says {status!r} (backend {backend!r})",
                hint=f"when that is over: rm {shlex.quote(str(path))}",
            )


def forget_jobs(plan_path: Path, run_id: str) -> None:
    """The run, which nobody conducts, has no manifest any more; one that cannot be removed stays."""
    folder = _planning_of(plan_path)
    for path in (folder / _FOLDER).glob(f"{_PREFIX}{run_id}-*.json") if folder is not None else ():
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()  # as it was, where nothing else is in it


class GsdJobs:
    """The manifests of one run, one for each plan. That one cannot be written stops no run: others are to read it."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        program = context.program
        self._plans = (context.plan,) if program is None else tuple(part.plan for part in program.parts)

    def begin(self) -> None:
        """GSD sees that the plans are being run; manifests of their earlier runs, which nobody conducts, are gone."""
        for plan, path in self._paths():
            with suppress(OSError, ValueError):
                if self._context.checkout is not None:
                    place = path.parent.relative_to(self._context.checkout.root)
                    with suppress(OSError):  # then git lists it, as nothing of ours tells it not to
                        leave_out(self._context.checkout, f"/{place}/{_PREFIX}*.json")
                for other, manifest in _manifests(plan):
                    if manifest is not None and _is_ours(other, manifest) and not _is_conducted(manifest):
                        other.unlink(missing_ok=True)
                self._write(plan, path, RunState.RUNNING)

    def end(self, state: RunState) -> None:
        """A plan's manifest is gone, or says that the plan is not done and how it is gone on with."""
        for plan, path in self._paths():
            with suppress(OSError):
                if state not in _OVER and not summary_path(plan.path).exists():
                    self._write(plan, path, state)
                    continue
                path.unlink(missing_ok=True)
                path.parent.rmdir()  # as it was, where nothing else is in it

    def _paths(self) -> Iterator[tuple[Plan, Path]]:
        """Of the plans that lie in a `.planning` and are done in the checkout."""
        for plan in self._plans if self._context.checkout is not None else ():
            if (folder := _planning_of(plan.path)) is not None:
                name = f"{_PREFIX}{self._context.run.id}-{plan.id}.json"
                yield plan, folder / _FOLDER / name

    def _write(self, plan: Plan, path: Path, state: RunState) -> None:
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(json.dumps(self._manifest(plan, state), indent=2) + "\n", encoding="ascii")
        os.replace(draft, path)

    def _manifest(self, plan: Plan, state: RunState) -> dict[str, Any]:
        run, phase = self._context.run, plan.phase_number or plan.phase
        resume = f"bursar resume {run.id}"
        has_failed = state is RunState.FAILED
        return {
            "version": "1.0",
            "job_id": run.id,
            "plan_id": plan.id,
            "phase": phase,
            "backend": _BACKEND,
            "submit_command": f"bursar run {shlex.quote(run.plan_path)}",
            "status": _STATUS[state],
            "expected_artifacts": [],
            "verification_command": f"bursar report {run.id}",
            "resume_command": f"/gsd:execute-phase {phase}",
            "submitted_at": run.started_at,
            "terminal_details": {"reason": "a task failed", "go_on_with": resume} if has_failed else None,
            "bursar": {"state": state.value, "conductor": _conductor(state), "go_on_with": resume},
        }


def _conductor(state: RunState) -> str | None:
    return identify(os.getpid()) if state is RunState.RUNNING else None


def _is_conducted(manifest: dict[str, Any]) -> bool:
    own = manifest.get("bursar")
    conductor = own.get("conductor") if isinstance(own, dict) else None
    return isinstance(conductor, str) and is_alive(conductor)


def _is_ours(path: Path, manifest: dict[str, Any]) -> bool:
    return manifest.get("backend") == _BACKEND and path.name.startswith(_PREFIX)


def _manifests(plan: Plan) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Those that name the plan; None for one that does so and is no JSON object."""
    folder = _planning_of(plan.path)
    for path in sorted((folder / _FOLDER).glob("*.json")) if folder is not None else ():
        try:
            data = path.read_bytes()
        except OSError:
            continue
        try:
            manifest = json.loads(data)
        except (ValueError, RecursionError):
            manifest = None
        if isinstance(manifest, dict):
            if manifest.get("plan_id") == plan.id:
                yield path, manifest
        elif json.dumps(plan.id).encode() in data:
            yield path, None


def _planning_of(path: Path) -> Path | None:
    """The `.planning` that the plan lies in; None where it lies elsewhere."""
    return next((folder for folder in path.parents if folder.name == ".planning"), None)
