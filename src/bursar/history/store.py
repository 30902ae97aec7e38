"""The history in one SQLite file."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.database import load_migrations, open_database

if TYPE_CHECKING:
    from bursar.database import Database

APPLICATION_ID = 0x62_72_73_68  # "brsh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """How one attempt went: what was asked, of whom, what came of it, what it took.

    Attributes:
        key: the attempt's key; an attempt is observed once.
        tokens: metered, cache included.
        nano_usd: cost of what was metered; None when a price is unknown.
    """

    key: str
    at: str
    project: str
    plan_id: str
    task: str
    subagent: str
    complexity: int | None
    agent: str
    model: str
    outcome: str
    tokens: int
    nano_usd: int | None
    calls: int
    wall_seconds: float


_COLUMNS = ", ".join(field.name for field in fields(Observation))
_MARKS = ", ".join("?" for _ in fields(Observation))


def open_history(path: Path) -> History:
    """The history at `path`, made if there is none.

    Raises:
        StoreError: the file is corrupt, foreign, of a later version, or cannot be written.
    """
    migrations = load_migrations(__file__)
    return History(open_database(path, migrations=migrations, application_id=APPLICATION_ID))


class History:
    """What was observed; nothing is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, observation: Observation) -> None:
        """The observation is kept; an attempt that was observed before stays as it was."""
        with self._database.write() as connection:
            connection.execute(
                f"INSERT INTO observation ({_COLUMNS}) VALUES ({_MARKS}) ON CONFLICT (key) DO NOTHING",
                astuple(observation),
            )

    def observations(self) -> list[Observation]:
        """Every observation, oldest first."""
        rows = self._database.query(f"SELECT {_COLUMNS} FROM observation ORDER BY at, key")
        return [
            Observation(**dict(zip([field.name for field in fields(Observation)], row, strict=True))) for row in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
