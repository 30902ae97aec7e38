"""What a person should know of an attempt that no figure says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bursar.metering import Meter

_MOST_REASONS = 3
_TAIL_BYTES = 4096
_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")


def describe_rejections(meter: Meter) -> Iterator[str]:
    """How many lines and figures were not understood, or not believed, and the first reasons; nothing if none was."""
    count = meter.rejected_lines
    if count:
        reasons = list(dict.fromkeys(meter.rejections))[:_MOST_REASONS]
        what = "1 line or figure of the agent's was" if count == 1 else f"{count} lines or figures of the agent's were"
        yield f"{what} not understood, or not believed: {'; '.join(reasons)}"


def read_last_line(path: Path) -> str:
    """The last line of a file that says anything, cut short and without colours; empty where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = _COLOURS.sub("", file.read().decode(errors="replace")).splitlines()
    except OSError:
        return ""
    return next((line.strip()[:_LONGEST] for line in reversed(lines) if line.strip()), "")
