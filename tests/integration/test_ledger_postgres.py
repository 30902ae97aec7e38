"""What only PostgreSQL can do to a ledger: lost connections, timeouts, other programs, other people's schemas."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bursar.budget import Amount, Budget, LastPeriod, Limit, Unit
from bursar.clock import SystemClock
from bursar.errors import InternalError, KeyReused, LedgerBusy, OutcomeUnknown, SetupError, StoreError, UserError
from bursar.ledger import (
    CallRecord,
    Denial,
    Reservation,
    ReserveRequest,
    SqliteLedger,
    open_ledger,
    postgres_connection,
    rows,
)
from bursar.ledger.postgres import PostgresLedger
from bursar.ledger.postgres_books import SELECT_STANDINGS, PostgresBooks
from bursar.usage import Usage
from tests.integration.test_ledger_processes import fork, wait_for
from tests.postgres_server import Server, schema_of, the_server

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
LABELS = {"run": "r", "task": "t"}


@pytest.fixture
def server() -> Server:
    return the_server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    made = server.new_url()
    yield made
    server.drop(made)


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresLedger]:
    made = open_at(url)
    made.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector={"run": "r"}))
    yield made
    made.close()


@pytest.fixture
def psql(server: Server, url: str) -> Iterator[psycopg.Connection]:
    """A connection that goes past the ledger."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def open_at(url: str, busy_seconds: float = 60.0) -> PostgresLedger:
    opened = open_ledger(url, SystemClock(), busy_seconds=busy_seconds)
    assert isinstance(opened, PostgresLedger)
    return opened


def reserve(ledger: PostgresLedger, key: str, tokens: int) -> Reservation | Denial:
    return ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None)))


def reserved(ledger: PostgresLedger) -> int:
    balance = ledger.balance("run")
    assert balance is not None
    return balance.reserved


def kinds(ledger: PostgresLedger) -> list[str]:
    return [entry.kind for entry in ledger.entries()]


def backend_of(ledger: PostgresLedger) -> int:
    connection = ledger._database._connection
    assert connection is not None
    return connection.info.backend_pid


# Lost connections.


def test_a_connection_lost_between_two_writes_is_made_again(ledger: PostgresLedger, psql: psycopg.Connection) -> None:
    for number in range(3):
        psql.execute("SELECT pg_terminate_backend(%s, 5000)", (backend_of(ledger),))
        assert isinstance(reserve(ledger, f"k{number}", 10), Reservation)
    psql.execute("SELECT pg_terminate_backend(%s, 5000)", (backend_of(ledger),))
    assert reserved(ledger) == 30
    assert ledger.verify() == []


def test_a_connection_lost_within_a_write_leaves_nothing(ledger: PostgresLedger, psql: psycopg.Connection) -> None:
    psql.execute(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
    )
    psql.execute("CREATE TRIGGER die AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION die()")
    with pytest.raises(StoreError, match="nothing was written"):
        reserve(ledger, "a", 10)
    assert (reserved(ledger), kinds(ledger), ledger.reservation("a")) == (0, ["defined"], None)
    psql.execute("DROP TRIGGER die ON entries")
    assert isinstance(reserve(ledger, "a", 10), Reservation)
    assert ledger.verify() == []


def test_a_backend_killed_at_the_commit_before_it_counts(ledger: PostgresLedger, psql: psycopg.Connection) -> None:
    """Nobody can tell the client; the same key finds nothing, and holds."""
    psql.execute(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
    )
    psql.execute(
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION die()"
    )
    with pytest.raises(OutcomeUnknown, match="in the middle of a commit") as caught:
        reserve(ledger, "a", 10)
    assert caught.value.hint is not None
    assert "same key" in caught.value.hint
    assert reserved(ledger) == 0
    psql.execute("DROP TRIGGER die ON entries")
    assert isinstance(reserve(ledger, "a", 10), Reservation)
    assert (reserved(ledger), kinds(ledger)) == (10, ["defined", "reserved"])
    assert ledger.verify() == []


def test_a_backend_killed_at_the_commit_after_it_counts(
    server: Server, url: str, ledger: PostgresLedger, psql: psycopg.Connection
) -> None:
    """It was written, the answer was lost: the same key gives the same answer, and nothing is held twice."""
    waiting = open_at(f"{url}%20-csynchronous_commit%3Don")  # its commits wait for a standby that does not exist
    with ThreadPoolExecutor(1) as threads:
        for number, write in enumerate(
            (lambda: reserve(waiting, "a", 10), lambda: waiting.settle("a", Amount(7, None))), start=1
        ):
            answer = threads.submit(write)
            backend = wait_for_commit(psql, answer)
            psql.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
            with pytest.raises(OutcomeUnknown, match="in the middle of a commit"):
                answer.result(60)
            assert len(kinds(ledger)) == 1 + number
    waiting.close()
    again = reserve(ledger, "a", 10)
    assert isinstance(again, Reservation)
    assert again == ledger.settle("a", Amount(7, None))
    with pytest.raises(KeyReused):
        reserve(ledger, "a", 11)
    assert kinds(ledger) == ["defined", "reserved", "settled"]
    assert ledger.verify() == []


@pytest.fixture
def impatient(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresLedger]:
    """A ledger that takes its server for gone after a moment."""
    monkeypatch.setattr(postgres_connection, "_STATEMENT_SECONDS", 1.0)
    monkeypatch.setattr(postgres_connection, "_ANSWER_SECONDS", 1.0)
    made = open_at(url, busy_seconds=3.0)
    made.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector={"run": "r"}))
    yield made
    made.close()


def test_a_server_that_hangs_between_two_writes_is_asked_anew(impatient: PostgresLedger) -> None:
    backend = backend_of(impatient)
    os.kill(backend, signal.SIGSTOP)
    try:
        assert isinstance(reserve(impatient, "k", 10), Reservation)
    finally:
        os.kill(backend, signal.SIGCONT)
    assert backend_of(impatient) != backend
    assert impatient.verify() == []


def test_a_server_that_hangs_within_a_write_is_given_up(impatient: PostgresLedger) -> None:
    """It was waited for without an end, by a supervisor whose agent stood still and whose conductor heard no ctrl-C."""
    backend = backend_of(impatient)

    def write() -> None:
        with impatient._database.write() as connection:
            os.kill(backend, signal.SIGSTOP)
            connection.execute("SELECT 1")

    try:
        with pytest.raises(StoreError, match="the server has not answered for 5 s; nothing was written"):
            write()
    finally:
        os.kill(backend, signal.SIGCONT)
    assert isinstance(reserve(impatient, "k", 10), Reservation)
    assert impatient.verify() == []


def wait_for_commit(psql: psycopg.Connection, answer: Future[Any]) -> int:
    """The backend that has committed and does not say so."""
    while True:
        assert not answer.done(), answer.result()
        row = psql.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'"
        ).fetchone()
        if row is not None:
            pid: int = row[0]
            return pid


def test_a_server_out_of_reach_is_an_error_that_keeps_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used") as caught:
        open_ledger(f"postgresql://me:s3cret@/db?host={tmp_path}", SystemClock())
    assert "s3cret" not in caught.value.message + str(caught.value.hint)


@pytest.mark.parametrize("url", ["postgresql://[", "postgresql://h/db?nonsense=1", "postgres://me:s3cret@h:port/x?%"])
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(UserError) as caught:
        open_ledger(url, SystemClock())
    assert "s3cret" not in caught.value.message


def test_a_path_is_a_file_also_where_it_looks_odd(tmp_path: Path) -> None:
    for name in ("postgresql:", "postgresql"):
        opened = open_ledger(str(tmp_path / name), SystemClock())
        assert isinstance(opened, SqliteLedger)
        opened.close()


def test_without_the_driver_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in ("postgres", "postgres_books", "postgres_connection"):
        monkeypatch.delitem(sys.modules, f"bursar.ledger.{name}")
    with pytest.raises(SetupError) as caught:
        open_ledger("postgresql://h/db", SystemClock())
    assert caught.value.hint == "pip install 'bursar[postgres]'"


# Waiting.


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_advisory_xact_lock(1649173860, hashtext(current_schema()))",  # another writer
        "SELECT id FROM budgets WHERE name = 'run' FOR UPDATE",
        "SELECT number FROM head FOR UPDATE",
        "LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE",
    ],
)
def test_a_lock_that_does_not_come_is_busy_and_writes_nothing(
    url: str, ledger: PostgresLedger, psql: psycopg.Connection, sql: str
) -> None:
    hasty = open_at(url, busy_seconds=0.05)
    with psql.transaction():
        psql.execute(sql)
        for _ in range(3):
            with pytest.raises(LedgerBusy):
                reserve(hasty, "a", 10)
    assert (reserved(hasty), kinds(hasty)) == (0, ["defined"])
    assert isinstance(reserve(hasty, "a", 10), Reservation)
    hasty.close()


def test_a_statement_that_takes_too_long_is_busy_and_writes_nothing(
    url: str, ledger: PostgresLedger, psql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    psql.execute(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'"
    )
    psql.execute("CREATE TRIGGER dawdle AFTER INSERT ON reservations FOR EACH ROW EXECUTE FUNCTION dawdle()")
    monkeypatch.setattr(postgres_connection, "_STATEMENT_SECONDS", 0.1)
    hasty = open_at(url, busy_seconds=0.1)
    with pytest.raises(LedgerBusy, match="statement timeout"):
        reserve(hasty, "a", 10)
    assert (reserved(hasty), kinds(hasty)) == (0, ["defined"])
    hasty.close()


def test_a_writer_that_falls_asleep_is_thrown_out_and_writes_nothing(
    url: str, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its program may be stopped, or its machine gone: the others do not wait for it for ever."""
    monkeypatch.setattr(postgres_connection, "_STATEMENT_SECONDS", 0.1)
    sleeper = open_at(url, busy_seconds=0.1)

    def sleep() -> None:
        with sleeper._transaction() as books:
            books.put_last("run", LastPeriod("x"))
            assert isinstance(reserve(ledger, "a", 10), Reservation)  # waits until the sleeper is out
            books.put_last("run", LastPeriod("y"))

    with pytest.raises(StoreError, match="nothing was written"):
        sleep()
    assert isinstance(reserve(sleeper, "b", 10), Reservation)
    assert ledger.verify() == []
    sleeper.close()


def test_readers_wait_for_no_writer(url: str, ledger: PostgresLedger) -> None:
    other = open_at(url)
    with other._database.write():
        assert reserved(ledger) == 0
        assert ledger.verify() == []
    other.close()


# Past the ledger.


@pytest.mark.parametrize(
    "sql", ["UPDATE entries SET body = '{}'", "DELETE FROM entries", "TRUNCATE entries", "TRUNCATE entries CASCADE"]
)
def test_entries_are_append_only_in_the_database_too(
    ledger: PostgresLedger, psql: psycopg.Connection, sql: str
) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        psql.execute(sql)
    assert ledger.verify() == []


@pytest.mark.parametrize("number", [1, 3, 0, -1])
def test_the_chain_cannot_fork(ledger: PostgresLedger, psql: psycopg.Connection, number: int) -> None:
    sql = "INSERT INTO entries SELECT %s, at, kind, key, body, previous_hash, hash FROM entries"
    with pytest.raises(psycopg.errors.IntegrityError):
        psql.execute(sql, (number,))
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE entries SET body = replace(body, '10', '11') WHERE number = 2", "entry 2 has been changed"),
        ("DELETE FROM entries WHERE number = 4", "its head is entry 4"),
        ("DELETE FROM entries WHERE number = 2", "entries are missing"),
        ("UPDATE balances SET reserved = 4", "balance `run`/`always`"),
        ("UPDATE balances SET spent = 0", "balance `run`/`always`"),
        ("UPDATE budgets SET quantity = 1000", "budget `run`"),
        ("UPDATE reservations SET held_tokens = 11", "reservation `a`"),
        ("UPDATE reservations SET run = 'q'", "filed under another run"),
        ("UPDATE reservations SET budgets = '['", "damaged"),
        ("DELETE FROM calls", "call `a`/`c`/`1`"),
        ("DELETE FROM head", "its head is entry None"),
    ],
)
def test_verify_finds_what_was_changed(ledger: PostgresLedger, psql: psycopg.Connection, sql: str, found: str) -> None:
    reserve(ledger, "a", 10)
    ledger.record("a", CallRecord(call_id="c", sequence=1, model="m", usage=Usage(input_tokens=3), nano_usd=None))
    ledger.charge("b", LABELS, Amount(5, None))
    assert ledger.verify() == []
    psql.execute("SET session_replication_role = replica")  # a superuser can: no trigger fires
    psql.execute(sql)
    assert found in "\n".join(ledger.verify())


def test_a_balance_moves_only_from_the_figures_that_were_read(ledger: PostgresLedger, psql: psycopg.Connection) -> None:
    reserve(ledger, "a", 10)

    def move() -> None:
        with ledger._transaction() as books:
            standing = books.standing("run")
            assert standing is not None
            assert standing.latest is not None
            psql.execute("UPDATE balances SET spent = 90")
            books.put_balance(standing.latest)

    with pytest.raises(StoreError, match="no ledger"):
        move()
    psql.execute("UPDATE balances SET spent = 0")
    assert ledger.verify() == []


def test_budgets_are_locked_in_the_order_of_their_ids(ledger: PostgresLedger, psql: psycopg.Connection) -> None:
    """The law asks in the order of names; two programs that lock across the queue must not lock crosswise."""
    ledger.define(Budget(name="all", limit=Limit(100, Unit.TOKENS)))
    ledger.define(Budget(name="a", limit=Limit(100, Unit.TOKENS)))
    with ledger._transaction() as books:
        assert isinstance(books, PostgresBooks)
        assert [each.budget.name for each in books.matching(LABELS)] == ["a", "all", "run"]
        locked = psql.execute("SELECT name FROM budgets ORDER BY id FOR UPDATE SKIP LOCKED").fetchall()
        assert locked == []
        plan = "\n".join(
            row[0]
            for row in books._all(
                "EXPLAIN SELECT id FROM budgets WHERE name = ANY(ARRAY['a', 'all']) ORDER BY id FOR UPDATE"
            )
        )
    assert plan.index("LockRows") < plan.index("Sort")  # sorted first, then locked


def test_no_statement_scans_old_periods(ledger: PostgresLedger) -> None:
    """Each finds the one balance by its budget and the hash of its period, however many there were."""
    budget = ledger.define(Budget(name="b", limit=Limit(100, Unit.TOKENS))).budget
    with ledger._transaction() as books:
        assert isinstance(books, PostgresBooks)
        books._connection.execute("SET LOCAL enable_seqscan = off")
        for sql, parameters in (
            (f"{SELECT_STANDINGS} WHERE name = ?", (budget.name,)),
            (f"{rows.SELECT_BALANCES} WHERE name = ? AND digest_of(period_id) = digest_of(?)", (budget.name, "always")),
        ):
            plan = "\n".join(row[0] for row in books._all(f"EXPLAIN {sql}", parameters))
            found = [line for line in plan.splitlines() if "Index Cond: ((budget" in line]
            assert found, plan
            assert all("digest_of" in line or "sha256" in line for line in found), plan


# Schemas.


def test_fifty_processes_that_migrate_at_once_make_one_ledger(url: str) -> None:
    wait_for([fork(lambda: open_at(url).close()) for _ in range(50)])
    made = open_at(url)
    assert made.verify() == []
    assert list(made.entries()) == []
    made.close()


def test_a_ledger_of_a_later_release_is_refused(ledger: PostgresLedger, url: str, psql: psycopg.Connection) -> None:
    psql.execute("INSERT INTO bursar_migrations (number) VALUES (99)")
    for read_only in (False, True):
        with pytest.raises(StoreError, match="later release"):
            open_ledger(url, SystemClock(), read_only=read_only)


def test_a_schema_of_another_program_is_refused_and_left_alone(url: str, psql: psycopg.Connection) -> None:
    psql.execute("CREATE TABLE budgets (theirs TEXT)")
    with pytest.raises(StoreError, match="another program"):
        open_at(url)
    tables = psql.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    assert tables == [("budgets",)]


def test_reading_only_makes_no_ledger_and_writes_nothing(url: str) -> None:
    with pytest.raises(StoreError, match="no ledger"):
        open_ledger(url, SystemClock(), read_only=True)
    open_at(url).close()
    reader = open_ledger(url, SystemClock(), read_only=True)
    assert list(reader.entries()) == []
    with pytest.raises(StoreError, match="reading only"):
        reader.define(Budget(name="run", limit=Limit(1, Unit.TOKENS)))
    reader.close()


def test_two_schemas_are_two_ledgers_that_do_not_wait_for_each_other(server: Server, ledger: PostgresLedger) -> None:
    url = server.new_url()
    other = open_at(url, busy_seconds=5)
    with ledger._database.write():
        assert other.charge("k", LABELS, Amount(1, None)).charged == Amount(1, None)
    assert kinds(ledger) == ["defined"]
    other.close()
    server.drop(url)


# Values.


def test_the_longest_names_are_kept_apart(ledger: PostgresLedger) -> None:
    """4,096 characters that no compression shortens do not fit into a B-tree; hashes do."""
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    start = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(4095))
    for end in "ab":
        name = start + end
        labels = {"run": name, "task": name}
        ledger.define(Budget(name=name, limit=Limit(100, Unit.TOKENS), selector={"run": name}))
        ledger.reserve(ReserveRequest(key=name, labels=labels, amount=Amount(90, None)))
        call = CallRecord(call_id=name * 2, sequence=1, model=name, usage=Usage(input_tokens=1), nano_usd=None)
        assert ledger.record(name, call) == ledger.record(name, call)
        assert [each.key for each in ledger.reservations(labels)] == [name]
        assert ledger.usage({"run": name}) == {name: Usage(input_tokens=1)}
    assert ledger.verify() == []


def test_a_sum_that_no_column_can_hold_is_refused(ledger: PostgresLedger) -> None:
    ledger.define(Budget(name="all", limit=Limit(2**63 - 1, Unit.TOKENS)))
    ledger.charge("a", {"run": "q"}, Amount(2**63 - 1, None))
    with pytest.raises(StoreError, match="nothing was written"):
        ledger.charge("b", {"run": "q"}, Amount(1, None))
    assert kinds(ledger) == ["defined", "defined", "charged"]
    assert ledger.verify() == []


def test_a_forked_child_may_not_use_its_parents_connection(ledger: PostgresLedger, url: str) -> None:
    def misuse() -> None:
        with pytest.raises(InternalError):
            reserve(ledger, "a", 1)
        with pytest.raises(InternalError):
            ledger.reservation("a")
        ledger.close()  # leaves the parent's connection alone
        own = open_at(url)
        assert isinstance(reserve(own, "b", 1), Reservation)
        own.close()

    wait_for([fork(misuse)])
    assert isinstance(reserve(ledger, "a", 1), Reservation)


def test_a_write_inside_a_write_is_a_bug_and_undone(ledger: PostgresLedger) -> None:
    def nest() -> None:
        with ledger._database.write() as connection:
            connection.execute("UPDATE budgets SET quantity = 5")
            reserve(ledger, "a", 1)

    with pytest.raises(InternalError):
        nest()
    assert ledger.verify() == []
    assert isinstance(reserve(ledger, "a", 1), Reservation)


def test_threads_may_share_a_ledger(ledger: PostgresLedger) -> None:
    def take(number: int) -> int:
        granted = 0
        for count in range(15):
            answer = reserve(ledger, f"{number}-{count}", 1)
            if isinstance(answer, Reservation):
                ledger.settle(answer.key, Amount(1, None))
                granted += 1
        return granted

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == 100
    assert ledger.verify() == []


def test_every_test_has_a_schema_of_its_own(url: str, server: Server) -> None:
    other = server.new_url()
    assert schema_of(other) != schema_of(url)
    server.drop(other)


def test_a_ledger_of_the_release_before_gets_its_phases(url: str, psql: psycopg.Connection) -> None:
    ledger = open_at(url)
    for number, phase in enumerate(("b", "a", "b", 'q"\\ü')):
        labels = {"session": "s", "phase": phase}
        ledger.reserve(ReserveRequest(key=f"k{number}", labels=labels, amount=Amount(10, None)))
    ledger.settle("k0", Amount(30, None))
    ledger.forfeit("k1")
    ledger.charge("c", {"session": "s"}, Amount(5, None))
    ledger.close()
    psql.execute("DROP TABLE phases; DELETE FROM bursar_migrations WHERE number = 2")
    again = open_at(url)
    assert list(again.phases("s").items()) == [("b", 30), ("a", 10), ('q"\\ü', 0)]
    assert again.verify() == []
    psql.execute("UPDATE phases SET tokens = 31 WHERE phase = 'b'")
    assert any("phase `s`/`b` is [1, 31]" in problem for problem in again.verify())
    again.close()
