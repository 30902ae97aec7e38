"""Every wording at `Depends on`, in every form of the label."""

from __future__ import annotations

import pytest

from bursar.plan import Phase, Roadmap
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


FEW = {str(number): f"Part {number}" for number in range(1, 12)}
FEW |= {"3": "Login", "4": "Billing and Tax", "3.1": "x", "3.2": "y", "12A": "z", "PROJ-42": "p", "PROJ-43": "q"}
CLEAR = {
    "Phase 6 (independent of Phases 7-8)": "6",
    "Phase 4 (can run parallel to Phase 5)": "4",
    "Nothing (parallel to Phase 1-2)": "",
    "Nothing (Phase 10 shipped; see its notes)": "",
    "nada. Independente do quadro; pode correr em paralelo com 2-3.": "",
    "Phase 9 (done). Can run in parallel with any other phase.": "9",
    "Phase 7, com testes que crescem desde a 3.": "7",
    "Phases 01-03": "1 2 3",
    "Phases 5, 6, and 7": "5 6 7",
    "Phases 5, 6, 7 (all prior phases)": "5 6 7",
    "Phase 1 (a) e Phase 10 (b)": "1 10",
    "All previous phases": "1 2 3 3.1 3.2 4 5 6 7 8 9 10 11 12A",
    "every earlier phase": "1 2 3 3.1 3.2 4 5 6 7 8 9 10 11 12A",
    "All previous phases except Phases 2 and 3": "1 3.1 3.2 4 5 6 7 8 9 10 11 12A",
    "The previous phase": "12A",
    "All checking phases (5-7)": "5 6 7",
    "Nothing (first phase) **Requirements**: INFRA-01": "",
    "无": "",
    "Phase 1 完成（基础，见 Phase 2）": "1",
    "Phase 1完成": "1",
    "阶段2和阶段3": "2 3",
    "Fases 5 a 7": "5 6 7",
    "Fase 5 e fase 7": "5 7",
    "Alle früheren Phasen (3, 5)": "3 5",
    "All previous phases (Phase 3 above all)": "1 2 3 3.1 3.2 4 5 6 7 8 9 10 11 12A",
    "Phasen 5 bis 7": "5 6 7",
    "Nothing new, but it must be complete before Phase 8": "",
    "Phase 3 completion ✅, Phase 5 in part ✅": "3 5",
    "1, 2": "1 2",
    "#3 and #4": "3 4",
    "03-login": "3",
    "3": "3",
    "Login": "3",
    "Phase Login": "3",
    "Billing and Tax": "4",
    "Login and Billing and Tax": "3",
    "n/a": "",
    "No dependencies": "",
    "None: it can start at once": "",
    "Independent": "",
    "Independent of Phase 3; after Phase 2": "2",
    "Runs in parallel with Phase 4 after Phase 1": "1",
    "Must not start before Phase 3": "3",
    "Nothing beyond Phase 4": "4",
    "Phases 5-8 except 7": "5 6 8",
    "Phase 3: Login, Phase 4: Billing and Tax": "3 4",
    "Phase 5 → Phase 6 → 7": "5 6 7",
    "Phase PROJ-42 and PROJ-43": "PROJ-42 PROJ-43",
    "PROJ-42, PROJ-43": "PROJ-42 PROJ-43",
    "Phases 3.1-3.2": "3.1 3.2",
    "Phases 1–2, 5–6": "1 2 5 6",
    "phases 5 through 7": "5 6 7",
    "Completion of phases 5 to 7": "5 6 7",
    "Phase 12a": "12A",
    "Phase 1/2": "1 2",
    "Phase 1; Phase 2": "1 2",
    "**Phase 1**, `Phase 2`": "1 2",
    "[Phase 1: Part](#phase-1-part) and [Phase 2](x.md)": "1 2",
    "Phase 1 (see [Phase 2](#2))": "1",
    "Phase 1 (never closed, Phase 2": "1",
    "Phase 1.": "1",
    "Phase 1 with 3 tests, 2 weeks": "1",
    "Phase 2 and 3 plans": "2",
    "Phase 2: 3 endpoints": "2",
    "Phase 4 blocks Phase 5": "4",
    "Phase 5's API and phase 6's data": "5 6",
    "v2 ready, Phase 5": "5",
    "Phase 2, Phase 2": "2",
}
UNCLEAR = {
    "Phase 8-01": ("8", "`8-01` is taken for a plan of phase 8"),
    "01-02": ("1", "`01-02` is taken for a plan of phase 1"),
    "Plan 01-02": ("1", "`01-02` is taken for a plan of phase 1"),
    "Phase 2-5": ("2 3 4 5", "between 2 and 5 there is also phase 3.1, 3.2, which is not waited for"),
    "All phases": ("1 2 3 3.1 3.2 4 5 6 7 8 9 10 11 12A", "it is read as all earlier phases"),
    "Phase 2 (optional, for files)": ("2", "it may be optional; it is waited for all the same"),
    "Phase 2, ideally": ("2", "it may be optional; it is waited for all the same"),
    "Phase 1 or 2 (either)": ("1 2", "one of several phases would do; all of them are waited for"),
    "Phases 7-5": ("7 5", "`7-5` is no range; both ends are waited for"),
    "Phase 1 — it extends what Phase 2 left": ("1", "phase 2 is only mentioned further on; it is not waited for"),
    "v1.0 complete": ("", "it names no phase; nothing is waited for"),
    "Previous milestone complete": ("", "it names no phase; nothing is waited for"),
    "Stage 2": ("", "it names no phase; nothing is waited for"),
    "TBD": ("", "it is not yet said what this waits for; nothing is waited for"),
}


def few(value: str) -> Roadmap:
    known = "".join(f"### Phase {number}: {name}\n" for number, name in FEW.items())
    return read(f"{known}### Phase 90: The last\n**Depends on**: {value}\n\n**Goal**: g\n")


@pytest.mark.parametrize(("value", "expected"), CLEAR.items())
def test_wordings_that_are_clear(value: str, expected: str) -> None:
    roadmap = few(value)
    phase = roadmap.phase("90")
    assert phase is not None
    assert list(phase.depends_on) == expected.split()
    assert roadmap.warnings == ()


@pytest.mark.parametrize(("value", "expected"), UNCLEAR.items())
def test_wordings_that_are_unclear_are_read_and_said(value: str, expected: tuple[str, str]) -> None:
    roadmap = few(value)
    phase = roadmap.phase("90")
    assert phase is not None
    assert list(phase.depends_on) == expected[0].split()
    assert [(problem.message.split("`: ", 1)[1], problem.position.column) for problem in roadmap.warnings] == [
        (expected[1], 17)
    ]
    assert not roadmap.warnings[0].is_error


@pytest.mark.parametrize(
    ("value", "unknown", "hint"),
    [
        ("Phase 13", "13", "did you mean phase 12A?"),
        ("Phase 3.3", "3.3", "did you mean phase 3.2?"),
        ("Phase 60", "60", "did you mean phase 12A?"),
        ("Phase 0", "0", "it may be of an earlier milestone; here phase 1 is nearest"),
        ("Phase PROJ-44", "PROJ-44", "did you mean phase PROJ-43?"),
    ],
)
def test_a_phase_that_is_not_there_is_named_with_the_nearest(value: str, unknown: str, hint: str) -> None:
    roadmap = few(value)
    phase = roadmap.phase("90")
    assert phase is not None
    assert (phase.depends_on, phase.unknown_dependencies) == ((), (unknown,))
    assert [(problem.message, problem.hint) for problem in roadmap.warnings] == [
        (f"phase 90 depends on phase {unknown}, which is no phase of this roadmap", hint)
    ]


def test_a_phase_may_name_itself_and_a_range_may_not_mean_it() -> None:
    roadmap = read("### Phase 1: x\n**Depends on**: Phase 1\n### Phase 2: y\n**Depends on**: Phases 1-2\n")
    assert [phase.depends_on for phase in roadmap.phases] == [("1",), ("1",)]


@pytest.mark.parametrize(
    "field",
    [
        "**Depends on**: Phase 1,\nPhase 2\n",
        "**Depends on**:\n- Phase 1\n- Phase 2 (for the API)\n",
        "**Depende de:** Phase 1, Phase 2\n",
        "**Dependencies:** Phase 1, Phase 2\n",
        "- **Dependencies**: Phase 1, Phase 2\n",
        "**依赖**：Phase 1、Phase 2\n",
        "__Depends on__: Phase 1, Phase 2\n",
        "**Depends on** Phase 1, Phase 2\n",
        "Depends on Phase 1 and Phase 2.\n",
        "#### Dependencies\n\n- Phase 1\n- Phase 2\n",
        "**Prerequisites**: Phase 1, Phase 2\n",
        "**Blocked by**: Phase 9\n\n**Depends on**: Phase 1, Phase 2\n",
        "**Depends on**: Phase 1, Phase 2\n- Phase 3 is for later\n",
        "**Depends on**: Phase 1, Phase 2\nRequirements: A-03\n",
        "**Goal**: g **Depends on**: Phase 1, Phase 2 **Plans**: 3 plans\n",
    ],
)
def test_labels(field: str) -> None:
    known = "".join(f"### Phase {number}: x\n" for number in range(1, 10))
    assert read(f"{known}### Phase 10: y\n{field}").phases[-1].depends_on == ("1", "2")


@pytest.mark.parametrize("text", ["Phase 1 " * 1000, "Phases " + "1-9, " * 300, "Phases " + "1, " * 400])
def test_a_text_that_goes_on_and_on_is_cut_and_said(text: str) -> None:
    roadmap = few(text)
    phase = roadmap.phase("90")
    assert phase is not None
    assert phase.depends_on[0] == "1"
    assert any("the rest is not read" in problem.message for problem in roadmap.warnings)
