"""Every wording at `Depends on`, in every form of the label."""

from __future__ import annotations

import pytest

from bursar.plan import Phase
from tests.unit.plan.roadmap_texts import messages, read

KNOWN = (*map(str, range(40)), "1.0", "1.5", "2.1", "12A")
LABELS = (
    "**Depends on**: {}",
    "**Depends on:** {}",
    "- **Depends on**: {}",
    "Depends on: {}",
    "**Depends On**: {}",
    "*Depends on*: {}",
)
WORDINGS = {
    "Nothing (first phase)": "",
    "Nothing": "",
    "None": "",
    "None (can run first)": "",
    "—": "",
    "Nothing (parallel with Phase 4)": "",
    "Phase 1": "1",
    "Phase 01, Phase 02": "1 2",
    "Phase 2, 3": "2 3",
    "Phases 37, 38, 39": "37 38 39",
    "Phases 12, 13, 14 (references all three surfaces)": "12 13 14",
    "Phases 1-3": "1 2 3",
    "Phases 1–4": "1 2 3 4",
    "Phases 0–5 complete": "0 1 2 3 4 5",
    "Phases 2-9 (all feature work)": "2 3 4 5 6 7 8 9",
    "Phases 3 and 4": "3 4",
    "Phase 1 and Phase 2": "1 2",
    "Phase 1 + Phase 2": "1 2",
    "Phase 1 & 2": "1 2",
    "Phase 2.1": "2.1",
    "Phase 2.1, Phase 3": "2.1 3",
    "Phase 12A": "12A",
    "Phase 6 (form binds to 6's API)": "6",
    "Phase 8 (needs accounting model from Phase 7), Phase 3": "8 3",
    "Phase 5 (roadmap-m1, shipped)": "5",
    "Phases 1.0, 1.5, 2 + 5 (App Group)": "1.0 1.5 2 5",
    "[Phase 4](#phase-4)": "4",
    "Phase 3: Ledger": "3",
    "phase 7": "7",
}


def text_with(label_line: str) -> str:
    known = "".join(f"### Phase {number}: Part {number}\n**Goal**: some of it\n\n" for number in KNOWN)
    return f"# Roadmap\n\n{known}### Phase 90: The last\n**Goal**: all of it\n{label_line}\n**Requirements**: END-01\n"


def last_phase(label_line: str) -> Phase:
    phase = read(text_with(label_line)).phase("90")
    assert phase is not None
    return phase


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(("value", "expected"), WORDINGS.items())
def test_every_wording_after_every_label(label: str, value: str, expected: str) -> None:
    phase = last_phase(label.format(value))
    assert list(phase.depends_on) == expected.split()
    assert phase.unknown_dependencies == ()
    assert phase.requirements == ("END-01",)


def test_a_range_says_which_decimals_it_leaves_out() -> None:
    said = messages(read(text_with("**Depends on**: Phases 2-9")))
    assert [line for line in said if "2.1" in line] == [
        "137: phase 90 depends on `Phases 2-9`: between 2 and 9 there is also phase 2.1, which is not waited for"
    ]
