"""The roadmap that `bursar parallel` is about, and how it names phases."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from bursar.cli.phases import PLANNING, find_planning
from bursar.cli.problems import tell_problems
from bursar.errors import InvalidPlan, UserError
from bursar.graph import NOBODY_DOES, Graph, build_graph, check_roadmap, phase_nodes
from bursar.plan import PhaseStatus, Roadmap, UnreadableRoadmap, read_roadmap

NAME = "ROADMAP.md"


def find_roadmap() -> Path | None:
    """ROADMAP.md of the nearest `.planning` folder; None where there is none."""
    planning = find_planning(Path.cwd())
    path = planning / NAME if planning is not None else None
    return path if path is not None and path.exists() else None


def open_roadmap(given: str | None) -> Roadmap:
    """The roadmap at that path, else of the project; warnings are told.

    Raises:
        UserError: none was named, and the project has none.
        InvalidPlan: it cannot be read.
    """
    path = Path(given) if given is not None else find_roadmap()
    if path is None:
        raise UserError(f"there is no {PLANNING}/{NAME} here or above", hint="name a roadmap: ROADMAP.md")
    roadmap = read_roadmap(path)
    if isinstance(roadmap, UnreadableRoadmap):
        raise InvalidPlan("\n".join(map(str, roadmap.problems)), hint=roadmap.problems[0].hint)
    tell_problems(roadmap.warnings)
    return roadmap


def link_phases(roadmap: Roadmap, without: Collection[PhaseStatus] = NOBODY_DOES) -> Graph:
    """The graph of the phases but those of the states in `without`.

    Raises:
        InvalidPlan: phases wait for each other.
    """
    graph = build_graph(phase_nodes(roadmap, without))
    if not isinstance(graph, Graph):
        raise InvalidPlan("\n".join(map(str, check_roadmap(roadmap, without))))
    return graph


def numbers_as_data(phases: Sequence[str]) -> list[int | str]:
    """Numbers of phases as JSON has them: whole ones as numbers, `2.1` and `PROJ-42` as text."""
    return [int(phase) if phase.isascii() and phase.isdigit() and len(phase) < 10 else phase for phase in phases]


def tell_data(data: Any) -> None:
    """JSON on stdout."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
