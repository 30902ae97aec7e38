"""What people say to a run, and what an attempt that was cut off leaves for the next; each method one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bursar.journal.fence import Fence, fenced_write
from bursar.journal.rows import escaped

if TYPE_CHECKING:
    from bursar.database import Database

_REQUEST = ("run_id", "conductor", "kind", "by_user", "at", "grace_seconds")
_REMAINDER = ("attempt", "agent", "session_id", "home", "work_commit", "said_left")


class RequestKind(StrEnum):
    """What is asked of a run, the mildest first."""

    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person asks something of a run; `conductor` is the process that it is meant for.

    Attributes:
        grace_seconds: of a stop: agents that can be told to wrap up may take so long for that; 0: all stop at once.
    """

    run_id: str
    conductor: str
    kind: RequestKind
    by_user: str
    at: str
    grace_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """A run was ended for good."""

    by_user: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Something was added to a run's limit: both as texts, in the run's unit."""

    run_id: str
    key: str
    amount: str
    new_limit: str
    by_user: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers that a question offers."""

    id: str
    name: str = ""
    pros: str = ""
    cons: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a checkpoint asks.

    Attributes:
        kind: `human-verify`, `decision`, …, as in the plan.
        digest: of the task's text when it was asked.
    """

    run_id: str
    task: str
    digest: str
    kind: str
    title: str
    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said to the question of the task with this digest."""

    run_id: str
    task: str
    digest: str
    text: str
    by_user: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """What an attempt that was cut off has left.

    Attributes:
        session_id: of the agent's conversation; None where nobody knows it.
        home: the folder in which the agent lived, and its session log lies.
        work_commit: its changes, on top of the attempt's base commit; None for none.
        said_left: what it said is left to do, where it was told to wrap up and did; else empty.
    """

    attempt: str
    agent: str
    session_id: str | None
    home: str
    work_commit: str | None
    said_left: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """An attempt whose work was done and could not be merged.

    Attributes:
        tip: the merged work that it did not fit onto.
        files: those in conflict; None where it was red in the merged work, for this `reason` and with this `log`.
    """

    attempt: str
    tip: str
    files: tuple[str, ...] | None = None
    reason: str = ""
    log: str = ""


class Controls:
    """The journal's tables of what people say to runs, and of what goes on where."""

    def __init__(self, database: Database, fence: Fence | None = None) -> None:
        self._database = database
        self._fence = fence

    def ask(self, request: Request) -> None:
        """The request is there for its conductor to find."""
        self._insert("request", _REQUEST, request)

    def requests(self, run_id: str, conductor: str) -> Sequence[Request]:
        """What was asked of this very conductor, oldest first."""
        rows = self._database.query(
            f"SELECT {', '.join(_REQUEST)} FROM request WHERE run_id = ? AND conductor = ? ORDER BY id",
            (run_id, conductor),
        )
        return [
            Request(run_id=run, conductor=to, kind=RequestKind(kind), by_user=by, at=at, grace_seconds=grace)
            for run, to, kind, by, at, grace in rows
        ]

    def cancel(self, run_id: str, by_user: str, at: str) -> None:
        """The run has ended for good and nobody conducts it; saying it again changes nothing."""
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                "INSERT INTO cancellation (run_id, by_user, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (run_id, by_user, at),
            )
            connection.execute(
                "UPDATE run SET state = 'interrupted', conductor = NULL, ended_at = ? WHERE id = ?", (at, run_id)
            )

    def cancellation(self, run_id: str) -> Cancellation | None:
        """Who has cancelled the run; None if nobody has."""
        rows = self._database.query("SELECT by_user, at FROM cancellation WHERE run_id = ?", (run_id,))
        return Cancellation(by_user=rows[0][0], at=rows[0][1]) if rows else None

    def add_to_limit(self, top_up: TopUp) -> None:
        """The run's limit is the new one, and it is known why; a key that was there changes nothing."""
        values = (top_up.run_id, top_up.key, top_up.amount, top_up.new_limit, top_up.by_user, top_up.at)
        with fenced_write(self._database, self._fence) as connection:
            known = connection.execute("SELECT 1 FROM top_up WHERE run_id = ? AND key = ?", values[:2]).fetchone()
            if known is None:
                connection.execute(
                    "INSERT INTO top_up (run_id, key, amount, new_limit, by_user, at) VALUES (?, ?, ?, ?, ?, ?)", values
                )
                connection.execute("UPDATE run SET budget_limit = ? WHERE id = ?", (top_up.new_limit, top_up.run_id))

    def top_ups(self, run_id: str) -> Sequence[TopUp]:
        """All that was added to the run's limit, oldest first."""
        rows = self._database.query(
            "SELECT run_id, key, amount, new_limit, by_user, at FROM top_up WHERE run_id = ? ORDER BY at, key",
            (run_id,),
        )
        names = ("run_id", "key", "amount", "new_limit", "by_user", "at")
        return [TopUp(**dict(zip(names, row, strict=True))) for row in rows]

    def put_question(self, question: Question, note: str) -> None:
        """The task waits for a person, who can see what is asked; an older question of its is forgotten."""
        options = json.dumps([[each.id, each.name, each.pros, each.cons] for each in question.options])
        texts = tuple(map(escaped, (question.kind, question.title, question.text)))
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO question (run_id, task, digest, kind, title, text, options)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (question.run_id, question.task, question.digest, *texts, options),
            )
            _set_task(connection, question.run_id, question.task, "waiting", note)

    def question(self, run_id: str, task: str) -> Question | None:
        """What the task asked last; None if it never did."""
        rows = self._database.query(
            "SELECT run_id, task, digest, kind, title, text, options FROM question WHERE run_id = ? AND task = ?",
            (run_id, task),
        )
        return _question(rows[0]) if rows else None

    def give_answer(self, answer: Answer, note: str) -> Answer:
        """The task is done, with this answer; or nothing has changed, and it is the answer that was given before."""
        keys = (answer.run_id, answer.task, answer.digest)
        with fenced_write(self._database, self._fence) as connection:
            known = connection.execute(
                "SELECT text, by_user, at FROM answer WHERE run_id = ? AND task = ? AND digest = ?", keys
            ).fetchone()
            if known is not None:
                text, by_user, at = known
            else:
                text, by_user, at = escaped(answer.text), answer.by_user, answer.at
                connection.execute(
                    "INSERT INTO answer (run_id, task, digest, text, by_user, at) VALUES (?, ?, ?, ?, ?, ?)",
                    (*keys, text, by_user, at),
                )
            if text == escaped(answer.text):
                _set_task(connection, answer.run_id, answer.task, "merged", note)
        return Answer(run_id=keys[0], task=keys[1], digest=keys[2], text=text, by_user=by_user, at=at)

    def answers(self, run_id: str) -> Sequence[Answer]:
        """Every answer that people have given in the run, oldest first; also to questions that were changed since."""
        rows = self._database.query(
            "SELECT run_id, task, digest, text, by_user, at FROM answer WHERE run_id = ? ORDER BY at, task", (run_id,)
        )
        names = ("run_id", "task", "digest", "text", "by_user", "at")
        return [Answer(**dict(zip(names, row, strict=True))) for row in rows]

    def leave(self, remainder: Remainder) -> None:
        """It is known what the attempt has left; said again, the later word counts."""
        remainder = replace(remainder, said_left=escaped(remainder.said_left))
        self._insert("remainder", _REMAINDER, remainder, how="INSERT OR REPLACE")

    def remainder(self, attempt: str) -> Remainder | None:
        """What the attempt has left; None if that was never written down."""
        rows = self._database.query(f"SELECT {', '.join(_REMAINDER)} FROM remainder WHERE attempt = ?", (attempt,))
        return Remainder(**dict(zip(_REMAINDER, rows[0], strict=True))) if rows else None

    def go_on(self, attempt: str, continues: str) -> None:
        """The attempt goes on with what an earlier one has left."""
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO continuation (attempt, continues) VALUES (?, ?)", (attempt, continues)
            )

    def continues(self, attempt: str) -> str | None:
        """Which earlier attempt it goes on with; None for none."""
        rows = self._database.query("SELECT continues FROM continuation WHERE attempt = ?", (attempt,))
        return str(rows[0][0]) if rows else None

    def refuse(self, refusal: RefusalRow) -> None:
        """It is known why the attempt's work was not merged; said again, the later word counts."""
        files = None if refusal.files is None else json.dumps(refusal.files)
        texts = tuple(map(escaped, (refusal.reason, refusal.log)))
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO refusal (attempt, tip, files, reason, log) VALUES (?, ?, ?, ?, ?)",
                (refusal.attempt, refusal.tip, files, *texts),
            )

    def refusals(self, run_id: str) -> Mapping[str, RefusalRow]:
        """Of all attempts of the run whose work could not be merged, by their keys."""
        rows = self._database.query(
            "SELECT refusal.attempt, tip, files, reason, log FROM refusal"
            " JOIN attempt ON attempt.key = refusal.attempt WHERE run_id = ?",
            (run_id,),
        )
        return {
            key: RefusalRow(
                attempt=key, tip=tip, files=None if files is None else tuple(json.loads(files)), reason=reason, log=log
            )
            for key, tip, files, reason, log in rows
        }

    def _insert(self, table: str, columns: Sequence[str], row: object, *, how: str = "INSERT") -> None:
        marks = ", ".join("?" * len(columns))
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                f"{how} INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                tuple(getattr(row, column) for column in columns),
            )


def _set_task(connection: Any, run_id: str, task: str, state: str, note: str) -> None:
    connection.execute(
        "UPDATE task SET state = ?, note = ? WHERE run_id = ? AND number = ?",
        (state, escaped(note), run_id, task),
    )


def _question(row: Sequence[Any]) -> Question:
    run_id, task, digest, kind, title, text, options = row
    offered = tuple(Option(id=each[0], name=each[1], pros=each[2], cons=each[3]) for each in json.loads(options))
    return Question(run_id=run_id, task=task, digest=digest, kind=kind, title=title, text=text, options=offered)
