"""Problems of files, as words on stderr and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from bursar.plan import Problem


def tell_problems(problems: Iterable[Problem]) -> None:
    """Each on a line of stderr, with its hint below it."""
    for problem in problems:
        sys.stderr.write(f"{'error' if problem.is_error else 'warning'}: {problem}\n")
        if problem.hint:
            sys.stderr.write(f"  hint: {problem.hint}\n")


def problem_as_data(problem: Problem) -> dict[str, object]:
    """The problem as JSON can say it."""
    return {
        "file": str(problem.path),
        "line": problem.position.line,
        "column": problem.position.column,
        "level": "error" if problem.is_error else "warning",
        "message": problem.message,
    }
