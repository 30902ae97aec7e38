"""What the ledger costs, side by side with what it is compared to, in turns, in one run.

Pairs: hold 1000 tokens, settle 900, one after the other, in 1 to 64 processes at once on one budget. Beside the ledger
in each store: two bare synced writes (the floor), and a JSON file behind a lock. All of them lie in one folder.
Growth: the same pairs on ledgers of 10³ to 10⁶ entries, in turns, and `verify` of each. These ledgers lie in memory
where there is a place for it: that shows the cost of the work, and lets the ledgers be built by real operations.
Command: `bursar token reserve` as a whole process beside `python -c pass`.

    python benchmarks/ledger.py            nine rounds; builds 10⁶ entries; some ten minutes
    python benchmarks/ledger.py --quick    two short rounds; 10⁵ entries
    python benchmarks/ledger.py --only pairs --processes 1,64 --seconds 5
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ledger_sides import (
    LedgerStore,
    Side,
    Store,
    bare_side,
    json_side,
    make_ledger,
    open_place,
    postgres_side,
    sqlite_side,
)

FLOOR_AIM, FAST_FLOOR_AIM, SLOW_SYNC_MS = 0.8, 0.5, 2.0
JSON_AIM, WAIT_AIM_SECONDS, VERIFY_AIM_SECONDS, COMMAND_AIM = 3.0, 0.5, 10.0, 6.0
PARTS = ("pairs", "growth", "command")
_FORK = multiprocessing.get_context("fork")
_START_SECONDS = 60.0
_WARM_SECONDS = 1.0
"""Before anything counts: the first writes let files grow, and all that follow write over them."""
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Measured:
    """Some processes at once on one store: how many pairs a second, and how long each write took, in seconds."""

    pairs_per_second: float
    writes: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """The write that is slower than that share of all."""
        return self.writes[min(len(self.writes) - 1, int(share * len(self.writes)))]


def main() -> None:
    """Measures and prints the tables."""
    options = _options()
    print(_machine(), flush=True)
    if "pairs" in options.only:
        print_pairs(options.processes, options.rounds, options.seconds)
    if "growth" in options.only:
        print_growth(options.sizes, options.rounds)
    if "command" in options.only:
        print_command(options.runs)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, metavar="N", help="of everything that is measured in turns")
    options.add_argument("--seconds", type=float, metavar="S", help="for each number of processes on each store")
    options.add_argument("--processes", type=_numbers, default=(1, 4, 16, 64), metavar="N,…")
    options.add_argument("--sizes", type=_numbers, metavar="N,…", help="entries of the ledgers for growth")
    options.add_argument("--only", type=lambda text: text.split(","), default=PARTS, metavar="|".join(PARTS))
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    chosen.rounds = chosen.rounds or (2 if chosen.quick else 9)
    chosen.seconds = chosen.seconds or (0.5 if chosen.quick else 1.0)
    chosen.sizes = chosen.sizes or ((10**3, 10**5) if chosen.quick else (10**3, 10**4, 10**5, 10**6))
    chosen.runs = 5 if chosen.quick else 21
    return chosen


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release()}"
    return f"{cores} cores, {system}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def print_pairs(processes: Sequence[int], rounds: int, seconds: float) -> None:
    """The table of pairs, and what it says of the aims."""
    sides = [bare_side(), json_side(), sqlite_side()]
    postgres = postgres_side()
    if isinstance(postgres, str):
        print(f"skipped: {postgres}")
    else:
        sides.append(postgres)
    print(f"\npairs of reserve and settle; {rounds} rounds of {seconds:g} s, in turns; medians, but the worst of all")
    print(f"{'':<18}{'processes':>10}{'pairs/s':>10}{'of floor':>10}{'p50 ms':>9}{'p99 ms':>9}{'worst ms':>10}")
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        places = {side.name: _in_child(side.place, Path(folder)) for side in sides}
        for side in sides:
            measure(side, places[side.name], 1, _WARM_SECONDS)
        found: dict[tuple[str, int], list[Measured]] = {}
        for number in processes:
            for _ in range(rounds):
                for side in sides:
                    measured = measure(side, places[side.name], number, seconds)
                    found.setdefault((side.name, number), []).append(measured)
            for side in sides:
                _print_side(side.name, number, found[side.name, number], found[sides[0].name, number])
        for side in sides:
            side.leave(places[side.name])
    _print_pair_aims(found)


def _print_side(name: str, number: int, rounds: Sequence[Measured], floor: Sequence[Measured]) -> None:
    speed = statistics.median(each.pairs_per_second for each in rounds)
    middle, high = (statistics.median(each.quantile(share) * 1000 for each in rounds) for share in (0.5, 0.99))
    worst = max(each.writes[-1] for each in rounds) * 1000
    ratio = _ratio(rounds, floor)
    print(f"{name:<18}{number:>10}{speed:>10.0f}{ratio:>10.2f}{middle:>9.2f}{high:>9.2f}{worst:>10.1f}", flush=True)


def _ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> float:
    """The median of the ratios of neighbouring rounds."""
    return statistics.median(a.pairs_per_second / b.pairs_per_second for a, b in zip(ours, theirs, strict=True))


def _print_pair_aims(found: Mapping[tuple[str, int], Sequence[Measured]]) -> None:
    if ("SQLite", 1) in found:
        ours, floor = found["SQLite", 1], found["two synced writes", 1]
        sync_ms = statistics.median(each.quantile(0.5) for each in floor) * 1000
        aim = FLOOR_AIM if sync_ms >= SLOW_SYNC_MS else FAST_FLOOR_AIM
        print(
            f"SQLite, 1 process: {_ratio(ours, floor):.2f} of the floor (a sync: {sync_ms:.2f} ms); aim: at least {aim}"
        )
        print(f"    (aims: {FLOOR_AIM} where a sync takes {SLOW_SYNC_MS:g} ms or more, {FAST_FLOOR_AIM} at 0.1 ms)")
    if ("SQLite", 16) in found:
        ratio = _ratio(found["SQLite", 16], found["JSON file", 16])
        print(f"SQLite, 16 processes: {ratio:.1f} times the JSON file; aim: at least {JSON_AIM:g}")
    if ("SQLite", 64) in found:
        worst = max(each.writes[-1] for each in found["SQLite", 64])
        print(f"SQLite, 64 processes: the worst wait was {worst:.2f} s; aim: at most {WAIT_AIM_SECONDS}")


def measure(side: Side, place: str, processes: int, seconds: float) -> Measured:
    """That many processes, each making pairs for that long at that place.

    Raises:
        RuntimeError: one of them failed.
    """
    barrier: Barrier = _FORK.Barrier(processes)
    results: Queue[tuple[float, float, list[float]]] = _FORK.Queue()
    arguments = (side, place, processes == 1, seconds, barrier, results)
    workers = [_FORK.Process(target=_work, args=arguments) for _ in range(processes)]
    for worker in workers:
        worker.start()
    answers = [_answer(results, workers, seconds) for _ in workers]
    for worker in workers:
        worker.join()
    begins, ends, writes = zip(*answers, strict=True)
    every = sorted(seconds for each in writes for seconds in each)
    return Measured(len(every) / 2 / (max(ends) - min(begins)), tuple(every))


def _in_child(make: object, folder: Path) -> str:
    """What `make` answers, made by a child: SQLite must not be open where processes are forked."""
    results: Queue[str] = _FORK.Queue()
    child = _FORK.Process(target=lambda: results.put(make(folder)))  # type: ignore[operator]
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError("a place to measure at could not be made")
    return results.get(timeout=_START_SECONDS)


def _answer(
    results: Queue[tuple[float, float, list[float]]],
    workers: Sequence[multiprocessing.process.BaseProcess],
    seconds: float,
) -> tuple[float, float, list[float]]:
    deadline = time.monotonic() + _START_SECONDS + seconds
    while time.monotonic() < deadline:
        try:
            return results.get(timeout=1.0)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                break
    for worker in workers:
        worker.terminate()
    raise RuntimeError("a process that was measured has failed, or hangs")


def _work(
    side: Side,
    place: str,
    is_alone: bool,
    seconds: float,
    barrier: Barrier,
    results: Queue[tuple[float, float, list[float]]],
) -> None:
    store = side.enter(place, is_alone)
    barrier.wait(_START_SECONDS)
    begin = time.perf_counter()
    writes = list(_timed_writes(store, begin + seconds))
    results.put((begin, time.perf_counter(), writes))


def _timed_writes(store: Store, until: float) -> Iterator[float]:
    """Makes pairs until then, and says how long each of their writes took."""
    clock = time.perf_counter
    now = clock()
    prefix = f"{time.time_ns()}-{os.getpid()}"
    for number in count():
        if now >= until:
            return
        key = f"{prefix}-{number}"
        store.reserve(key)
        between = clock()
        yield between - now
        store.settle(key)
        now = clock()
        yield now - between


def print_growth(sizes: Sequence[int], rounds: int) -> None:
    """What a pair costs on ledgers of these sizes, and what `verify` takes of each."""
    with _memory_folder() as folder:
        print(f"\nSQLite ledgers in {folder.parent}, built by real operations; {rounds} rounds of 2 s each, in turns")
        ledgers = {size: _built(folder / str(size), size) for size in sizes}
        spent: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(rounds):
            for size, store in ledgers.items():
                writes = sorted(_timed_writes(store, time.perf_counter() + 2.0))
                spent[size].append(1e6 * sum(writes) / len(writes))
        print(f"{'entries':>10}{'µs a write':>12}{'of the first':>14}{'verify s':>10}{'µs an entry':>13}")
        for size, store in ledgers.items():
            ratio = statistics.median(ours / first for ours, first in zip(spent[size], spent[sizes[0]], strict=True))
            seconds, entries = _verified(store)
            cost = f"{statistics.median(spent[size]):>12.0f}{ratio:>14.2f}"
            print(f"{size:>10}{cost}{seconds:>10.2f}{1e6 * seconds / entries:>13.1f}", flush=True)
        print(f"aims: the cost of a write flat; verify of 10⁶ entries in at most {VERIFY_AIM_SECONDS:g} s")


def _built(folder: Path, entries: int) -> LedgerStore:
    folder.mkdir(mode=0o700)
    store = LedgerStore(open_place(make_ledger(str(folder / "ledger.db"))))
    began = time.perf_counter()
    for number in range(entries // 2):
        store.reserve(f"built-{number}")
        store.settle(f"built-{number}")
    print(f"    {entries} entries: built in {time.perf_counter() - began:.0f} s", flush=True)
    return store


def _verified(store: LedgerStore) -> tuple[float, int]:
    began = time.perf_counter()
    problems = store.ledger.verify()
    seconds = time.perf_counter() - began
    if problems:
        raise RuntimeError(f"the ledger does not verify: {problems[:3]}")
    return seconds, store.ledger.history(1)[0].number


@contextmanager
def _memory_folder() -> Iterator[Path]:
    in_memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bursar-bench-", dir=in_memory) as folder:
        yield Path(folder)


def print_command(runs: int) -> None:
    """`bursar token reserve` as a whole process, and Python doing nothing, in turns."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        project = Path(folder) / "project"
        project.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C.UTF-8"}
        environment |= {"BURSAR_STATE_DIR": str(Path(folder) / "state")}
        environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        bursar = [_bursar(), "token"] if _bursar() else [sys.executable, "-m", "bursar", "token"]

        def run(*argv: str) -> float:
            began = time.perf_counter()
            subprocess.run(argv, cwd=project, env=environment, stdout=subprocess.DEVNULL, check=True)
            return 1000 * (time.perf_counter() - began)

        run(*bursar, "init", "opus")
        run(*bursar, "reserve", "10", "warm")
        pairs = [(run(sys.executable, "-c", "pass"), run(*bursar, "reserve", "10", "bench")) for _ in range(runs)]
    bare, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(mine / plain for plain, mine in pairs)
    print(f"\nwhole processes, {runs} of each in turns, medians: `python -c pass` {bare:.0f} ms")
    print(f"`bursar token reserve` {ours:.0f} ms: {ratio:.1f} times; aim: at most {COMMAND_AIM:g} times")


def _bursar() -> str | None:
    """The command as it was installed beside this Python; not where another source is to be imported."""
    return None if "PYTHONPATH" in os.environ else shutil.which("bursar", path=str(Path(sys.executable).parent))


if __name__ == "__main__":
    main()
