"""What is next, from events alone: every answer of the dispatch is a plain list that one can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.graph import Graph, build_graph, plan_nodes
from bursar.journal import RunState
from bursar.plan import Plan, Task
from bursar.run.dispatch import Dispatch
from bursar.run.dispatch_events import (
    Adopted,
    Approve,
    AskPerson,
    Attended,
    Ended,
    Finish,
    Freed,
    Looked,
    Merged,
    Passed,
    Refused,
    Rerouted,
    Skip,
    Start,
    Started,
    StopAsked,
    Wait,
    Weighed,
)
from bursar.run.scheduler import Scheduler, Skipped


def task(number: str, *after: str, kind: str = "auto") -> Task:
    return Task(number=number, name=f"Task {number}", depends_on=after, type=kind)


def dispatch_of(*tasks: Task, slots: int = 2, gap: float = 0.0, done: tuple[str, ...] = ()) -> Dispatch:
    plan = Plan(path=Path("plan.md"), id="01-01", phase="01-a", number="01", tasks=tasks)
    graph = build_graph(plan_nodes(plan))
    assert isinstance(graph, Graph)
    return Dispatch(
        plan,
        Scheduler(graph, done=done),
        done,
        slots=slots,
        seconds_between_starts=gap,
        passes=lambda each: each.type == "checkpoint:human-verify",
    )


def test_slots_are_filled_one_start_at_a_time() -> None:
    dispatch = dispatch_of(task("1"), task("2"), task("3"))
    assert dispatch.take(Looked(0)) == [Start("1")]
    assert dispatch.take(Started("1", 0)) == [Start("2")]
    assert dispatch.take(Started("2", 0)) == [Wait(None)]
    assert dispatch.take(Looked(1)) == [Wait(None)]
    assert dispatch.take(Ended("1", "succeeded")) == []
    assert dispatch.take(Looked(2)) == [Start("3")]
    assert dispatch.take(Started("3", 2)) == [Wait(None)]
    dispatch.take(Ended("2", "succeeded"))
    dispatch.take(Ended("3", "succeeded"))
    assert dispatch.take(Looked(3)) == [Finish(RunState.SUCCEEDED)]


def test_who_is_refused_lets_others_pass_and_is_offered_again_when_an_attempt_has_ended() -> None:
    dispatch = dispatch_of(task("1"), task("2"))
    dispatch.take(Looked(0))
    assert dispatch.take(Refused("1", 0, denied=True)) == [Start("2")]
    assert dispatch.take(Started("2", 0)) == [Wait(None)]
    assert dispatch.take(Looked(1)) == [Wait(None)], "nothing has come back"
    dispatch.take(Ended("2", "succeeded"))
    assert dispatch.take(Looked(2)) == [Start("1")]
    assert dispatch.take(Refused("1", 2, denied=True)) == [Finish(RunState.STOPPED)]
    assert (dispatch.refused, dispatch.remaining()) == (("1",), ["1"])


def test_starts_keep_their_distance() -> None:
    dispatch = dispatch_of(task("1"), task("2"), gap=5)
    assert dispatch.take(Looked(10)) == [Start("1")]
    assert dispatch.take(Started("1", 10)) == [Wait(15)]
    assert dispatch.take(Looked(14.9)) == [Wait(15)]
    assert dispatch.take(Looked(15)) == [Start("2")]


def test_a_failure_skips_what_waits_for_it_and_an_interruption_does_not() -> None:
    tasks = task("1"), task("2", "1"), task("3", "2")
    dispatch = dispatch_of(*tasks)
    dispatch.take(Looked(0))
    dispatch.take(Started("1", 0))
    assert dispatch.take(Ended("1", "failed")) == [Skip(Skipped("2", "1")), Skip(Skipped("3", "2"))]
    assert dispatch.take(Looked(1)) == [Finish(RunState.FAILED)]
    dispatch = dispatch_of(*tasks)
    dispatch.take(Looked(0))
    dispatch.take(Started("1", 0))
    assert dispatch.take(Ended("1", "interrupted")) == []
    assert dispatch.take(Looked(1)) == [Finish(RunState.INTERRUPTED)]


def test_what_an_earlier_conductor_left_interrupted_is_done_again_and_what_failed_elsewhere() -> None:
    dispatch = dispatch_of(task("1"), task("2"), slots=3)
    assert dispatch.take(Adopted("1")) == []
    assert dispatch.take(Looked(0)) == [Start("2")]
    dispatch.take(Started("2", 0))
    dispatch.take(Ended("1", "interrupted"))
    dispatch.take(Rerouted("2"))
    assert dispatch.take(Looked(1)) == [Start("1")]
    assert dispatch.take(Started("1", 1)) == [Start("2")]
    dispatch.take(Started("2", 1))
    dispatch.take(Ended("1", "interrupted"))
    dispatch.take(Ended("2", "stopped"))
    assert dispatch.take(Looked(2)) == [Finish(RunState.STOPPED)], "not adopted any more: it is left to a resume"


def test_checkpoints_pass_or_wait_and_hold_up_nobody_else() -> None:
    verify, decide = task("1", kind="checkpoint:human-verify"), task("2", kind="checkpoint:decision")
    dispatch = dispatch_of(verify, decide, task("3", "1"), task("4", "2"))
    assert dispatch.take(Looked(0)) == [Approve("1"), AskPerson("2"), Start("3")]
    dispatch.take(Started("3", 0))
    dispatch.take(Ended("3", "succeeded"))
    assert dispatch.take(Looked(1)) == [Finish(RunState.INTERRUPTED)], "asked once, and it waits for a person"


@pytest.mark.parametrize("runs", [False, True])
def test_after_a_stop_nothing_starts(runs: bool) -> None:
    dispatch = dispatch_of(task("1"), task("2"))
    dispatch.take(Looked(0))
    if runs:
        dispatch.take(Started("1", 0))
    assert dispatch.take(StopAsked()) == []
    assert dispatch.take(Looked(1)) == [Wait(None) if runs else Finish(RunState.INTERRUPTED)]
    if runs:
        dispatch.take(Ended("1", "interrupted"))
        assert dispatch.take(Looked(2)) == [Finish(RunState.INTERRUPTED)]


def test_what_was_done_before_is_not_done_again() -> None:
    dispatch = dispatch_of(task("1"), task("2"), task("3", "1", "2"), done=("1",))
    dispatch.take(Merged("2"))
    assert dispatch.take(Looked(0)) == [Start("3")]


def test_what_is_to_come_first_is_offered_first_if_it_may_start() -> None:
    dispatch = dispatch_of(task("1"), task("2"), task("3"), task("4", "1"))
    assert dispatch.take(Weighed(first=("4", "3", "2"))) == []
    assert dispatch.take(Looked(0)) == [Start("3")]
    assert dispatch.take(Refused("3", 0, denied=True)) == [Start("2")]
    assert dispatch.take(Started("2", 0)) == [Start("1")]
    assert dispatch.take(Started("1", 0)) == [Wait(None)]
    dispatch.take(Ended("2", "failed"))
    dispatch.take(Weighed())
    assert dispatch.take(Looked(1)) == [Start("3")]


def test_lengths_that_become_known_say_who_heads_the_longest_chain() -> None:
    dispatch = dispatch_of(task("1"), task("2"), task("3"), task("4", "3"), slots=1)
    assert dispatch.take(Looked(0)) == [Start("3")]
    dispatch.take(Started("3", 0))
    dispatch.take(Weighed(lengths={"1": 1.0, "2": 9.0, "4": 5.0}))
    dispatch.take(Ended("3", "succeeded"))
    for at, number in enumerate(("2", "4", "1")):
        assert dispatch.take(Looked(at)) == [Start(number)]
        dispatch.take(Started(number, at))
        dispatch.take(Ended(number, "succeeded"))


def test_what_is_open_is_what_is_still_to_be_begun() -> None:
    dispatch = dispatch_of(task("1"), task("2", "1"), task("3"), task("4", kind="checkpoint:decision"))
    assert (dispatch.open_tasks(), dispatch.remaining(), dispatch.free_slots) == (["1", "2", "3"], ["1", "3"], 2)
    dispatch.take(Looked(0))
    dispatch.take(Started("1", 0))
    assert (dispatch.open_tasks(), dispatch.remaining(), dispatch.free_slots) == (["2", "3"], ["3"], 1)


def test_what_a_window_refuses_is_offered_again_at_its_time() -> None:
    dispatch = dispatch_of(task("1"), task("2"))
    assert dispatch.take(Looked(0)) == [Start("1")]
    assert dispatch.take(Refused("1", 0, denied=True, again_at=20)) == [Start("2")]
    assert dispatch.take(Refused("2", 0, denied=True, again_at=15)) == [Wait(15)]
    assert dispatch.take(Looked(14)) == [Wait(15)]
    assert dispatch.take(Looked(15)) == [Start("1")]
    assert dispatch.take(Started("1", 15)) == [Start("2")]
    assert dispatch.take(Refused("2", 15, denied=True)) == [Wait(None)]
    assert dispatch.take(Ended("1", "succeeded")) == []
    assert dispatch.take(Looked(16)) == [Start("2")]
    assert dispatch.take(Refused("2", 16, denied=True)) == [Finish(RunState.STOPPED)]


def test_waiting_for_a_window_can_be_called_off() -> None:
    dispatch = dispatch_of(task("1"))
    dispatch.take(Looked(0))
    assert dispatch.take(Refused("1", 0, denied=True, again_at=20)) == [Wait(20)]
    dispatch.take(StopAsked())
    assert dispatch.take(Looked(1)) == [Finish(RunState.INTERRUPTED)]


def test_what_its_provider_refuses_for_a_time_is_interrupted_and_not_stopped() -> None:
    dispatch = dispatch_of(task("1"))
    dispatch.take(Looked(0))
    assert dispatch.take(Refused("1", 0, denied=False)) == [Finish(RunState.INTERRUPTED)]


def test_what_was_refused_is_offered_again_once_it_is_freed() -> None:
    dispatch = dispatch_of(task("1"))
    assert dispatch.take(Looked(0)) == [Start("1")]
    assert dispatch.take(Refused("1", 0, denied=False)) == [Finish(RunState.INTERRUPTED)]
    assert dispatch.take(Looked(1)) == [Finish(RunState.INTERRUPTED)]
    assert dispatch.take(Freed()) == []
    assert dispatch.take(Looked(2)) == [Start("1")]


def test_a_run_with_somebody_there_waits_for_a_checkpoint() -> None:
    """And goes on when it is passed; when nobody is there any more, or nothing is to start, it ends."""
    dispatch = dispatch_of(task("1", kind="checkpoint:decision"), task("2", "1"))
    dispatch.take(Attended(True))
    assert dispatch.take(Looked(0)) == [AskPerson("1"), Wait(None)]
    assert dispatch.take(Looked(1)) == [Wait(None)]
    dispatch.take(Passed("1"))
    assert dispatch.take(Looked(2)) == [Start("2")]
    assert dispatch.take(Started("2", 2)) == [Wait(None)]
    dispatch.take(Ended("2", "succeeded"))
    assert dispatch.take(Looked(3)) == [Finish(RunState.SUCCEEDED)]


@pytest.mark.parametrize("event", [Attended(False), StopAsked()])
def test_a_run_that_is_left_alone_ends_at_a_checkpoint(event: Attended | StopAsked) -> None:
    dispatch = dispatch_of(task("1", kind="checkpoint:decision"), task("2", "1"))
    dispatch.take(Attended(True))
    dispatch.take(Looked(0))
    dispatch.take(event)
    assert dispatch.take(Looked(1)) == [Finish(RunState.INTERRUPTED)]
