"""The way into the merged work: who is verified, who is refused, and how often anything is run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from bursar.errors import UserError
from bursar.journal import AttemptRow, AttemptState
from bursar.plan import Task
from bursar.run.merge_queue import Candidate, Composed, MergeQueue, RedMerge, Refusal
from bursar.worktrees import Change, MergeConflict

RED = RedMerge("it breaks", "log")


@dataclass
class FakeGround:
    """Merged work as a text of task numbers; `is_green` judges such texts, `conflicts` are pairs that do not fit."""

    is_green: Callable[[str], bool]
    conflicts: frozenset[tuple[str, str]] = frozenset()
    broken: frozenset[str] = frozenset()
    tip: str = "base"
    rows: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    is_stopped: bool = False
    door: asyncio.Event = field(default_factory=asyncio.Event)

    async def compose(self, tip: str, candidate: Candidate) -> str | MergeConflict:
        number = candidate.task.number
        if any((before, number) in self.conflicts for before in tip):
            return MergeConflict((f"{number}.txt",))
        return tip + number

    def is_verified(self, candidate: Candidate) -> bool:
        return candidate.attempt.base_commit == self.tip

    async def passes(self, row: Sequence[Composed]) -> bool | None:
        await self.door.wait()
        self.rows.append(row[-1].commit)
        return None if self.is_stopped else self.is_green(row[-1].commit)

    async def judge(self, composed: Composed) -> RedMerge | bool:
        await self.door.wait()
        self.judged.append(composed.commit)
        if self.is_stopped:
            return False
        return self.is_green(composed.commit) or RED

    async def advance(self, composed: Composed) -> None:
        assert composed.commit.startswith(self.tip), "it was composed upon another tip"
        if composed.candidate.task.number in self.broken:
            raise UserError("the journal could not be written")
        self.tip = composed.commit


def attempt(number: str, base: str) -> AttemptRow:
    return AttemptRow(
        key=f"run/{number}/1", run_id="run", task=number, number=1, model="m", directory="", worktree="",
        base_commit=base, session_id="", state=AttemptState.PLANNED, started_at="", digest="",
    )  # fmt: skip


async def merge_all(ground: FakeGround, numbers: str, base: str = "old") -> dict[str, str | Refusal | Exception | None]:
    """All come at once; the door opens when all wait."""
    queue = MergeQueue(ground)

    async def merge(number: str) -> str | Refusal | Exception | None:
        try:
            task = Task(number=number, name=number)
            return await queue.merge(task, attempt(number, base), Change("c", ()))
        except UserError as error:
            return error

    waiting = {number: asyncio.create_task(merge(number)) for number in numbers}
    for _ in range(len(numbers) + 3):
        await asyncio.sleep(0)
    ground.door.set()
    return {number: await task for number, task in waiting.items()}


def run(ground: FakeGround, numbers: str, base: str = "old") -> dict[str, str | Refusal | Exception | None]:
    return asyncio.run(merge_all(ground, numbers, base))


def test_the_first_is_alone_and_those_that_wait_meanwhile_are_verified_once() -> None:
    ground = FakeGround(lambda merged: True)
    assert run(ground, "1234567") == {number: "base" + "1234567"[: int(number)] for number in "1234567"}
    assert ground.judged + ground.rows == ["base1", "base1234567"]


def test_what_begins_from_the_tip_is_not_verified_again() -> None:
    ground = FakeGround(lambda merged: False)
    assert run(ground, "1", base="base") == {"1": "base1"}
    assert ground.judged == ground.rows == []


@pytest.mark.parametrize("breaker", "123456789")
def test_the_one_that_breaks_it_is_found_and_all_others_are_merged(breaker: str) -> None:
    ground = FakeGround(lambda merged: breaker not in merged)
    answers = run(ground, "123456789")
    assert answers[breaker] == RED
    assert ground.tip == "base" + "123456789".replace(breaker, "")
    assert len(ground.rows) + len(ground.judged) <= 9


def test_two_that_do_not_go_together_lose_the_later() -> None:
    ground = FakeGround(lambda merged: not {"2", "5"} <= set(merged))
    answers = run(ground, "123456")
    assert [number for number, answer in answers.items() if answer == RED] == ["5"]


def test_a_conflict_with_one_that_is_refused_is_none() -> None:
    """4 conflicts with 3 alone, and 3 is red: so 4 is merged."""
    ground = FakeGround(lambda merged: "3" not in merged, conflicts=frozenset({("3", "4")}))
    answers = run(ground, "1234")
    assert (answers["3"], ground.tip) == (RED, "base124")


def test_a_conflict_with_merged_work_is_said() -> None:
    ground = FakeGround(lambda merged: True, conflicts=frozenset({("1", "3")}))
    answers = run(ground, "123")
    assert (answers["3"], ground.tip) == (MergeConflict(("3.txt",)), "base12")


def test_an_error_reaches_whoever_brought_the_work_and_nobody_else() -> None:
    ground = FakeGround(lambda merged: True, broken=frozenset("3"))
    answers = run(ground, "12345")
    assert isinstance(answers["3"], UserError)
    assert ground.tip == "base1245"


def test_a_stop_settles_all_without_an_answer() -> None:
    ground = FakeGround(lambda merged: True, is_stopped=True)
    assert run(ground, "1234") == dict.fromkeys("1234")
    assert ground.tip == "base"


@pytest.mark.parametrize("seed", range(200))
def test_any_mixture_ends_green_with_every_refusal_deserved(seed: int) -> None:
    """Whatever the order: what was merged is green, and each that was refused breaks what is merged by the end or broke
    a part of it."""
    chance = random.Random(seed)
    numbers = "".join(chance.sample("123456789XYZ", chance.randint(2, 12)))
    bad = set(chance.sample(numbers, chance.randint(0, min(3, len(numbers)))))
    pairs = [set(chance.sample(numbers, 2)) for _ in range(chance.randint(0, 3))]
    conflicts = frozenset((chance.choice(numbers), chance.choice(numbers)) for _ in range(chance.randint(0, 3)))
    conflicts = frozenset(pair for pair in conflicts if pair[0] != pair[1])

    def is_green(merged: str) -> bool:
        return not (bad & set(merged)) and not any(pair <= set(merged) for pair in pairs)

    ground = FakeGround(is_green, conflicts=conflicts)
    answers = run(ground, numbers)
    merged = ground.tip.removeprefix("base")
    assert is_green(merged), (seed, merged)
    assert sorted(merged) == sorted(number for number, answer in answers.items() if isinstance(answer, str))
    for number, answer in answers.items():
        if answer == RED:
            assert not is_green(merged + number), (seed, number)
        elif isinstance(answer, MergeConflict):
            assert any((before, number) in conflicts for before in merged), (seed, number)
