"""`bursar stop [RUN]`: a run's agents end, and what they have begun is kept for a resume."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.cli.run_requests import ask
from bursar.journal import RequestKind


def main(arguments: Sequence[str]) -> int:
    """The run does so; 0, or 2 where it has ended for good."""
    return ask(RequestKind.STOP, arguments)
