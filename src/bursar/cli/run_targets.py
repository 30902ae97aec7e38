"""What `bursar run` is given: one plan, several, a roadmap, or a job list."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.run_jobs import is_job_list, open_job_list
from bursar.errors import UserError
from bursar.journal import RunRow
from bursar.run import PlanToRun, Selection, open_jobs, open_plan, open_program, reselect, select_phases, select_plans


def open_target(names: Sequence[str], phases: str | None, workspace: str | None) -> PlanToRun:
    """What these paths name, ready to be run.

    Raises:
        InvalidPlan: it has problems.
        UserError: there is no such file, it is a directory, or they are not all plans.
    """
    paths = [_path(name) for name in names]
    if workspace is not None and (len(paths) > 1 or is_roadmap(paths[0])):
        raise UserError("--workspace is for a job list", hint=f"bursar run {shlex.join(map(str, paths))}")
    if is_roadmap(paths[0]) and len(paths) == 1:
        return _open(select_phases(paths[0], phases), Path.cwd())
    if phases is not None:
        raise UserError("--phases is about a roadmap", hint=f"bursar run .planning/ROADMAP.md --phases {phases}")
    if len(paths) == 1:
        path = paths[0].resolve()
        return open_job_list(path, workspace) if is_job_list(path, workspace) else open_plan(path, Path.cwd())
    other = next((path for path in paths if is_roadmap(path) or path.suffix.lower() == ".json"), None)
    if other is not None:
        what = "a roadmap" if is_roadmap(other) else "a job list"
        raise UserError(f"{other} is {what}, which runs by itself", hint=f"bursar run {shlex.quote(str(other))}")
    return _open(select_plans(paths), Path.cwd())


def reopen(run: RunRow) -> PlanToRun:
    """What an earlier run was about, ready to go on.

    Raises:
        InvalidPlan, UserError: as `open_target`.
    """
    path, project = Path(run.plan_path), Path(run.project)
    if run.workspace is not None:
        return open_jobs(path, Path(run.workspace))
    return open_plan(path, project) if run.scope is None else _open(reselect(run.scope, path), project)


def is_roadmap(path: Path) -> bool:
    """Whether a file is a roadmap, by its name."""
    return "ROADMAP" in path.name.upper() and path.suffix.lower() == ".md"


def tell_left_out(selection: Selection) -> None:
    """What is not run this time, and what to do about it, on stderr."""
    for each in selection.left_out:
        sys.stderr.write(f"warning: {each}\n")
        if each.hint is not None:
            sys.stderr.write(f"  hint: {each.hint}\n")


def _open(selection: Selection, directory: Path) -> PlanToRun:
    """The plans to be run; none where all of it is done.

    Raises:
        UserError: nothing of it can be run, and not because all of it is done.
    """
    if not selection.choice.parts and selection.left_out:
        listed = "\n".join(f"  {each}" for each in selection.left_out)
        hint = next((each.hint for each in selection.left_out if each.hint), "bursar roadmap show")
        raise UserError(f"nothing can be run:\n{listed}", hint=hint)
    return open_program(selection, directory)


def _path(name: str) -> Path:
    """The path as it was given.

    Raises:
        UserError: there is no such file, or it is a directory.
    """
    path = Path(name)
    if path.is_dir():
        raise UserError(f"{path} is a directory, not a plan", hint=_instead_of(path))
    if not path.exists():
        raise UserError(f"there is no {'job list' if path.suffix.lower() == '.json' else _kind(path)} at {path}")
    return path


def _kind(path: Path) -> str:
    return "roadmap" if is_roadmap(path) else "plan"


def _instead_of(folder: Path) -> str:
    """What to run where a folder was given: its roadmap, the phase that it is the folder of, or a plan in it."""
    from bursar.plan import list_plans, phase_number

    for roadmap in (folder / "ROADMAP.md", folder / ".planning" / "ROADMAP.md"):
        if roadmap.is_file():
            return f"bursar run {shlex.quote(str(roadmap))}"
    above = folder.absolute().parent.parent / "ROADMAP.md"
    number = phase_number(folder.absolute().name)
    if number and above.is_file():
        shown = folder.parent.parent / "ROADMAP.md" if len(folder.parts) > 2 else above
        return f"bursar run {shlex.quote(str(shown))} --phases {number}"
    plans = list_plans(folder)
    if len(plans) > 1:
        return f"bursar run {' '.join(shlex.quote(str(plan)) for plan in plans[:8])}"
    return f"name one of its plans, for example {plans[0]}" if plans else "name a PLAN.md"
