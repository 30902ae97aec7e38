"""What every executor must do: this machine's, with real supervisors, and the simulated one."""

from __future__ import annotations

import asyncio
import os
import random
import select
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from bursar.budget import Amount
from bursar.clock import SystemClock
from bursar.errors import SetupError
from bursar.journal import AttemptRow, AttemptState
from bursar.ledger import Ledger, Reservation, ReserveRequest, State, open_ledger
from bursar.run import AttemptExecutor, Standing
from bursar.run.local_executor import LocalExecutor
from bursar.supervision import AttemptSpec, Ending
from bursar.testing.simulated_agents import write_script
from bursar.testing.simulated_executor import SimulatedExecutor
from bursar.testing.simulated_faults import Faults
from bursar.testing.simulated_machine import Machine
from bursar.testing.virtual_time import VirtualLoop
from tests.integration.supervised import PATIENCE, make_spec

HELD = 100_000


class Site(Protocol):
    """One executor's surroundings. `spec`: of an agent that ends by itself, or of one that works on and on."""

    def executor(self) -> AttemptExecutor: ...

    def spec(self, number: int, *, lasting: bool = False) -> AttemptSpec: ...

    async def wait_until_begun(self, number: int) -> None: ...

    def begun(self, number: int) -> int: ...

    def held(self, number: int) -> Reservation: ...

    def run(self, work: Awaitable[None]) -> None: ...


def reserve(ledger: Ledger, key: str) -> None:
    labels = {"run": "r", "task": key.split("/")[1]}
    ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(HELD, HELD * 5)))


class LocalSite:
    """Real supervisors and a fake agent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        os.mkfifo(folder / "told")
        self._fifo = os.open(folder / "told", os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._fifo)

    def executor(self) -> AttemptExecutor:
        return LocalExecutor(self._folder / "spawner.log")

    def spec(self, number: int, *, lasting: bool = False) -> AttemptSpec:
        directory = self._folder / f"{number}"
        (directory / "tree").mkdir(parents=True, exist_ok=True)
        ledger = open_ledger(self._folder / "ledger.db", SystemClock())
        reserve(ledger, f"r/{number}/1")
        ledger.close()
        steps = ("init", "call", "m1", "100", "20", "tell", "begun", *(("wait",) if lasting else ("result",)))
        return make_spec(
            directory,
            *steps,
            key=f"r/{number}/1",
            ledger=str(self._folder / "ledger.db"),
            environment={"PATH": os.environ["PATH"], "TELL": str(self._folder / "told")},
        )

    async def wait_until_begun(self, number: int) -> None:
        ready, _, _ = await asyncio.to_thread(select.select, [self._fifo], [], [], PATIENCE)
        assert ready

    def begun(self, number: int) -> int:
        stream = self._folder / f"{number}" / "stream.jsonl"
        return stream.read_text().count('"init"') if stream.exists() else 0

    def held(self, number: int) -> Reservation:
        ledger = open_ledger(self._folder / "ledger.db", SystemClock())
        found = ledger.reservation(f"r/{number}/1")
        ledger.close()
        assert found is not None
        return found

    def run(self, work: Awaitable[None]) -> None:
        async def main() -> None:
            await work

        asyncio.run(main())


class SimulatedSite:
    """A machine in memory whose agents behave."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._machine = Machine(7, scale=100)
        self._machine.is_tame = True
        self._names: dict[int, str] = {}

    def close(self) -> None:
        pass

    def executor(self) -> AttemptExecutor:
        return SimulatedExecutor(self._machine, Faults(), random.Random(7))

    def spec(self, number: int, *, lasting: bool = False) -> AttemptSpec:
        key = f"r/{number}/1"
        script = write_script(key, 7, is_tame=True, scale=100)
        assert not lasting or sum(moment.seconds for moment in script.moments) > 5, "another number would do"
        reserve(self._machine.ledger, key)
        return make_spec(self._folder, key=key, limit_seconds=None)

    async def wait_until_begun(self, number: int) -> None:
        await asyncio.sleep(4)

    def begun(self, number: int) -> int:
        return int(f"r/{number}/1" in self._machine.truths)

    def held(self, number: int) -> Reservation:
        found = self._machine.ledger.reservation(f"r/{number}/1")
        assert found is not None
        return found

    def run(self, work: Awaitable[None]) -> None:
        loop = VirtualLoop(self._machine.timeline)
        try:
            loop.run_until_complete(work)
        finally:
            loop.close()


SITES: dict[str, Callable[[Path], LocalSite | SimulatedSite]] = {"local": LocalSite, "simulated": SimulatedSite}
LASTING = 2


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalSite | SimulatedSite]:
    made = SITES[request.param](tmp_path)
    yield made
    made.close()


def row_of(spec: AttemptSpec) -> AttemptRow:
    run, task, number = spec.key.split("/")
    return AttemptRow(
        key=spec.key,
        run_id=run,
        task=task,
        number=int(number),
        model=spec.model,
        directory=spec.directory,
        base_commit="",
        session_id="",
        worktree=spec.worktree,
        state=AttemptState.PLANNED,
        started_at="",
    )


async def finish(executor: AttemptExecutor, row: AttemptRow) -> None:
    """Waits as a conductor does: a heartbeat says no more than that it is worth asking."""
    while executor.status(row).standing is not Standing.ENDED:
        await executor.heartbeat(row)


def test_what_is_submitted_is_carried_out_and_settled(site: Site) -> None:
    async def work() -> None:
        spec = site.spec(1)
        row = row_of(spec)
        executor = site.executor()
        async with executor:
            assert executor.status(row).standing is Standing.UNCLAIMED
            await executor.heartbeat(row)
            await executor.submit(spec)
            await executor.heartbeat(row)
            await finish(executor, row)
            outcome = executor.status(row).outcome
        assert outcome is not None
        assert (outcome.ending, outcome.exit_code, site.begun(1)) == (Ending.EXITED, 0, 1)
        assert site.held(1).state is State.SETTLED
        assert site.held(1).known.tokens == outcome.metered_tokens > 0

    site.run(work())


def test_however_often_it_is_submitted_it_is_begun_once(site: Site) -> None:
    async def work() -> None:
        spec = site.spec(1)
        row = row_of(spec)
        executor, other = site.executor(), site.executor()
        async with executor, other:
            for each in (executor, executor, other):
                await each.submit(spec)
            for each in (executor, other):
                await each.heartbeat(row)
                await finish(each, row)
            await other.submit(spec)
            await other.heartbeat(row)
            assert other.status(row).standing is Standing.ENDED
        assert site.begun(1) == 1

    site.run(work())


def test_what_is_cancelled_is_never_begun(site: Site) -> None:
    async def work() -> None:
        spec = site.spec(1)
        row = row_of(spec)
        executor, later = site.executor(), site.executor()
        async with executor, later:
            for each in (executor, later, executor):
                assert each.cancel(row, running=False).standing is Standing.CANCELLED
            for each in (executor, later):
                with suppress(SetupError):
                    await each.submit(spec)
                await each.heartbeat(row)
                assert each.status(row).standing is Standing.CANCELLED
        assert site.begun(1) == 0
        assert site.held(1).state is State.HELD, "that it was not begun is known: giving it back is the conductor's"

    site.run(work())


def test_it_outlives_who_submitted_it_and_can_be_stopped_by_another(site: Site) -> None:
    async def work() -> None:
        spec = site.spec(LASTING, lasting=True)
        row = row_of(spec)
        executor = site.executor()
        await executor.submit(spec)
        await site.wait_until_begun(LASTING)
        later = site.executor()
        assert later.status(row).standing is Standing.RUNNING
        assert later.cancel(row, running=False).standing is Standing.RUNNING, "left alone"
        later.cancel(row)
        await finish(later, row)
        outcome = later.status(row).outcome
        assert outcome is not None
        assert (outcome.ending, site.begun(LASTING)) == (Ending.INTERRUPTED, 1)
        assert site.held(LASTING).state is not State.HELD
        await executor.__aexit__(None, None, None)

    site.run(work())
