"""The index of any phase, against what its words mean."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.graph import PlanIndex, build_plan_index
from bursar.plan import PhaseFolder, Plan, PlanIdentity, PlanOnDisk, PlanStatus

SPELLINGS = ("03-{:02}", "{:02}", "{}", "03-{:02}-PLAN.md", "3-{}", "Plan {:02}")
ODD = st.one_of(
    st.sampled_from(["", "Phase 2", "02-01", "phase", "03-", "..", "PLAN", "\x00", "03-01-02-03", "03-09"]),
    st.text(max_size=6),
)


def references(number: int) -> st.SearchStrategy[str]:
    """Mostly to plans before the one of this number, so that few phases are circles."""
    numbers = st.one_of(*[st.integers(1, max(1, number - 1))] * 5, st.integers(1, 8))
    spelled = st.builds(lambda spelling, meant: spelling.format(meant), st.sampled_from(SPELLINGS), numbers)
    return st.one_of(spelled, spelled, ODD)


@st.composite
def folders(draw: st.DrawFn) -> PhaseFolder:
    """Up to eight plans with dependencies of every spelling, on each other and on what is not there."""
    plans = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        identity = PlanIdentity(
            id=f"03-{number:02}", phase="03-auth", number=f"{number:02}", phase_number="3", stem=f"03-{number:02}-PLAN"
        )
        path = Path(f"{identity.stem}.md")
        plan = Plan(
            path=path,
            id=identity.id,
            phase=identity.phase,
            number=identity.number,
            phase_number="3",
            tasks=(),
            depends_on=tuple(draw(st.lists(references(number), max_size=3))),
            wave=draw(st.one_of(st.none(), st.integers(0, 3))),
            files_modified=tuple(draw(st.lists(st.sampled_from(["a.py", "b.py", "src/", "*.py"]), max_size=2))),
        )
        status = draw(st.sampled_from(list(PlanStatus)))
        plans.append(PlanOnDisk(path=path, identity=identity, status=status, plan=plan))
    return PhaseFolder(path=Path(), phase="3", plans=tuple(plans))


@given(folders())
@settings(max_examples=150, deadline=None)
def test_what_is_runnable_waits_for_nothing_and_what_is_blocked_has_a_reason(folder: PhaseFolder) -> None:
    index = build_plan_index(folder)
    if not isinstance(index, PlanIndex):
        assert index
        assert all(problem.is_error and "→" in problem.message for problem in index)
        return
    status = {plan.key: plan.on_disk.status for plan in index.plans}
    before: dict[str, set[str]] = {}
    for key in index.graph.order:
        names = index.plan(key).depends_on
        before[key] = {name for direct in names for name in (direct, *before[direct])}
    for plan in index.plans:
        depends_on = set(plan.depends_on)
        assert plan.wave == 1 + max((index.plan(name).wave for name in depends_on), default=0)
        assert set(plan.blocked_by) == {name for name in before[plan.key] if status[name] is PlanStatus.HALTED}
        is_free = all(status[name] is PlanStatus.COMPLETED for name in depends_on) and not plan.unknown
        if plan.is_runnable:
            assert is_free
            assert not plan.blocked_by
        assert plan.is_runnable == (status[plan.key] is PlanStatus.PENDING and not plan.awaits)
        assert not any(index.plan(name).is_runnable for name in plan.waits_for if plan.is_runnable)
    assert sorted(key for keys in index.graph.waves() for key in keys) == sorted(status)
    unknown = sum(len(plan.unknown) for plan in index.plans)
    assert unknown == sum("which is no plan here" in problem.message for problem in index.warnings)
