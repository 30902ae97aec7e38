"""How long roadmaps take to be read: an ordinary one, one of 4 MiB, and 4 MiB made to take long.

Of the hostile texts the slowest are shown. Aim: each within 2 s of CPU time and 256 MiB.

    python benchmarks/roadmaps.py            every hostile text; some minutes
    python benchmarks/roadmaps.py --quick    an eighth of them
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.properties.test_roadmap_properties import LARGE, PLACES

from bursar.graph import check_roadmap, startable_phases
from bursar.plan import parse_roadmap

MOST_BYTES = 4 * 1024 * 1024
AIM_SECONDS, AIM_MIB = 2.0, 256
SHOWN = 8
_PATH = Path("ROADMAP.md")
_PHASE = """\
### Phase {number}: A part of the whole
**Goal**: What people can do when it is done, in a sentence of ordinary length
**Depends on**: Phase {before} (what it gives is needed)
**Requirements**: PART-{number}, PART-{before}
**Success Criteria** (what must be TRUE):
  1. One thing that can be seen
  2. Another thing that can be seen, and which takes somewhat longer to be told
**Plans**: 2 plans

Plans:
- [x] {number}-01-PLAN.md — The first half
- [ ] {number}-02-PLAN.md — The second half

"""
_MANY = ("All previous phases", "Phases 1-100, 200-300", "Phase {0}", "Phases " + "1-100, " * 200, "parallel " * 200)


def main() -> None:
    """Prints what was measured."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    per_byte = []
    for phases in (40, 400):
        text = "# Roadmap\n\n" + "".join(_PHASE.format(number=n, before=n - 1) for n in range(1, phases + 1))
        seconds = min(_seconds(text) for _ in range(5))
        print(
            f"{phases} phases, {len(text) / 1e3:.0f} kB: {seconds * 1e3:.1f} ms, {len(text) / 1e6 / seconds:.1f} MB/s"
        )
        per_byte.append(seconds / len(text))
    print(f"ten times the phases: {per_byte[1] / per_byte[0]:.2f} times the time per byte (1.00 is linear)")
    measured = [(_seconds(text), name) for name, text in _hostile(8 if chosen.quick else 1)]
    print(f"{len(measured)} hostile texts of 4 MiB, the slowest (aim {AIM_SECONDS} s of CPU time):")
    for seconds, name in sorted(measured, reverse=True)[:SHOWN]:
        print(f"  {seconds:5.2f} s  {name}")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB (aim {AIM_MIB})")


def _hostile(step: int) -> Iterator[tuple[str, str]]:
    for value in _MANY:
        count = MOST_BYTES // (len(value) + 35)
        text = "".join(f"### Phase {n}: x\n**Depends on**: {value.format(n - 1)}\n" for n in range(1, count))
        yield f"many phases, each after {value[:24]!r}", text[:MOST_BYTES]
    pairs = [(place, part) for place in PLACES for part in LARGE]
    for place, part in pairs[::step]:
        yield f"{part!r} in {place!r}", place.format(part * (MOST_BYTES // len(part)))[:MOST_BYTES]


def _seconds(text: str) -> float:
    start = time.process_time()
    roadmap = parse_roadmap(text, _PATH)
    check_roadmap(roadmap)
    startable_phases(roadmap)
    return time.process_time() - start


if __name__ == "__main__":
    main()
