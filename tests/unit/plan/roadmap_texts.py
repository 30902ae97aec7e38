"""Roadmaps for tests, in words of our own."""

from __future__ import annotations

from pathlib import Path

from bursar.plan import Phase, Roadmap, parse_roadmap

ROADMAP_PATH = Path("ROADMAP.md")


def read(text: str) -> Roadmap:
    """The roadmap in a text."""
    return parse_roadmap(text, ROADMAP_PATH)


def only(text: str) -> Phase:
    """The one phase of a text."""
    phases = read(text).phases
    assert len(phases) == 1, phases
    return phases[0]


def numbers(text: str) -> list[str]:
    return [phase.number for phase in read(text).phases]


def messages(roadmap: Roadmap) -> list[str]:
    """What is warned of, each as `line: message`."""
    return [f"{problem.position.line}: {problem.message}" for problem in roadmap.warnings]
