"""Problems of files that people write, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bursar.plan import Problem


def tell_problems(problems: Sequence[Problem]) -> None:
    """Each on stderr as `error: file:line:column: …`, with its hint."""
    for problem in problems:
        sys.stderr.write(f"{'error' if problem.is_error else 'warning'}: {problem}\n")
        if problem.hint:
            sys.stderr.write(f"  hint: {problem.hint}\n")


def problems_as_data(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """For JSON; the hint is null where there is none."""
    return [
        {
            "file": str(problem.path),
            "line": problem.position.line,
            "column": problem.position.column,
            "level": "error" if problem.is_error else "warning",
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]
