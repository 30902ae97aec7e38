"""The lock that one conductor holds of what it runs: another one is turned away."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from bursar.errors import UserError
from bursar.journal import RunRow
from bursar.run.prepare import PlanToRun


class RunLock:
    """One conductor per plan: held until the process ends, by whatever means."""

    def __init__(self, state_dir: Path, opened: PlanToRun | RunRow) -> None:
        """Takes the lock of the plan that is to be run, or that a run is of; of several that of each, and that of what
        names them.

        Raises:
            UserError: another process conducts a run of this plan.
        """
        folder = state_dir / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._files: list[int] = []
        plans = () if isinstance(opened, RunRow) else (plan.path for plan in opened.plans)
        own = Path(opened.plan_path) if isinstance(opened, RunRow) else opened.plan.path
        for path in sorted({own, *plans}):
            name = folder / f"{_lock_name(opened, path)}.lock"
            self._files.append(os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            try:
                fcntl.flock(self._files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                self.release()
                workspace = opened.workspace if isinstance(opened, RunRow) else opened.origin.workspace
                what = "plan" if workspace is None else "job list"
                is_single = opened.scope is None and path == own
                which = f"this {what}" if is_single else str(path)
                raise UserError(f"{which} is being run by another process", hint="bursar status") from taken

    def release(self) -> None:
        """Others may conduct the plan again."""
        for file in self._files:
            os.close(file)
        self._files.clear()


def _lock_name(opened: PlanToRun | RunRow, path: Path) -> str:
    """A file name that stands for the plan at `path` in this repository, or for this job list in this workspace."""
    if isinstance(opened, RunRow):
        place = opened.workspace or opened.project
    else:
        place = str(opened.origin.workspace or opened.origin.project)
    return hashlib.sha256(f"{place}\0{path}".encode()).hexdigest()[:24]
