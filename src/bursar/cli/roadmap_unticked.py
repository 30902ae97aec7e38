"""Phases that the roadmap has as still to be done, though a run would find all of their plans done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.roadmap_status import PLAN_FILE, folders_by_phase
from bursar.plan import Phase, Roadmap, is_halted, summary_path


def unticked_phases(roadmap: Roadmap) -> list[str]:
    """The numbers of such phases, in the roadmap's order."""
    folders = folders_by_phase(roadmap)
    return [phase.number for phase in roadmap.phases if phase.status.is_to_do and _is_done(phase, folders)]


def unticked_in_words(done: Sequence[str]) -> str:
    """A line that names them; there is one at least."""
    some = f"phase {done[0]} has" if len(done) == 1 else f"phases {', '.join(done)} have"
    it = "it" if len(done) == 1 else "them"
    return f"note: {some} a SUMMARY of every plan, so `bursar run` takes {it} for done; the roadmap does not say so\n"


def tell_unticked(roadmap: Roadmap) -> None:
    """Names such phases on stderr; says nothing where there is none."""
    if done := unticked_phases(roadmap):
        sys.stderr.write(unticked_in_words(done))


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
