"""`bursar learn report`: what each kind of work took, and what the next attempt at it will probably take."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bursar.cli.json_output import write_json
from bursar.cli.learn_history import opened_history
from bursar.cli.parsing import parser
from bursar.errors import OK
from bursar.estimation import Interval
from bursar.history import LEARN_FROM, Experience, Observation, build_statistics, key_of, learn, name_kind
from bursar.layout import count_of


def main(arguments: Sequence[str]) -> int:
    """Prints it; nothing is written."""
    options = parser("learn report", "what each kind of work took, and what an attempt at it will probably take")
    options.add_argument("--json", action="store_true", help="a JSON object on stdout")
    chosen = options.parse_args(arguments[1:])
    with opened_history() as history:
        read, refused = history.read(), history.refused()
    experience = learn(read.observations[-LEARN_FROM:], read.unbelievable)
    latest = {name_kind(seen): seen for seen in read.observations if seen.outcome != "interrupted"}
    statistics = build_statistics(read.observations)
    kinds = [_kind(latest[name], figures, experience) for name, figures in statistics.items()]
    data = {
        "observations": len(read.observations),
        "unbelievable": read.unbelievable,
        "refused": len(refused),
        "coverage": experience.estimator.coverage("tokens"),
        "kinds": kinds,
    }
    if chosen.json:
        write_json(data)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(data))
    return OK


def _kind(latest: Observation, figures: Mapping[str, Any], experience: Experience) -> dict[str, Any]:
    """What work like the latest of its kind has taken, and will take."""
    key = key_of(latest, "tokens")
    interval = experience.estimator.estimate(key)
    return {
        "type": latest.task_type,
        "complexity": latest.complexity,
        "model": latest.model,
        **figures,
        "estimated_success_rate": round(experience.success.estimate(key).rate, 4),
        "next_tokens": _as_data(interval),
    }


def _as_data(interval: Interval) -> dict[str, int]:
    return {name: math.ceil(getattr(interval, name)) for name in ("p10", "p50", "p90")}


def _lines(data: dict[str, Any]) -> Iterator[str]:
    if not data["observations"]:
        yield "nothing has been learned yet: no attempt has finished here, and nothing was imported"
    for kind in data["kinds"]:
        complexity = "no complexity" if kind["complexity"] is None else f"complexity {kind['complexity']}"
        yield f"{kind['type']}, {complexity}, {kind['model']}"
        yield (
            f"  {kind['count']} finished, {100 * kind['success_rate']:.0f} % of them successfully;"
            f" {kind['min_tokens']:,} to {kind['max_tokens']:,} tokens, {kind['avg_duration']:.0f} s on average"
        )
        next_ = kind["next_tokens"]
        yield f"  the next: {next_['p50']:,} tokens, {next_['p10']:,} to {next_['p90']:,} in eight of ten cases"
    if data["coverage"] is not None:
        yield f"{100 * data['coverage']:.0f} % of the attempts took what they were, or would have been, estimated at"
    if data["unbelievable"] or data["refused"]:
        unbelievable, refused = data["unbelievable"], data["refused"]
        passed_over = f"{count_of(unbelievable, 'row')} that cannot be believed"
        yield f"not learned from: {passed_over}, and {count_of(refused, 'refused row')} of imports"
