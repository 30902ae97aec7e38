"""What a worktree costs: made and removed each time, beside one that is used again, in turns, in one run.

    python benchmarks/worktrees.py            20,000 files, five rounds
    python benchmarks/worktrees.py --quick    2,000 files, two rounds

Processor time (user and system) of this process and of the gits that it starts; what an attempt leaves behind is not
counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bursar.worktrees import Pool, create, open_repository, remove

WHO = {f"GIT_{role}_{part}": "bench" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}


def main() -> None:
    """Measures and prints the medians and their ratio."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--quick", action="store_true")
    is_quick = options.parse_args().quick
    files, rounds = (2_000, 2) if is_quick else (20_000, 5)
    with tempfile.TemporaryDirectory(prefix="bursar-bench-", dir=os.environ.get("TMPDIR")) as folder:
        fresh, again = _measure(Path(folder), files, rounds)
    print(f"worktrees of {files:,} files, {rounds} rounds in turns, CPU seconds (median, least to most)")
    for name, seconds in (("made and removed", fresh), ("used again", again)):
        print(f"  {name:17} {statistics.median(seconds):8.3f}  ({min(seconds):.3f} to {max(seconds):.3f})")
    print(f"  ratio {statistics.median(fresh) / statistics.median(again):.1f}")


def _measure(folder: Path, files: int, rounds: int) -> tuple[list[float], list[float]]:
    commits = _make_repository(folder / "repo", files)
    repository = open_repository(folder / "repo")
    pool = Pool(repository, folder / "spares", most=1)
    path = folder / "trees" / "pooled"
    fresh, again = list[float](), list[float]()
    pool.create(path, commits[0])
    _dirty(path)
    for number in range(rounds):
        base, other = commits[number % 2], folder / "trees" / f"new{number}"
        made = _cpu_of(partial(create, repository, other, base))
        _dirty(other)
        fresh.append(made + _cpu_of(partial(remove, repository, other)))
        given_back = _cpu_of(partial(pool.remove, path))
        again.append(given_back + _cpu_of(partial(pool.create, path, base)))
        _dirty(path)
    return fresh, again


def _make_repository(root: Path, files: int) -> tuple[str, str]:
    """Two commits, the second of which changes five files; packed, as a clone is."""
    for number in range(files):
        path = root / f"d{number % 40}" / f"e{number % 400}" / f"f{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def name_{number}(value):\n    return value\n" * (5 + number % 97))
    _git(root, "init", "--quiet")
    first = _commit(root)
    for number in range(5):
        (root / f"d{number}" / f"e{number}" / f"f{number}.py").write_text("changed\n")
    second = _commit(root)
    _git(root, "repack", "-adq")
    return first, second


def _dirty(top: Path) -> None:
    """What an attempt leaves: some files changed, some new, some that nobody asked for."""
    for number in range(40):
        (top / f"d{number}" / f"new{number}.txt").write_text("new\n")
        (top / f"d{number}" / f"e{number}" / f"f{number}.py").write_text("other\n")


def _commit(root: Path) -> str:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "-m", "state")
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "gc.auto=0", *arguments], cwd=root, env={**os.environ, **WHO}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def _cpu_of(work: Callable[[], object]) -> float:
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
