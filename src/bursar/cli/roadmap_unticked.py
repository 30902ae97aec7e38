"""Phases that the roadmap has as still to be done, though a run would find all of their plans done."""

from __future__ import annotations

import sys
from pathlib import Path

from bursar.cli.roadmap_status import PLAN_FILE, folders_by_phase
from bursar.plan import Phase, PhaseStatus, Roadmap, is_halted, summary_path

_TO_DO = (PhaseStatus.PLANNED, PhaseStatus.IN_PROGRESS)


def tell_unticked(roadmap: Roadmap) -> None:
    """Names such phases on stderr; says nothing where there is none."""
    folders = folders_by_phase(roadmap)
    done = [phase.number for phase in roadmap.phases if phase.status in _TO_DO and _is_done(phase, folders)]
    if not done:
        return
    some = f"phase {done[0]} has" if len(done) == 1 else f"phases {', '.join(done)} have"
    sys.stderr.write(
        f"note: {some} a SUMMARY of every plan, so `bursar run` takes {'it' if len(done) == 1 else 'them'} for done;"
        " the roadmap does not say so\n"
    )


def _is_done(phase: Phase, folders: dict[str, Path]) -> bool:
    folder = folders.get(phase.number)
    if folder is None:
        return False
    plans = [path for path in folder.iterdir() if PLAN_FILE.fullmatch(path.name)]
    is_whole = len(plans) >= max(1, sum(1 for plan in phase.plans if plan.id))
    return is_whole and all(_has_summary(path) for path in plans)


def _has_summary(plan: Path) -> bool:
    summary = summary_path(plan)
    return summary.exists() and not is_halted(summary)
