"""One conductor writes a run, whatever has become of its lock: in the very transaction it is asked who that is.

A lock keeps a second conductor from starting. Where it is lost (its file was deleted, the file system forgets locks)
the one that came last is the run's, and the other finds out at its next write.

Source: docs/decisions/0053-a-lost-lock.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.errors import Superseded

if TYPE_CHECKING:
    from bursar.database import Database


@dataclass(frozen=True, slots=True)
class Fence:
    """Writes are by this conductor of this run."""

    run_id: str
    conductor: str

    @property
    def question(self) -> tuple[str, tuple[str, str]]:
        """Whether the run is its; one row if so."""
        return "SELECT 1 FROM run WHERE id = ? AND conductor = ?", (self.run_id, self.conductor)

    def check(self, rows: Sequence[Any]) -> None:
        """The run is still this conductor's, as the rows (the question's answer) say.

        Raises:
            Superseded: it is somebody else's.
        """
        if not rows:
            raise Superseded(
                f"run {self.run_id} is conducted by another process since; this one has let go of it",
                hint="bursar status",
            )


@contextmanager
def fenced_write(database: Database, fence: Fence | None) -> Iterator[Any]:
    """A transaction in which the run is that conductor's; all is written, or nothing.

    Raises:
        Superseded: it is somebody else's.
        StoreError: see `Database.write`.
    """
    with database.write() as connection:
        if fence is not None:
            sql, values = fence.question
            fence.check(connection.execute(sql, values).fetchall())
        yield connection
