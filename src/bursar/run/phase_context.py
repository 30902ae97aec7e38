"""What a phase is expected to take, and how finished phases are summed up so that later ones take less.

Source: docs/decisions/0042-phases-side-by-side.md
"""

from __future__ import annotations

from collections.abc import Sequence

from bursar.estimation import estimate_phase_tokens
from bursar.plan import (
    ARCHIVE_NAME,
    Part,
    PhaseArchive,
    build_archive,
    phase_number,
    shrink_context,
)
from bursar.run.context import RunContext
from bursar.worktrees import advance, commit_paths, is_tracked, list_files, read_files

_BYTES_PER_TOKEN = 4  # of English text and code, as a rule of thumb


def estimate_phase(context: RunContext, number: str, tip: str) -> int:
    """Tokens that are held for a phase: the documented guess, and for each of its tasks what it is told to read.

    Files are counted as they are at `tip`; an archive stands for the phase that it sums up.
    """
    program, selection = context.program, context.selection
    if program is None or selection is None:
        return 0
    phase = selection.phases.get(number)
    guess = 0 if phase is None else estimate_phase_tokens(phase)
    return guess + sum(_read_tokens(context, part, tip) for part in program.parts if part.phase == number)


def archive_phases(context: RunContext, phases: Sequence[str], tip: str) -> str:
    """Those of the finished phases that can be summed up in an `ARCHIVE.json` are, by a commit; the tip with it."""
    for number in phases:
        folder = _folder_of(context, number)
        if folder is None:
            continue
        names = list_files(context.repository, tip, folder)
        if ARCHIVE_NAME in names:
            continue
        found = read_files(context.repository, tip, [f"{folder}/{name}" for name in names if name.endswith(".md")])
        name = folder.rpartition("/")[2]
        files = {path.rpartition("/")[2]: content for path, content in found.items()}
        archive = build_archive(name, phase_number(name) or number, files)
        if isinstance(archive, PhaseArchive):
            tip = _commit(context, f"{folder}/{ARCHIVE_NAME}", archive.render(), name, tip)
    return tip


def _commit(context: RunContext, path: str, text: str, phase: str, tip: str) -> str:
    message = f"docs({phase}): Sum up the phase\n\nBursar-Run: {context.run.id}\n"
    change = commit_paths(context.repository, tip, {path: text.encode()}, message)
    if change is None:
        return tip
    advance(context.repository, context.merged_ref, change.commit, tip)
    return change.commit


def _folder_of(context: RunContext, number: str) -> str | None:
    """Where the plans of a phase lie, from the root; None where git does not know them: agents do not see them then."""
    parts = () if context.program is None else context.program.parts
    plan = next((part.plan for part in parts if part.phase == number), None)
    if plan is None or not is_tracked(context.repository, plan.path):
        return None
    return context.name_in_repository(plan.path.parent)


def _read_tokens(context: RunContext, part: Part, tip: str) -> int:
    """What all agents of a plan are told to read first, in tokens."""

    def is_archived(folder: str) -> bool:
        return bool(read_files(context.repository, tip, [f"{folder}/{ARCHIVE_NAME}"]))

    paths = shrink_context(part.plan.context_paths, is_archived)
    size = sum(map(len, read_files(context.repository, tip, paths).values()))
    return size // _BYTES_PER_TOKEN * sum(1 for task in part.plan.tasks if not task.is_checkpoint)
