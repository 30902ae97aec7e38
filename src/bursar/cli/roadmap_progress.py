"""How far a roadmap is by what runs have done, beside what its author has ticked: SUMMARYs, and its newest run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bursar.cli.phase_states import read_phases, state_of
from bursar.cli.roadmap_unticked import unticked_in_words, unticked_phases
from bursar.cli.status import here, read_runs
from bursar.errors import BursarError
from bursar.plan import Phase, PhaseStatus, Roadmap

_GOES_ON = ("running", "interrupted", "stopped", "failed")  # what others have merged is in the checkout, or given up
_MOST_RUNS = 200
_THERE = {
    "failed": "has failed there",
    "stopped": "was stopped there",
    "interrupted": "was interrupted there",
    "waiting": "waits for a person there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A roadmap as it stands.

    Attributes:
        roadmap: with the phases complete, or begun, that runs have done or begun.
        done: phases that are done although the roadmap does not say so, by their SUMMARYs.
        run_id, run_state: of the newest run of this roadmap, where it can be gone on with; empty where there is none.
        states: of that run's phases (see `phase_states.STATES`), by number.
    """

    roadmap: Roadmap
    done: Sequence[str] = ()
    run_id: str = ""
    run_state: str = ""
    states: Mapping[str, str]

    def works_on(self, phase: Phase) -> bool:
        """Whether the run works on it just now."""
        return self.run_state == "running" and self.states.get(phase.number) == "active"

    def as_data(self) -> dict[str, Any]:
        """For JSON: `runs`, and nothing where runs have nothing to add."""
        if not self.done and not self.run_id:
            return {}
        merged = [phase.number for phase in self.roadmap.phases if self.states.get(phase.number) == "completed"]
        run = {"id": self.run_id, "state": self.run_state, "phases": dict(self.states)} if self.run_id else None
        taken = [phase.number for phase in self.roadmap.phases if phase.number in (*self.done, *merged)]
        return {"runs": {"taken_for_done": taken, "newest": run}}


def read_progress(roadmap: Roadmap) -> Progress:
    """How far the roadmap is; what its author has dropped, put off or ticked stays so."""
    done = unticked_phases(roadmap)
    run, states = _newest_run(roadmap)
    phases = tuple(_as_left(phase, done, states.get(phase.number, "")) for phase in roadmap.phases)
    return Progress(
        roadmap=replace(roadmap, phases=phases),
        done=done,
        run_id=run.get("id", ""),
        run_state=run.get("state", ""),
        states={phase.number: states[phase.number] for phase in roadmap.phases if phase.number in states},
    )


def tell_progress(progress: Progress) -> None:
    """What the roadmap does not say is said on stderr; nothing where it says it all."""
    if progress.done:
        sys.stderr.write(unticked_in_words(progress.done))
    if not progress.run_id:
        return
    said = [(number, state) for number, state in progress.states.items() if number not in progress.done]
    parts = [
        _counted([number for number, state in said if state == "completed"], "is merged there", "are merged there")
    ]
    if progress.run_state == "running":
        parts.append(_counted([number for number, state in said if state == "active"], "is worked on", "are worked on"))
    parts += [f"phase {number} {_THERE[state]}" for number, state in said if state in _THERE]
    words = "; ".join(part for part in parts if part)
    if words:
        how = f"bursar parallel status {progress.run_id}"
        sys.stderr.write(f"note: run {progress.run_id} ({progress.run_state}): {words} → {how}\n")


def _counted(numbers: Sequence[str], one: str, more: str) -> str:
    if not numbers:
        return ""
    return f"phase {numbers[0]} {one}" if len(numbers) == 1 else f"phases {', '.join(numbers)} {more}"


def _as_left(phase: Phase, done: Sequence[str], state: str) -> Phase:
    if not phase.status.is_to_do:
        return phase
    if phase.number in done or state == "completed":
        return replace(phase, status=PhaseStatus.COMPLETE)
    return replace(phase, status=PhaseStatus.IN_PROGRESS) if state == "active" else phase


def _newest_run(roadmap: Roadmap) -> tuple[dict[str, Any], dict[str, str]]:
    """The newest run of the roadmap and the states of its phases; nothing where that one is at its end."""
    own = os.path.realpath(roadmap.path)
    for run in _read_runs():
        if os.path.realpath(run["plan_path"]) != own or run.get("imported"):
            continue
        if run["state"] not in _GOES_ON:
            break
        is_conducted = run["state"] == "running"
        return run, {each["phase"]: state_of(each, is_conducted=is_conducted) for each in read_phases(run["id"])}
    return {}, {}


def _read_runs() -> list[dict[str, Any]]:
    """The newest runs of the project; none where they cannot be read, which is said."""
    try:
        return read_runs(here(), _MOST_RUNS)
    except BursarError as error:
        sys.stderr.write(f"warning: what runs have done is not known: {error.message}\n")
        return []
