"""How long `bursar usage daily --json` takes beside ccusage's own program, on the same logs, in turns.

python benchmarks/usage.py            200 MB of logs, which are made for it
python benchmarks/usage.py --large    2 GB, too
python benchmarks/usage.py --ccusage PROGRAM

Both must give the same totals, to the token and the cent. ccusage is installed from npm where no program is named.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.usage_logs import make_logs

import bursar
from bursar.logs.claude import read
from bursar.logs.files import FolderSearch

CCUSAGE = "20.0.24"
CACHE = Path(__file__).parents[1] / ".cache" / "ccusage"
LAUNCHER = """\
#!{python}
import sys
from bursar.cli.main import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
"""
COLD_AIM, WARM_AIM, REPORT_AIM_MS, EVENT_AIM_US, MEMORY_AIM_MB = 1.1, 10.0, 60.0, 50.0, 100.0
COUNTERS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
CENT = 0.005


@dataclass(frozen=True)
class Spent:
    """What one process took, with all that it started. `peak_mb`: of all of them together, looked at every 10 ms."""

    wall_ms: float
    cpu_ms: float
    peak_mb: float
    output: bytes


def main() -> None:
    """Measures and prints the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--large", action="store_true", help="2 GB of logs, too")
    options.add_argument("--megabytes", type=int, default=200, metavar="N", help="of the small tree (default 200)")
    options.add_argument("--rounds", type=int, default=7, metavar="N")
    options.add_argument("--ccusage", metavar="PROGRAM", help="its native program, if it is installed")
    chosen = options.parse_args()
    program = chosen.ccusage or install_ccusage()
    compileall.compile_dir(os.path.dirname(bursar.__file__), quiet=2)
    print(machine())
    print(f"ccusage {CCUSAGE}: {'not installed; only bursar is measured' if program is None else 'its native program'}")
    for megabytes in (chosen.megabytes, 2000) if chosen.large else (chosen.megabytes,):
        with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
            measure_tree(Path(os.path.realpath(folder)), megabytes, program, chosen.rounds if megabytes < 1000 else 3)


def machine() -> str:
    """Cores and Python, on one line."""
    return (
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def install_ccusage() -> str | None:
    """Its native program, from npm; None where that cannot be had."""
    name = f"ccusage-{platform.system().lower()}-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(platform.machine(), '') }"
    program = CACHE / CCUSAGE / "node_modules" / "@ccusage" / name / "bin" / "ccusage"
    if not program.exists() and shutil.which("npm"):
        program.parents[4].mkdir(parents=True, exist_ok=True)
        where = ["--prefix", str(program.parents[4]), "--no-save", "--no-audit", "--no-fund"]
        subprocess.run(["npm", "install", *where, f"ccusage@{CCUSAGE}"], capture_output=True, check=False)
    if not program.exists():
        return None
    program.chmod(0o755)  # ccusage's own launcher does that when it is first run
    return str(program)


def measure_tree(folder: Path, megabytes: int, program: str | None, rounds: int) -> None:
    """One tree of logs: both tools from nothing, and again."""
    files, size = make_logs(folder / "claude", megabytes * 1_000_000, seed=1)
    print(f"\n{size / 1e6:.0f} MB in {files} files, {rounds} rounds, each side in turn")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "CLAUDE_CONFIG_DIR": str(folder / "claude"),
        "BURSAR_STATE_DIR": str(folder / "state"),
    }
    ours = [write_launcher(folder / "bursar"), "usage", "daily", "--json"]
    theirs = [] if program is None else [program, "claude", "daily", "--json", "--offline"]
    names = ("python -c pass", "ccusage", "bursar, from nothing", "bursar, again")
    sides: dict[str, list[Spent]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        shutil.rmtree(folder / "state", ignore_errors=True)
        measured = [run([sys.executable, "-c", "pass"], environment)]
        measured += [run(theirs, environment)] if theirs else []
        measured += [run(ours, environment), run(ours, environment)]
        if theirs:
            check_same(measured[1].output, measured[2].output)
        if measured[-1].output != measured[-2].output:
            raise RuntimeError("the second report is not the first")
        if turn:  # the first round brings the files into memory
            for name, spent in zip([name for name in names if name != "ccusage" or theirs], measured, strict=True):
                sides[name].append(spent)
    print_sides(sides, size)
    print_event(folder / "claude" / "projects")


def write_launcher(path: Path) -> str:
    """The command as pip writes it today (26.3); the pip that comes with Python 3.11 has it import `re`, for 6 ms."""
    path.write_text(LAUNCHER.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


def run(argv: Sequence[str], environment: Mapping[str, str]) -> Spent:
    """A process from its start to its end."""
    before, began = _cpu_seconds(), time.perf_counter()
    process = subprocess.Popen(argv, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    output, said = process.communicate()
    wall, cpu = time.perf_counter() - began, _cpu_seconds() - before
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {said.decode()}")
    return Spent(1000 * wall, 1000 * cpu, peak[0], output)


def _cpu_seconds() -> float:
    """Of all that was started and has ended; `os.times` would count it in steps of 10 ms."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _resident_mb(process.pid))
        time.sleep(0.01)


def _resident_mb(pid: int) -> float:
    """Of a process and its children; what they share is counted once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0.0
    return own * 1024 / 1e6 + sum(_resident_mb(int(child)) for child in children)


def check_same(theirs: bytes, ours: bytes) -> None:
    """Raises:
    RuntimeError: day by day and model by model, a count is not the same, or a cost is not the same to the cent.
    """
    one, other = (_by_day_and_model(json.loads(output)) for output in (theirs, ours))
    if one.keys() != other.keys():
        raise RuntimeError(f"days and models differ: {sorted(one.keys() ^ other.keys())[:5]}")
    for key, (counts, cost) in one.items():
        if counts != other[key][0] or abs(cost - other[key][1]) >= CENT:
            raise RuntimeError(f"{key}: {counts} and {cost} USD, {other[key][0]} and {other[key][1]} USD")


def _by_day_and_model(report: Mapping[str, Any]) -> dict[tuple[str, str], tuple[tuple[int, ...], float]]:
    return {
        (day["date"], model["modelName"]): (tuple(model[name] for name in COUNTERS), model["cost"])
        for day in report["daily"]
        for model in day["modelBreakdowns"]
    }


def print_sides(sides: Mapping[str, Sequence[Spent]], size: int) -> None:
    """Medians, ratios of neighbouring rounds, and the aims."""
    print(f"\n{'':<22}{'wall ms':>9}{'CPU ms':>9}{'peak MB':>9}{'MB/s':>8}")
    for name, rounds in sides.items():
        if rounds:
            wall, cpu = median(s.wall_ms for s in rounds), median(s.cpu_ms for s in rounds)
            rate = "" if name.startswith("python") else f"{size / 1000 / wall:.0f}"
            print(f"{name:<22}{wall:>9.0f}{cpu:>9.0f}{max(s.peak_mb for s in rounds):>9.0f}{rate:>8}")
    bare, again = sides["python -c pass"], sides["bursar, again"]
    if sides["ccusage"]:
        _print_ratio("from nothing", sides["ccusage"], sides["bursar, from nothing"], COLD_AIM)
        _print_ratio("again", sides["ccusage"], again, WARM_AIM)
    beyond = median(ours.wall_ms - start.wall_ms for ours, start in zip(again, bare, strict=True))
    beyond_cpu = median(ours.cpu_ms - start.cpu_ms for ours, start in zip(again, bare, strict=True))
    print(
        f"again, beyond Python's start: {beyond:.0f} ms, CPU {beyond_cpu:.0f} ms   aim: at most {REPORT_AIM_MS:.0f} ms"
    )
    peak = max(spent.peak_mb for spent in sides["bursar, from nothing"])
    print(f"peak memory of bursar, all processes: {peak:.0f} MB   aim: at most {MEMORY_AIM_MB:.0f} MB")


def _print_ratio(name: str, theirs: Sequence[Spent], ours: Sequence[Spent], aim: float) -> None:
    wall = median(their.wall_ms / our.wall_ms for their, our in zip(theirs, ours, strict=True))
    cpu = median(their.cpu_ms / our.cpu_ms for their, our in zip(theirs, ours, strict=True))
    print(f"{name}: {wall:.2f} times as fast as ccusage, {cpu:.2f} times by CPU   aim: at least {aim:g} times as fast")


def print_event(projects: Path) -> None:
    """One line that comes to a log, read in a process that runs on."""
    source = max(projects.glob("*/*.jsonl"), key=lambda path: path.stat().st_size)
    lines = [line for line in source.read_bytes().splitlines(keepends=True) if b'"usage"' in line]
    growing = projects / "growing"
    growing.mkdir()
    path = growing / "session.jsonl"
    path.write_bytes(b"".join(lines))
    (file,) = FolderSearch((".jsonl",), {}).changed_in(str(growing))
    mark, taken = read(file, None).after, []
    for line in lines * (1 + 500 // len(lines)):
        with path.open("ab") as opened:
            opened.write(line)
        began = time.perf_counter()
        mark = read(file, mark).after
        taken.append(1e6 * (time.perf_counter() - began))
    print(f"one event that is appended: {median(taken):.0f} µs to read it   aim: at most {EVENT_AIM_US:.0f} µs")


median: Callable[[Any], float] = statistics.median


if __name__ == "__main__":
    main()
