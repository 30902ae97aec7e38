"""A quick no for names that mean no model: a log may have thousands, and so many are the rules of the price library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


class NameSieve:
    """Whether one of many clauses of the price library could hold for a name; what it holds back, none means."""

    def __init__(self, clauses: Iterable[Any]) -> None:
        self._equals: set[str] = set()
        self._starts: set[str] = set()
        self._ends: set[str] = set()
        self._contains: set[str] = set()
        self._regexes: set[str] = set()
        for clause in clauses:
            self._take(clause)
        self._any_start, self._any_end = tuple(self._starts), tuple(self._ends)

    def lets_through(self, name: str) -> bool:
        """A clause may hold for the name, which is in lower case."""
        return (
            name in self._equals
            or name.startswith(self._any_start)
            or name.endswith(self._any_end)
            or any(part in name for part in self._contains)
            or any(re.search(regex, name) for regex in self._regexes)
        )

    def _take(self, clause: Any) -> None:
        for part in getattr(clause, "or_", ()):
            self._take(part)
        if hasattr(clause, "and_"):
            self._take(max(clause.and_, key=_length))  # where that part does not hold, the whole does not
        for kind, known in (
            ("equals", self._equals),
            ("starts_with", self._starts),
            ("ends_with", self._ends),
            ("contains", self._contains),
        ):
            if hasattr(clause, kind):
                known.add(getattr(clause, kind).lower())
        if hasattr(clause, "regex"):
            self._regexes.add(clause.regex)


def _length(clause: Any) -> int:
    """The longer the text of a clause, the fewer are the names for which it holds; a pattern may hold for most."""
    return max(
        (len(text) for kind, text in vars(clause).items() if isinstance(text, str) and kind != "regex"), default=0
    )
