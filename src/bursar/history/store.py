"""The history in one SQLite file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bursar.database import load_migrations, open_database
from bursar.errors import StoreError
from bursar.history.observation import OUTCOMES, Observation, check_observation

if TYPE_CHECKING:
    from bursar.database import Database

APPLICATION_ID = 0x62_72_73_68  # "brsh"
_MAX_REFUSED_TEXT = 2_000

_NAMES = [field.name for field in fields(Observation)]
_COLUMNS = ", ".join(_NAMES)
_MARKS = ", ".join("?" for _ in _NAMES)
_SHOWN = ", ".join(
    "coalesce(correction.task_type, observation.task_type)" if name == "task_type" else f"observation.{name}"
    for name in _NAMES
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not believed: where it stood, what it said, and why."""

    origin: str
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Read:
    """Observations that can be learned from, oldest first, and how many rows cannot be believed."""

    observations: Sequence[Observation]
    unbelievable: int


def open_history(path: Path) -> History:
    """The history at `path`, made if there is none.

    Raises:
        StoreError: the file is corrupt, foreign, of a later version, or cannot be written.
    """
    migrations = load_migrations(__file__)
    return History(open_database(path, migrations=migrations, application_id=APPLICATION_ID))


class History:
    """What was observed; an observation is never changed, but may be forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, observation: Observation) -> None:
        """The observation is kept; an attempt that was observed before stays as it was."""
        self.record_all([observation])

    def record_all(self, observations: Sequence[Observation]) -> int:
        """They are kept, all at once; returns how many were new. What was observed before stays as it was."""
        new = 0
        with self._database.write() as connection:
            for observation in observations:
                connection.execute(
                    f"INSERT INTO observation ({_COLUMNS}) VALUES ({_MARKS}) ON CONFLICT (key) DO NOTHING",
                    _as_row(observation),
                )
                new += connection.changes()
        return new

    def observations(self, project: str | None = None) -> list[Observation]:
        """Every observation that can be believed, oldest first, with the types that people have corrected.

        Args:
            project: only what was observed here, in this one; None for all, imports among them.
        """
        return list(self.read(project=project).observations)

    def read(self, latest: int | None = None, project: str | None = None) -> Read:
        """As `observations`, with the number of rows that somebody must have written past us.

        Args:
            latest: only so many, the newest; None for all.
        """
        rows = self._database.query(
            f"SELECT {_SHOWN} FROM observation LEFT JOIN correction"
            " ON correction.digest = observation.digest AND observation.digest != ''"
            " WHERE ? IS NULL OR (observation.project = ? AND observation.origin = '')"
            " ORDER BY observation.at DESC, observation.key DESC LIMIT ?",
            (project, project, -1 if latest is None else latest),
        )
        rows.reverse()
        found = [seen for row in rows if (seen := _from_row(row)) is not None]
        return Read(found, len(rows) - len(found))

    def correct(self, digest: str, task_type: str) -> None:
        """The task's observations, earlier and later ones, are of this type."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO correction (digest, task_type) VALUES (?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET task_type = excluded.task_type",
                (digest, task_type),
            )

    def corrections(self) -> dict[str, str]:
        """The types that people have given, by the task's digest."""
        return {str(digest): str(type_) for digest, type_ in self._database.query("SELECT * FROM correction")}

    def forget(self, keys: Sequence[str]) -> int:
        """These observations are gone; returns how many there were."""
        gone = 0
        with self._database.write() as connection:
            for key in keys:
                connection.execute("DELETE FROM observation WHERE key = ?", (key,))
                gone += connection.changes()
        return gone

    def refuse(self, refused: Sequence[Refused]) -> None:
        """These rows are kept apart, where nothing learns from them."""
        with self._database.write() as connection:
            for each in refused:
                connection.execute(
                    "INSERT INTO quarantine (origin, line, text, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (each.origin, each.line, each.text[:_MAX_REFUSED_TEXT], each.reason),
                )

    def clear(self) -> None:
        """Nothing is known any more: no observation, believable or not, no correction and no refused row."""
        with self._database.write() as connection:
            for table in ("observation", "correction", "quarantine"):
                connection.execute(f"DELETE FROM {table}")

    def forget_refused(self, origin: str) -> int:
        """The rows that were refused of this origin are gone; returns how many there were."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM quarantine WHERE origin = ?", (origin,))
            return int(connection.changes())

    def refused(self) -> list[Refused]:
        """Every row that was refused, by origin and line."""
        return [Refused(*row) for row in self._database.query("SELECT origin, line, text, reason FROM quarantine")]

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


class FleetingHistory(History):
    """A history in place of one that cannot be used: it knows what it was told, and nobody does afterwards."""

    def __init__(self) -> None:
        self._seen: dict[str, Observation] = {}
        self._types: dict[str, str] = {}
        self._refused: list[Refused] = []

    def record_all(self, observations: Sequence[Observation]) -> int:
        """As a history does, while the process lives.

        Raises:
            StoreError: one of them has an outcome that there is none of; none is kept.
        """
        if any(seen.outcome not in OUTCOMES for seen in observations):
            raise StoreError("an outcome that does not exist cannot be kept")
        before = len(self._seen)
        for seen in observations:
            self._seen.setdefault(seen.key, seen)
        return len(self._seen) - before

    def read(self, latest: int | None = None, project: str | None = None) -> Read:
        """What it was told, oldest first."""
        found = [
            self._corrected(seen)
            for seen in self._seen.values()
            if project is None or (seen.project == project and not seen.origin)
        ]
        found.sort(key=lambda seen: (seen.at, seen.key))
        return Read(found if latest is None else found[max(0, len(found) - latest) :], 0)

    def correct(self, digest: str, task_type: str) -> None:
        """The task's observations, earlier and later ones, are of this type."""
        self._types[digest] = task_type

    def corrections(self) -> dict[str, str]:
        """The types that it was told."""
        return dict(self._types)

    def forget(self, keys: Sequence[str]) -> int:
        """These observations are gone; returns how many there were."""
        return sum(self._seen.pop(key, None) is not None for key in keys)

    def refuse(self, refused: Sequence[Refused]) -> None:
        """These rows are kept apart."""
        for each in refused:
            cut = replace(each, text=each.text[:_MAX_REFUSED_TEXT])
            if cut not in self._refused:
                self._refused.append(cut)

    def clear(self) -> None:
        """Nothing is known any more."""
        self._seen.clear()
        self._types.clear()
        self._refused.clear()

    def forget_refused(self, origin: str) -> int:
        """The rows that were refused of this origin are gone; returns how many there were."""
        left = [each for each in self._refused if each.origin != origin]
        gone, self._refused = len(self._refused) - len(left), left
        return gone

    def refused(self) -> list[Refused]:
        """Every row that was refused."""
        return list(self._refused)

    def close(self) -> None:
        """Nothing is open."""

    def _corrected(self, seen: Observation) -> Observation:
        return replace(seen, task_type=self._types.get(seen.digest, seen.task_type)) if seen.digest else seen


def _as_row(seen: Observation) -> tuple[Any, ...]:
    values: dict[str, Any] = {name: getattr(seen, name) for name in _NAMES}
    return tuple((values | {"facts": json.dumps(dict(seen.facts), sort_keys=True)}).values())


def _from_row(row: tuple[Any, ...]) -> Observation | None:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    try:
        facts = json.loads(values["facts"])
        seen = Observation(**values | {"facts": facts if isinstance(facts, dict) else {"": None}})
    except (ValueError, RecursionError):
        return None
    return seen if check_observation(seen) is None else None
