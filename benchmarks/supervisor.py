"""What one attempt's supervisor costs: from its spec to its agent's first word, and memory while the agent works.

    python benchmarks/supervisor.py [--count 40]

Beside it, in turns, the same agent started by a bare Python with nobody to supervise it: a Python process that starts
the agent is what a supervisor would be that is not forked. `ratio` is the median of neighbours.

Its own memory is what it does not share with the spawner, of which it is a copy (`Private_*` of proc(5)); all of it
(`Rss`) counts what is shared as often as there are supervisors. Aims: at most 100 ms and 40 MB.
"""

from __future__ import annotations

import argparse
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bursar.budget import Amount
from bursar.clock import SystemClock
from bursar.ledger import Ledger, ReserveRequest, open_ledger
from bursar.pricing import ALIASES, load_prices
from bursar.supervision import SPAWNER_MODULE, AttemptSpec, encode_spec

AIM_MS, AIM_MB = 100, 40
MODEL = "claude-sonnet-4-5"


@dataclass(frozen=True, slots=True)
class Started:
    """One supervisor: milliseconds until its agent spoke, of a bare start too; its megabytes, and those of its own."""

    milliseconds: float
    bare_milliseconds: float
    megabytes: float
    own_megabytes: float


def main() -> None:
    """Starts them one after the other, prints medians and the worst."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=40, metavar="N")
    count = options.parse_args().count
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        found, processor_ms = measure(Path(folder), count)
    print(
        f"{count} supervisors, one after the other; {processor_ms:.1f} ms of processor time each, its agent included\n"
    )
    print(f"{'':<28}{'median':>8}{'worst':>8}   aim")
    _print("ms to the agent's word", [each.milliseconds for each in found], AIM_MS)
    _print("  of a bare Python's agent", [each.bare_milliseconds for each in found])
    ratio = statistics.median(each.milliseconds / each.bare_milliseconds for each in found)
    print(f"{'  ratio':<28}{ratio:>8.2f}")
    _print("MB", [each.megabytes for each in found], AIM_MB)
    _print("MB of its own", [each.own_megabytes for each in found], AIM_MB)


def _print(name: str, values: list[float], aim: int | None = None) -> None:
    wanted = "" if aim is None else f"   at most {aim}"
    print(f"{name:<28}{statistics.median(values):>8.1f}{max(values):>8.1f}{wanted}")


def measure(folder: Path, count: int) -> tuple[list[Started], float]:
    """Each, and the processor time of one with all that it starts, the spawner's own start left out."""
    os.mkfifo(folder / "word")
    ledger = open_ledger(folder / "ledger.db", SystemClock())
    spawner = subprocess.Popen(
        [sys.executable, "-P", "-m", SPAWNER_MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    )
    _start(folder, ledger, spawner, 0)  # warms it
    before = _processor_seconds(spawner.pid)
    found = [_start(folder, ledger, spawner, number) for number in range(1, count + 1)]
    seconds = _processor_seconds(spawner.pid) - before
    spawner.communicate()
    ledger.close()
    return found, 1000 * seconds / count


def _start(folder: Path, ledger: Ledger, spawner: subprocess.Popen[bytes], number: int) -> Started:
    assert spawner.stdin is not None
    assert spawner.stdout is not None
    spec = _spec(folder, number)
    ledger.reserve(ReserveRequest(key=spec.key, labels={"run": "r", "task": str(number)}, amount=Amount(1000, None)))
    word = os.open(folder / "word", os.O_RDONLY | os.O_NONBLOCK)
    began = time.perf_counter()
    spawner.stdin.write(encode_spec(spec) + b"\n")
    spawner.stdin.flush()
    select.select([word], [], [])
    milliseconds = 1000 * (time.perf_counter() - began)
    pid = int(spawner.stdout.readline())
    sizes = _sizes(pid)
    pidfd = os.pidfd_open(pid)
    (folder / f"go-{number}").touch()
    select.select([pidfd], [], [])
    os.close(pidfd)
    os.close(word)
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Started(milliseconds, _start_bare(spec), sizes["Rss"] / 1000, own / 1000)


def _start_bare(spec: AttemptSpec) -> float:
    """Milliseconds until the same agent, started by a Python of its own, has spoken; it may end at once."""
    word = os.open(Path(spec.worktree) / "word", os.O_RDONLY | os.O_NONBLOCK)
    began = time.perf_counter()
    code = f"import subprocess; subprocess.run({spec.argv!r}, check=True)"
    bare = subprocess.Popen([sys.executable, "-c", code])
    select.select([word], [], [])
    milliseconds = 1000 * (time.perf_counter() - began)
    bare.wait()
    os.close(word)
    return milliseconds


def _spec(folder: Path, number: int) -> AttemptSpec:
    """Its agent says a word, and ends when it is let."""
    directory = folder / f"attempt-{number}"
    directory.mkdir()
    agent = f"echo up > {folder}/word; while [ ! -e {folder}/go-{number} ]; do sleep 0.01; done"
    return AttemptSpec(
        key=f"r/{number}/1",
        directory=str(directory),
        ledger=str(folder / "ledger.db"),
        worktree=str(folder),
        reader="claude",
        argv=["/bin/sh", "-c", agent],
        environment={"PATH": os.environ["PATH"]},
        stdin=None,
        stop_ladder=[],
        rates=load_prices(SystemClock().now()).table((*ALIASES, MODEL)).text,
        units=[],
        step_tokens=100,
        step_nano_usd=None,
        limit_seconds=None,
        output_cap=1000,
        model=MODEL,
    )


def _sizes(pid: int) -> dict[str, int]:
    """In kB. Source: proc(5), smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def _processor_seconds(pid: int) -> float:
    """Of the process and of those that it has waited for. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
