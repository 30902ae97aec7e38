"""The roadmap that `bursar parallel` is about, and how it names phases."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.roadmap_files import find_roadmap
from bursar.errors import InvalidPlan
from bursar.graph import Graph, build_graph, check_roadmap, phases_to_run
from bursar.plan import Roadmap, UnreadableRoadmap, read_roadmap


def open_roadmap(given: str | None) -> Roadmap:
    """The roadmap at that path, else of the project; how many warnings there are is told.

    Raises:
        UserError: none was named, and the project has none.
        InvalidPlan: it cannot be read.
    """
    roadmap = read_roadmap(find_roadmap() if given is None else Path(given))
    if isinstance(roadmap, UnreadableRoadmap):
        raise InvalidPlan("\n".join(map(str, roadmap.problems)), hint=roadmap.problems[0].hint)
    if count := len(roadmap.warnings):
        what = "warning" if count == 1 else "warnings"
        sys.stderr.write(f"{count} {what} about {roadmap.path}: bursar roadmap check {roadmap.path}\n")
    return roadmap


def link_phases(roadmap: Roadmap, *, done_too: bool = False) -> Graph:
    """The graph of the phases that are to be done; see `phases_to_run`.

    Raises:
        InvalidPlan: phases wait for each other.
    """
    graph = build_graph(phases_to_run(roadmap, done_too=done_too))
    if not isinstance(graph, Graph):
        problems = check_roadmap(roadmap)
        raise InvalidPlan("\n".join(map(str, problems)), hint=problems[0].hint)
    return graph


def numbers_as_data(phases: Sequence[str]) -> list[int | str]:
    """Numbers of phases as JSON has them: whole ones as numbers, `2.1` and `PROJ-42` as text."""
    return [int(phase) if phase.isascii() and phase.isdigit() and len(phase) < 10 else phase for phase in phases]
