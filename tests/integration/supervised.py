"""A real spawner, a real ledger and the fake agent, for tests of one supervised attempt."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import Reservation, ReserveRequest, SqliteLedger, open_ledger
from bursar.supervision import SPAWNER_MODULE, AttemptSpec, Outcome, StopRung, encode_spec, read_outcome

AGENT = Path(__file__).with_name("fake_agent.py")
PATIENCE = 30.0
FEMTO = 1_000_000
RATES = {
    "dated": "2026-01-01",
    "models": [
        {
            "model": "model-1",
            "match": ["equals", "model-1"],
            "rates": {"input_tokens": [1 * FEMTO], "output_tokens": [5 * FEMTO]},
        }
    ],
}


def has_ended(pidfd: int, patience: float = PATIENCE) -> bool:
    """Whether the process behind the pidfd ends while anybody would wait for it."""
    return bool(select.select([pidfd], [], [], patience)[0])


def make_spec(directory: Path, *steps: str, **changes: Any) -> AttemptSpec:
    """A spec for the fake agent, without limits; `changes` go before what it would be."""
    values: dict[str, Any] = {
        "key": "r/1/1",
        "directory": str(directory),
        "ledger": str(directory / "ledger.db"),
        "worktree": str(directory / "tree"),
        "reader": "claude",
        "argv": [sys.executable, "-I", "-S", str(AGENT), *steps],
        "environment": {},
        "stdin": b"the prompt",
        "stop_ladder": [
            StopRung(signal=signal.SIGINT, to_group=False, grace_seconds=0.2),
            StopRung(signal=signal.SIGTERM, to_group=True, grace_seconds=0.2),
        ],
        "rates": RATES,
        "units": [],
        "step_tokens": 1000,
        "step_nano_usd": 5000,
        "limit_seconds": None,
        "output_cap": 100,
        "model": "model-1",
    }
    values |= changes
    return AttemptSpec(**(values | {"rates": json.dumps(values["rates"])}))


@dataclass
class Attempt:
    """One attempt that runs under a supervisor."""

    spec: AttemptSpec
    supervisor: int
    pidfd: int

    def end(self) -> Outcome | None:
        """The supervisor has ended; the outcome that it left."""
        assert has_ended(self.pidfd), "the supervisor still runs"
        return read_outcome(Path(self.spec.directory))

    def signal(self, number: signal.Signals) -> None:
        signal.pidfd_send_signal(self.pidfd, number)


@dataclass
class Bench:
    """A folder with a ledger and a spawner."""

    folder: Path
    spawner: subprocess.Popen[bytes]
    fifo: int
    said: bytes = b""
    pidfds: list[int] = field(default_factory=list)
    stand_ins: list[int] = field(default_factory=list)  # for processes that had ended before anybody could watch them

    @property
    def ledger_path(self) -> Path:
        return self.folder / "ledger" / "ledger.db"

    def ledger(self) -> SqliteLedger:
        return open_ledger(self.ledger_path, SystemClock())

    def reserve(self, key: str, tokens: int, limit: int | None = None, unit: Unit = Unit.TOKENS) -> Reservation:
        """The hold of an attempt, under a budget if there is a limit."""
        ledger = self.ledger()
        if limit is not None:
            ledger.define(Budget(name="run-r", selector={"run": "r"}, limit=Limit(limit, unit)))
        labels = {"run": "r", "task": key}
        answer = ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(tokens, tokens * 5)))
        ledger.close()
        assert isinstance(answer, Reservation)
        return answer

    def spec(self, *steps: str, key: str = "r/1/1", **changes: Any) -> AttemptSpec:
        directory = self.folder / key.replace("/", "-")
        (directory / "tree").mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "TELL": str(self.folder / "told"),
            "HEAR": str(self.folder / "heard"),
        }
        paths = {"ledger": str(self.ledger_path), "environment": environment}
        return make_spec(directory, *steps, key=key, **(paths | changes))

    def start(self, spec: AttemptSpec) -> Attempt:
        assert self.spawner.stdin is not None
        assert self.spawner.stdout is not None
        self.spawner.stdin.write(encode_spec(spec) + b"\n")
        self.spawner.stdin.flush()
        supervisor = int(self.spawner.stdout.readline())
        return Attempt(spec, supervisor, self.watch(supervisor))

    def run(self, *steps: str, tokens: int = 10_000, **changes: Any) -> tuple[Outcome, Reservation]:
        """A whole attempt; its outcome, and its reservation after it."""
        self.reserve("r/1/1", tokens)
        return self.finish(self.start(self.spec(*steps, **changes)))

    def finish(self, attempt: Attempt) -> tuple[Outcome, Reservation]:
        outcome = attempt.end()
        assert outcome is not None, (self.folder / "spawner.log").read_text()
        return outcome, self.reservation(attempt.spec.key)

    def reservation(self, key: str = "r/1/1") -> Reservation:
        ledger = self.ledger()
        found = ledger.reservation(key)
        assert ledger.verify() == []
        ledger.close()
        assert found is not None
        return found

    def hear(self) -> str:
        """The next line that an agent has told; an end of it all is an error."""
        while b"\n" not in self.said:
            assert select.select([self.fifo], [], [], PATIENCE)[0], "the agent has told nothing"
            self.said += os.read(self.fifo, 4096)
        line, _, self.said = self.said.partition(b"\n")
        return line.decode()

    def go_on(self) -> None:
        """The agent that listens goes on."""
        with open(self.folder / "heard", "w", encoding="ascii"):
            pass

    def watch(self, pid: int) -> int:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:  # one with nothing to do may be gone by now; as its pidfd would be, this is readable
            self.stand_ins.append(stand_in := os.open(os.devnull, os.O_RDONLY))
            return stand_in
        self.pidfds.append(pidfd)
        return pidfd


@contextmanager
def open_bench(folder: Path) -> Iterator[Bench]:
    """A bench; at its end nothing that it started runs any more."""
    os.mkfifo(folder / "told")
    os.mkfifo(folder / "heard")
    fifo = os.open(folder / "told", os.O_RDWR | os.O_CLOEXEC)
    with open(folder / "spawner.log", "wb") as log:
        spawner = subprocess.Popen(
            [sys.executable, "-P", "-m", SPAWNER_MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    bench = Bench(folder, spawner, fifo)
    try:
        yield bench
    finally:
        _end(bench)


def _end(bench: Bench) -> None:
    assert bench.spawner.stdin is not None
    assert bench.spawner.stdout is not None
    for pidfd in bench.pidfds:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    with suppress(BrokenPipeError):
        bench.spawner.stdin.close()
    try:
        bench.spawner.wait(PATIENCE)
    finally:
        bench.spawner.kill()
        bench.spawner.wait()
        bench.spawner.stdout.close()
        for descriptor in (*bench.pidfds, *bench.stand_ins, bench.fifo):
            os.close(descriptor)
