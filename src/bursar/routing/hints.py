"""What is known of a task before it is tried, and what that has been worth: a shift of its difficulty, one of its cost.

Type and project are means pulled towards nothing; complexity and the length of the text are slopes pulled towards a
guess. Everything is learned from what finished attempts leave unexplained, one after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bursar.routing.purchases import Facts

_MIDDLE_COMPLEXITY, _COMPLEXITY_STEP = 5.0, 2.5
_MIDDLE_LENGTH = math.log(1500.0)
_LENGTH_LIMIT = 2.0


def scores_of(facts: Facts) -> tuple[float, float]:
    """(complexity, length of the text) around their middles; 0 where unknown."""
    complexity = 0.0 if facts.complexity is None else (facts.complexity - _MIDDLE_COMPLEXITY) / _COMPLEXITY_STEP
    length = math.log(1 + len(facts.text)) - _MIDDLE_LENGTH if facts.text else 0.0
    return complexity, max(-_LENGTH_LIMIT, min(_LENGTH_LIMIT, length))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one task has added to the effects, so that it can be taken back when more is known of the task."""

    facts: Facts
    products: tuple[float, float]
    kind: float
    project: float


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: float = 0.0


@dataclass(slots=True)
class Effects:
    """A shift that depends on the facts: two slopes and a mean for each type and project.

    Args:
        slopes: what the slopes of complexity and length are before anything is seen.
        certainty: observations that those guesses are worth.
        group: observations that "types and projects do not differ" is worth.
    """

    slopes: tuple[float, float]
    certainty: tuple[float, float]
    group: float
    _squares: list[float] = field(default_factory=list)
    _products: list[float] = field(default_factory=list)
    _kinds: dict[str, _Mean] = field(default_factory=dict)
    _projects: dict[str, _Mean] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._squares = list(self.certainty)
        self._products = [slope * weight for slope, weight in zip(self.slopes, self.certainty, strict=True)]

    def shift(self, facts: Facts) -> float:
        """What the facts say."""
        return sum(self._parts(facts))

    def learn(self, facts: Facts, shift: float) -> Lesson:
        """Count one task whose true shift was about this."""
        scores, parts = scores_of(facts), self._parts(facts)
        left = shift - sum(parts)
        lesson = Lesson(
            facts,
            (scores[0] * (left + parts[0]), scores[1] * (left + parts[1])),
            left + parts[2],
            left + parts[3],
        )
        self._add(lesson, 1.0)
        return lesson

    def forget(self, lesson: Lesson) -> None:
        """As if the lesson had not been learned."""
        self._add(lesson, -1.0)

    def _add(self, lesson: Lesson, sign: float) -> None:
        for index, score in enumerate(scores_of(lesson.facts)):
            self._squares[index] += sign * score * score
            self._products[index] += sign * lesson.products[index]
        for means, name, part in (
            (self._kinds, lesson.facts.kind, lesson.kind),
            (self._projects, lesson.facts.project, lesson.project),
        ):
            if name:
                mean = means.setdefault(name, _Mean())
                mean.total, mean.count = mean.total + sign * part, mean.count + sign

    def _parts(self, facts: Facts) -> tuple[float, float, float, float]:
        scores = scores_of(facts)
        complexity, length = (
            score * product / square
            for score, product, square in zip(scores, self._products, self._squares, strict=True)
        )
        return complexity, length, self._mean(self._kinds, facts.kind), self._mean(self._projects, facts.project)

    def _mean(self, means: dict[str, _Mean], name: str) -> float:
        mean = means.get(name)
        return mean.total / (mean.count + self.group) if mean else 0.0
