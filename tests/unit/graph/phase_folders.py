"""Phase folders on disk, written by a line each."""

from __future__ import annotations

from pathlib import Path

PLAN = """\
---
phase: {phase}
plan: {number}
{front}---

<objective>Part {number}.</objective>

<tasks>
<task type="auto">
  <name>Task 1: Part {number}</name>
  <files>{files}</files>
  <action>Write it.</action>
  <verify>Look at it.</verify>
  <done>It is there.</done>
</task>
</tasks>
"""


def write_plan(folder: Path, number: str, *, files: str = "None", summary: str | None = None, **front: str) -> Path:
    """A plan of the phase whose folder this is; a summary makes it done."""
    folder.mkdir(parents=True, exist_ok=True)
    phase = folder.name.partition("-")[0]
    path = folder / f"{phase}-{number}-PLAN.md"
    keys = "".join(f"{key}: {value}\n" for key, value in front.items())
    path.write_text(PLAN.format(phase=folder.name, number=number, front=keys, files=files))
    if summary is not None:
        (folder / f"{phase}-{number}-SUMMARY.md").write_text(summary)
    return path


HALTED = "---\nphase: 03\nstatus: halted\n---\n\nThe answer is no.\n"
DONE = "---\nphase: 03\nstatus: complete\n---\n\nDone.\n"
