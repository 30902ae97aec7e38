"""How complex a task looks, 1 to 10, from words in its text: the documented indicators, and which of them were found.

It says what a task looks like, not how hard it is: no outcome is known that these words foretell.
"""

from __future__ import annotations

from dataclasses import dataclass

from bursar.plan import Task

_START, _LEAST, _MOST = 5, 1, 10
_READS = ("read", "understand", "review")
_ARCHITECTURE = ("architecture", "design", "pattern", "new service", "new table", "new layer")
_NOVEL = ("research", "investigate", "validate", "security", "performance optimization")
_MANY_FILES = 2


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something found in the text, and the points that it adds or takes."""

    points: int
    because: str


@dataclass(frozen=True, slots=True)
class Complexity:
    """1 to 10, and why."""

    score: int
    indicators: tuple[Indicator, ...] = ()
    is_authors: bool = False

    @property
    def reason(self) -> str:
        """In words: where the score comes from."""
        if self.is_authors:
            return "the plan says so"
        found = [f"{one.points:+d} {one.because}" for one in self.indicators]
        return ", ".join([f"{_START} to begin with", *found])


def score_task(task: Task) -> Complexity:
    """The author's `estimated-complexity`, else what the indicators give."""
    if task.complexity is not None:
        return Complexity(task.complexity, is_authors=True)
    return score_text(name=task.name, action=task.action, done=task.done, files=len(task.files))


def score_text(*, name: str = "", action: str = "", done: str = "", files: int = 0) -> Complexity:
    """5, less for reading, small fixes and plain additions, more for architecture, wide refactoring and the unknown.

    Source: the design documents; docs/decisions/0031-rules-and-complexity.md for what was read differently.
    """
    name, action, done = name.lower(), action.lower(), done.lower()
    found = [
        *_easier(name, action, done, files),
        *_harder(name, action, files),
    ]
    score = _START + sum(one.points for one in found)
    return Complexity(max(_LEAST, min(_MOST, score)), tuple(found))


def _easier(name: str, action: str, done: str, files: int) -> list[Indicator]:
    found = []
    reads = _first(_READS, action)
    if reads and "implement" not in action:
        found.append(Indicator(-2, f"it is mainly for reading (`{reads}`)"))
    if "fix" in name and files <= 1 and "regex" not in done and "algorithm" not in done:
        found.append(Indicator(-2, "a fix in one file"))
    if "add" in action and "complex" not in action and "state management" not in action:
        found.append(Indicator(-1, "a plain addition (`add`)"))
    return found


def _harder(name: str, action: str, files: int) -> list[Indicator]:
    found = []
    decides = _first(_ARCHITECTURE, action) or ("refactor" if "large-scale" in action and "refactor" in action else "")
    if decides:
        found.append(Indicator(3, f"it decides about architecture (`{decides}`)"))
    if "refactor" in name and files > _MANY_FILES:
        found.append(Indicator(2, f"a refactoring of {files} files"))
    novel = _first(_NOVEL, action)
    if novel:
        found.append(Indicator(2, f"it goes into the unknown (`{novel}`)"))
    return found


def _first(words: tuple[str, ...], text: str) -> str:
    return next((word for word in words if word in text), "")
