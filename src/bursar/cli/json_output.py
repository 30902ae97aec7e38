"""JSON on standard output. It imports next to nothing until something is written."""

from __future__ import annotations

import sys


def write_json(value: object, *, only_ascii: bool = False) -> None:
    """The value is written over as many lines as it takes.

    Args:
        only_ascii: every other letter is escaped.
    """
    import json

    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=only_ascii) + "\n")


def write_json_line(value: object, *, only_ascii: bool = False) -> None:
    """The value is written on one line; `only_ascii` as above."""
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=only_ascii) + "\n")
