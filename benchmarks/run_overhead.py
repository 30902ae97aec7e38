"""What bursar adds to a task: `bursar run` of no-op tasks beside plain git doing the same, in turns, in one run.

The agent of both sides is `noop_agent.py`: one bare Python process a task. bursar forks its supervisors from a warm
process, so the agent is the only Python that it starts for a task; the baseline starts the same one.

    python benchmarks/run_overhead.py            200 tasks, five rounds of each side, then 2,000 tasks once
    python benchmarks/run_overhead.py --quick    40 tasks, one round, no large run
"""

from __future__ import annotations

import argparse
import os
import platform
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

AGENT = Path(__file__).resolve().with_name("noop_agent.py")
PYTHON = sys.executable
MODEL = "claude-sonnet-4-5"
AT_ONCE = 5
FILES = 50
RATIO_AIM, GROWTH_AIM, MEMORY_AIM_MIB = 1.5, 1.2, 150
NOISY = 1.3
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One whole process with all that it started. CPU is user and system time; memory is of single processes."""

    tasks: int
    wall_seconds: float
    cpu_seconds: float
    own_peak_mib: float
    largest_peak_mib: float

    @property
    def wall_ms(self) -> float:
        """Per task."""
        return 1000 * self.wall_seconds / self.tasks

    @property
    def cpu_ms(self) -> float:
        """Per task."""
        return 1000 * self.cpu_seconds / self.tasks


def main() -> None:
    """Measures and prints the tables."""
    options = _options()
    tasks, rounds, many = (40, 1, 0) if options.quick else (200, options.rounds, options.many)
    tasks = options.tasks or tasks
    print(machine())
    print(
        f"{tasks} no-op tasks, at most {AT_ONCE} at once; one bare Python process (the agent) a task on both sides",
        flush=True,
    )
    sides: dict[str, list[Measured]] = {"plain git": [], "bursar": []}
    for _ in range(rounds):
        sides["plain git"].append(measure_plain(tasks))
        sides["bursar"].append(measure_bursar(tasks))
    print_sides(sides)
    if os.getloadavg()[0] > AT_ONCE + 1 or _spread(sides["plain git"]) > NOISY:
        print("these figures are not to be relied on: something else kept this machine busy meanwhile")
    if many:
        print_growth(sides["bursar"], measure_bursar(many))


def _spread(rounds: Sequence[Measured]) -> float:
    """The slowest round over the fastest; near 1 on a machine of one's own."""
    return max(m.wall_ms for m in rounds) / min(m.wall_ms for m in rounds)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", type=int, metavar="N", help="of each round (default 200)")
    options.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side, in turns")
    options.add_argument("--many", type=int, default=2000, metavar="N", help="tasks of the large run; 0: none")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--plain", nargs=2, metavar=("REPOSITORY", "TASKS"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.plain:
        do_plainly(Path(chosen.plain[0]), int(chosen.plain[1]))
        sys.exit()
    return chosen


def machine() -> str:
    """Cores, Python and git, on one line."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    load = os.getloadavg()[0]
    return (
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, git {git}, load {load:.1f}"
    )


def print_sides(sides: Mapping[str, Sequence[Measured]]) -> None:
    """Medians of each side, and bursar over plain git: the median of the ratios of neighbouring rounds."""
    print(f"\n{'':<12}{'ms a task':>12}{'CPU ms a task':>16}")
    for name, rounds in sides.items():
        wall, cpu = (statistics.median(values) for values in zip(*((m.wall_ms, m.cpu_ms) for m in rounds), strict=True))
        print(f"{name:<12}{wall:>12.1f}{cpu:>16.1f}")
    least = [min(m.wall_ms for m in rounds) for rounds in sides.values()]
    least_cpu = [min(m.cpu_ms for m in rounds) for rounds in sides.values()]
    pairs = list(zip(sides["plain git"], sides["bursar"], strict=True))
    wall = statistics.median(ours.wall_ms / plain.wall_ms for plain, ours in pairs)
    cpu = statistics.median(ours.cpu_ms / plain.cpu_ms for plain, ours in pairs)
    each = ", ".join(f"{ours.wall_ms / plain.wall_ms:.2f}" for plain, ours in pairs)
    print(f"{'ratio':<12}{wall:>12.2f}{cpu:>16.2f}   aim: at most {RATIO_AIM} of time (rounds: {each})")
    print(
        f"{'quietest':<12}{least[1] / least[0]:>12.2f}{least_cpu[1] / least_cpu[0]:>16.2f}   each side's best round:"
        f" {least[0]:.1f} and {least[1]:.1f} ms"
    )


def print_growth(few: Sequence[Measured], many: Measured) -> None:
    """The large run against the median of the small ones, and memory."""
    usual = statistics.median(m.wall_ms for m in few)
    usual_cpu = statistics.median(m.cpu_ms for m in few)
    print(f"\n{'bursar':<12}{'ms a task':>12}{'CPU ms a task':>16}{'conductor MiB':>16}{'largest MiB':>14}")
    own, largest = (max(values) for values in zip(*((m.own_peak_mib, m.largest_peak_mib) for m in few), strict=True))
    print(f"{few[0].tasks:>6} tasks{usual:>12.1f}{usual_cpu:>16.1f}{own:>16.1f}{largest:>14.1f}")
    print(
        f"{many.tasks:>6} tasks{many.wall_ms:>12.1f}{many.cpu_ms:>16.1f}{many.own_peak_mib:>16.1f}"
        f"{many.largest_peak_mib:>14.1f}"
    )
    growth, cpu = many.wall_ms / usual, many.cpu_ms / usual_cpu
    print(f"{'ratio':<12}{growth:>12.2f}{cpu:>16.2f}   aims: at most {GROWTH_AIM} of time, {MEMORY_AIM_MIB} MiB")


def measure_plain(tasks: int) -> Measured:
    """Plain git in a fresh repository."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        repository, environment = make_repository(Path(folder), tasks)
        argv = [PYTHON, str(Path(__file__).resolve()), "--plain", str(repository), str(tasks)]
        measured = _measure(argv, repository, environment, tasks)
        _check_merged(repository, tasks)
        return measured


def measure_bursar(tasks: int) -> Measured:
    """`bursar run` of a plan in a fresh repository."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        repository, environment = make_repository(Path(folder), tasks)
        plan = "plans/01-01-PLAN.md"
        argv = [PYTHON, "-m", "bursar", "run", plan, "--trust", "--max-parallel", str(AT_ONCE)]
        measured = _measure([*argv, "--budget", "100m tokens"], repository, environment, tasks)
        _check_merged(repository, tasks)
        return measured


def make_repository(folder: Path, tasks: int) -> tuple[Path, dict[str, str]]:
    """A repository of `FILES` files with a plan that rewrites them in turn; and an environment that is nobody's."""
    home, repository = folder / "home", folder / "project"
    home.mkdir()
    (repository / "plans").mkdir(parents=True)
    for number in range(FILES):
        (repository / f"file{number}.txt").write_text("nothing yet\n", encoding="utf-8")
    (repository / "plans" / "01-01-PLAN.md").write_text(plan_text(tasks), encoding="utf-8")
    (repository / "bursar.toml").write_text(_settings(), encoding="utf-8")
    identity = {f"GIT_{who}_{what}": "bench@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = identity | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "BURSAR_STATE_DIR": str(folder / "state"),
    }
    for arguments in (["init", "-q", "-b", "main"], ["add", "--all"], ["commit", "-q", "-m", "start"]):
        subprocess.run(["git", *arguments], cwd=repository, env=environment, check=True)
    return repository, environment


def plan_text(tasks: int) -> str:
    """Tasks on the same file wait for one another; all others are free to run at once."""
    parts = ["---\nphase: 01-bench\nplan: 01\n---\n\n<objective>Rewrite files.</objective>\n\n<tasks>\n"]
    for number in range(1, tasks + 1):
        after = str(number - FILES) if number > FILES else "none"
        parts.append(
            f'<task type="auto" depends-on="{after}">\n  <name>Task {number}: Rewrite {number}</name>\n'
            f"  <files>{_file(number)}</files>\n  <action>Write your number.</action>\n</task>\n"
        )
    return "\n".join([*parts, "</tasks>\n"])


def _file(number: int) -> str:
    return f"file{(number - 1) % FILES}.txt"


def _settings() -> str:
    argv = ", ".join(f'"{part}"' for part in (PYTHON, "-I", "-S", str(AGENT), "{model}"))
    return f'[run]\nagent = "command"\n\n[agents.command]\nargv = [{argv}]\n'


def _measure(argv: Sequence[str], repository: Path, environment: Mapping[str, str], tasks: int) -> Measured:
    """Runs the program to its end; its rusage counts everything below it that was waited for.

    Raises:
        RuntimeError: it failed.
    """
    log = repository.parent / "log"
    with open(log, "wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(argv, cwd=repository, env=environment, stdout=output, stderr=subprocess.STDOUT)
        watch = _PeakWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = watch.stop()
    if status:
        raise RuntimeError(f"{argv[2]} failed:\n" + log.read_text(encoding="utf-8")[-3000:])
    return Measured(
        tasks=tasks,
        wall_seconds=wall,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        own_peak_mib=peak / 1024,
        largest_peak_mib=max(peak, usage.ru_maxrss) / 1024,
    )


class _PeakWatch(threading.Thread):
    """Looks at a process's high-water mark (it only rises) while the process lives."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._path, self._over, self._peak_kib = f"/proc/{pid}/status", threading.Event(), 0
        self.start()

    def run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            try:
                with open(self._path, encoding="ascii") as status:
                    found = [line.split()[1] for line in status if line.startswith("VmHWM")]
            except OSError:
                return
            self._peak_kib = max(self._peak_kib, *map(int, found), 0)

    def stop(self) -> int:
        """The highest mark seen, in KiB."""
        self._over.set()
        self.join()
        return self._peak_kib


def _check_merged(repository: Path, tasks: int) -> None:
    """Every file holds the heading of the last task on it: nothing was lost on the way."""
    for number in range(max(1, tasks - FILES + 1), tasks + 1):
        content = (repository / _file(number)).read_text(encoding="utf-8")
        if content != f"# Task {number}: Rewrite {number}\n":
            raise RuntimeError(f"{_file(number)} should be of task {number} and holds: {content!r}")


def do_plainly(repository: Path, tasks: int) -> None:
    """The baseline: four git commands and one Python a task, at most `AT_ONCE` at once, merges one after another."""
    work: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(1, tasks + 1):
        work.put(number)
    turns, failures = _Turns(), list[BaseException]()
    (repository.parent / "trees").mkdir()

    def serve() -> None:
        try:
            while not failures:
                _do_task(repository, work.get_nowait(), turns)
        except queue.Empty:
            return
        except BaseException as failure:  # noqa: BLE001 — told by the main thread
            failures.append(failure)

    threads = [threading.Thread(target=serve) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class _Turns:
    """What git cannot do twice at once: merging into one checkout, and changing the list of worktrees.

    `git worktree` reads every entry of that list, and fails on one that another process has just half written.
    """

    def __init__(self) -> None:
        self.merging = threading.Lock()
        self.listing = threading.Lock()


def _do_task(repository: Path, number: int, turns: _Turns) -> None:
    tree = repository.parent / "trees" / f"task-{number}"
    with turns.listing:
        _git(repository, "worktree", "add", "--quiet", "--detach", str(tree))
    prompt = f"# Task {number}: Rewrite {number}\n\n## Files\n- {_file(number)}\n"
    subprocess.run(
        [PYTHON, "-I", "-S", str(AGENT), MODEL], cwd=tree, input=prompt.encode(), stdout=subprocess.PIPE, check=True
    )
    _git(tree, "commit", "--quiet", "--all", "--message", f"feat: Rewrite {number}")
    commit = (repository / ".git" / "worktrees" / tree.name / "HEAD").read_text(encoding="ascii").strip()
    with turns.merging:
        _git(repository, "merge", "--quiet", "--no-edit", commit)
    with turns.listing:
        _git(repository, "worktree", "remove", "--force", str(tree))


def _git(directory: Path, *arguments: str) -> None:
    ended = subprocess.run(
        [_GIT, *_SETTINGS, *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {ended.stderr.decode()}")


_GIT = shutil.which("git") or "git"
_SETTINGS = ("-c", "maintenance.auto=false", "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null")

if __name__ == "__main__":
    main()
