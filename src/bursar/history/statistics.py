"""`.planning/.token-stats.json`: what the history comes to for each kind of work, for people and other programs.

Nothing is read back from it: the history is the store, this is its export.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bursar.history.observation import KIND_SEPARATOR, Observation

STATISTICS_FILE = ".token-stats.json"
Statistics = dict[str, int | float | None]


def build_statistics(observations: Iterable[Observation]) -> Mapping[str, Statistics]:
    """For each `TYPE|COMPLEXITY|MODEL` its count, tokens, average seconds and success rate.

    Interrupted attempts are not counted. The complexity is `-` where nobody said.

    Source: the design documents; keys are text, since JSON has no others.
    """
    found: dict[str, list[Observation]] = {}
    for seen in observations:
        if seen.outcome != "interrupted":
            found.setdefault(name_kind(seen), []).append(seen)
    return {name: _sum_up(found[name]) for name in sorted(found)}


def name_kind(seen: Observation) -> str:
    """`TYPE|COMPLEXITY|MODEL`; no type has a `|` in it."""
    return KIND_SEPARATOR.join((seen.task_type, "-" if seen.complexity is None else str(seen.complexity), seen.model))


def write_statistics(folder: Path, statistics: Mapping[str, Statistics]) -> Path:
    """The file in `folder` says this, and never half of it.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / STATISTICS_FILE
    beside = folder / f"{STATISTICS_FILE}.{os.getpid()}"
    try:
        beside.write_text(json.dumps(statistics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _sum_up(seen: list[Observation]) -> Statistics:
    tokens = [each.tokens for each in seen]
    return {
        "count": len(seen),
        "total_tokens": sum(tokens),
        "min_tokens": min(tokens),
        "max_tokens": max(tokens),
        "avg_duration": round(sum(each.wall_seconds for each in seen) / len(seen), 3),
        "success_rate": round(sum(each.outcome == "succeeded" for each in seen) / len(seen), 4),
    }
