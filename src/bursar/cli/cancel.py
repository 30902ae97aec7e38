"""`bursar cancel [RUN]`: a run ends for good."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.cli.run_requests import ask
from bursar.journal import RequestKind


def main(arguments: Sequence[str]) -> int:
    """The run does so; 0, or 2 where it has ended for good."""
    return ask(RequestKind.CANCEL, arguments)
