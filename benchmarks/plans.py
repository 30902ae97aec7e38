"""How fast plans are read, beside a bare read of the same files with a load of their front matter, in turns.

python benchmarks/plans.py      aims at 3 times the bare read at most, and at the same time per plan for 20,000 plans

The plans are made up, in sizes and with numbers of tasks as real ones have them (median 9.5 KB, two or three tasks; the
seed is printed). The bare side reads the file, decodes it, cuts the front matter out and loads it with PyYAML, the
library that bursar uses: with its C loader, and once with the ordinary `safe_load`. CPU time is what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import yaml

from bursar.plan import Plan, read_plan

AIM = 3.0
# Bytes at shares of all plans, and tasks by how many plans of a thousand have so many.
SIZES = ((0.0, 180), (0.5, 9_553), (0.9, 20_077), (0.99, 38_436), (1.0, 61_164))
TASKS = {1: 63, 2: 460, 3: 387, 4: 64, 5: 17, 6: 6, 7: 2, 9: 1}
WORDS = (
    "parser ledger budget token route wave merge lock file window signal clock store reader writer index queue frame "
    "check write read move keep drop build close open return raise count name a the of with from until and never once"
)
VOCABULARY = WORDS.split()
CODE = ("if a < b && c:", "x: Map<str, list[int]>", "run(cmd) 2>&1 | tail -3", "<Button onClick={save} />", "`a -> b`")


def main() -> None:
    """Makes the plans, measures both sides and prints the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--plans", type=int, default=2_000, metavar="N")
    options.add_argument("--rounds", type=int, default=5, metavar="N")
    options.add_argument("--seed", type=int, default=20_260_301, metavar="N")
    options.add_argument("--skip-large", action="store_true", help="leave out the ten times larger corpus")
    chosen = options.parse_args()
    print(machine(), f"seed {chosen.seed}", sep=", ")
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        small = make_corpus(Path(folder) / "small", chosen.plans, chosen.seed)
        seconds = measure(small, chosen.rounds)
        print_sides(small, seconds)
        if not chosen.skip_large:
            large = make_corpus(Path(folder) / "large", 10 * chosen.plans, chosen.seed + 1)
            print_growth(small, seconds["bursar"], large, cpu_seconds(read_with_bursar, large))


def machine() -> str:
    """Cores, Python and load."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def read_with_bursar(paths: Sequence[Path]) -> None:
    """Every plan, all of it."""
    for path in paths:
        assert isinstance(read_plan(path), Plan)


def read_bare(paths: Sequence[Path]) -> None:
    """The text of every file, and its front matter as YAML."""
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        yaml.load(text[4 : text.index("\n---\n", 4) + 1], Loader=yaml.CSafeLoader)


def read_bare_in_python(paths: Sequence[Path]) -> None:
    """The same with `yaml.safe_load`, whose parser is written in Python."""
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        yaml.safe_load(text[4 : text.index("\n---\n", 4) + 1])


SIDES: dict[str, Callable[[Sequence[Path]], None]] = {
    "bursar": read_with_bursar,
    "bare, CSafeLoader": read_bare,
}


def measure(paths: Sequence[Path], rounds: int) -> dict[str, float]:
    """CPU seconds of each side, the median over rounds in which they take turns; the Python loader once."""
    for side in SIDES.values():
        side(paths[:200])
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    for turn in range(rounds):
        order = list(SIDES) if turn % 2 == 0 else list(reversed(SIDES))
        for name in order:
            times[name].append(cpu_seconds(SIDES[name], paths))
    result = {name: statistics.median(values) for name, values in times.items()}
    return {**result, "bare, safe_load": cpu_seconds(read_bare_in_python, paths)}


def cpu_seconds(read: Callable[[Sequence[Path]], None], paths: Sequence[Path]) -> float:
    """What one pass over the files takes."""
    begin = time.process_time()
    read(paths)
    return time.process_time() - begin


def print_sides(paths: Sequence[Path], seconds: dict[str, float]) -> None:
    """Each side's speed, and how many times as long as the bare one bursar takes."""
    size = sum(path.stat().st_size for path in paths)
    print(f"{len(paths):,} plans, {size / 1e6:.1f} MB")
    for name, taken in seconds.items():
        ratio = seconds["bursar"] / taken
        print(f"  {name:<20}{taken:7.2f} s{size / 1e6 / taken:9.1f} MB/s{len(paths) / taken:9.0f} plans/s{ratio:8.2f}x")
    ordinary, fast = (seconds["bursar"] / seconds[f"bare, {name}"] for name in ("safe_load", "CSafeLoader"))
    print(f"  bursar takes {ordinary:.2f} times as long as a bare read with safe_load, {fast:.2f} times as long as one")
    print(f"  with the C loader, which it uses itself (aim: {AIM:.0f})")


def print_growth(small: Sequence[Path], small_seconds: float, large: Sequence[Path], large_seconds: float) -> None:
    """How the time per plan grows with the number of plans; 1.0 is linear."""
    growth = (large_seconds / len(large)) / (small_seconds / len(small))
    print(f"{len(large):,} plans in {large_seconds:.2f} s: {growth:.2f} times the time per plan (1.00 is linear)")


def make_corpus(folder: Path, count: int, seed: int) -> list[Path]:
    """So many plans in folders of forty."""
    numbers = random.Random(seed)
    paths = []
    for index in range(count):
        phase = folder / f"{index // 40 + 1:02}-part"
        phase.mkdir(parents=True, exist_ok=True)
        paths.append(phase / f"{index // 40 + 1:02}-{index % 40 + 1:02}-PLAN.md")
        paths[-1].write_text(make_plan(numbers, index // 40 + 1, index % 40 + 1), encoding="utf-8")
    return paths


def make_plan(numbers: random.Random, phase: int, plan: int) -> str:
    """One plan; about a fifth of it is front matter, the rest tasks of equal size."""
    size = size_at(numbers.random())
    tasks = numbers.choices(list(TASKS), list(TASKS.values()))[0]
    front = make_front(numbers, phase, plan, size // 5)
    context = "\n<context>\n@.planning/PROJECT.md\n@src/reader.py\n</context>\n"
    body = "\n".join(make_task(numbers, number, (size - len(front)) // tasks) for number in range(1, tasks + 1))
    return f"{front}\n<objective>\n{sentence(numbers, 20)}\n</objective>\n{context}\n<tasks>\n\n{body}\n</tasks>\n"


def size_at(share: float) -> int:
    """The size that this share of all plans does not exceed."""
    for (low, least), (high, most) in pairwise(SIZES):
        if share <= high:
            return int(least + (most - least) * (share - low) / (high - low))
    return SIZES[-1][1]


def make_front(numbers: random.Random, phase: int, plan: int, size: int) -> str:
    """Front matter with what must hold when the plan is done."""
    lines = ["---", f"phase: {phase:02}-part", f"plan: {plan:02}", "type: execute", "wave: 1", "depends_on: []"]
    lines += [
        "files_modified:",
        *(f"  - src/{word}.py" for word in numbers.sample(VOCABULARY, 4)),
        "autonomous: true",
    ]
    lines += ["must_haves:", "  truths:"]
    while sum(map(len, lines)) + len(lines) < size:
        lines.append(f'    - "{sentence(numbers, 12)}"')
    lines += ["  artifacts:", '    - path: "src/reader.py"', '      provides: "a reader"', "---", ""]
    return "\n".join(lines)


def make_task(numbers: random.Random, number: int, size: int) -> str:
    """A task whose action holds prose, a list and code that is no XML."""
    lines: list[str] = []
    length = 0
    while length < size - 400:
        kind = numbers.randrange(5)
        code = numbers.choice(CODE)
        line = f"    ```python\n    {code}\n    ```" if kind == 0 else f"    - {sentence(numbers, 9)} `{code}`"
        lines.append(line if kind < 3 else f"    {sentence(numbers, 18)}")
        length += len(lines[-1]) + 1
    action = "\n".join(lines) or "    Write it."
    return (
        f'<task type="auto">\n  <name>Task {number}: {sentence(numbers, 4)}</name>\n'
        f"  <files>src/{numbers.choice(VOCABULARY)}.py, tests/test_{numbers.choice(VOCABULARY)}.py</files>\n"
        f"  <action>\n{action}\n  </action>\n"
        f"  <verify>\n    <automated>python -m pytest -q tests</automated>\n  </verify>\n"
        f"  <done>{sentence(numbers, 8)}</done>\n</task>\n"
    )


def sentence(numbers: random.Random, words: int) -> str:
    """Words in no order."""
    return " ".join(numbers.choices(VOCABULARY, k=words)).capitalize()


if __name__ == "__main__":
    main()
