"""What a ledger's file may go through: what is wrong with it is refused or found, and nothing is started empty."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit
from bursar.database import open_database
from bursar.errors import NoDatabase, StoreError
from bursar.ledger import CallRecord, Reservation, ReserveRequest, SqliteLedger, open_ledger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock
from tests.integration.test_ledger_processes import fork, wait_for

LABELS = {"run": "r", "task": "t"}


def open_at(path: Path, *, read_only: bool = False) -> SqliteLedger:
    return open_ledger(path, SteppingClock(), read_only=read_only, busy_seconds=5)


def fill(path: Path) -> None:
    """A ledger with at least one row in every table, all of it in the main file."""
    ledger = open_at(path)
    ledger.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector=LABELS, thresholds=RUN_THRESHOLDS))
    ledger.define(Budget(name="usd", limit=Limit(100, Unit.USD), selector={"run": "r"}))
    for key in ("a", "b", "c"):
        labels = LABELS | ({"session": "s", "phase": "p"} if key == "b" else {})
        ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(30, 30)))
    ledger.reserve(ReserveRequest(key="d", labels=LABELS, amount=Amount(30, 30)))
    usage = Usage(input_tokens=21, output_tokens=9)
    ledger.record("a", CallRecord(call_id="call-1", sequence=1, model="opus", usage=usage, nano_usd=30))
    ledger.settle("a", Amount(30, 30))
    ledger.forfeit("b")
    ledger.credit("b", Amount(5, 5), evidence="invoice 17")
    ledger.extend("c", Amount(60, 60))
    ledger.settle("c", Amount(60, 60))
    ledger._database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "state" / "ledger.db"
    fill(made)
    return made


def files_of(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.parent.iterdir()) if not each.name.endswith("-shm")}


def test_a_new_ledger_is_for_its_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = tmp_path / "state" / "bursar" / "ledger.db"
        fill(path)
    finally:
        os.umask(old)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"), 0o600)
    assert {stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)} == {0o700}


def test_it_is_wal_and_every_commit_is_synced(path: Path) -> None:
    ledger = open_at(path)
    settings = [ledger._database.query(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]
    assert ledger._database.query("PRAGMA foreign_keys") == [(1,)]
    ledger.close()


def test_what_was_written_is_there_again(path: Path) -> None:
    ledger = open_at(path)
    balance = ledger.balance("run")
    assert balance is not None
    assert (balance.spent, balance.reserved) == (95, 0)
    assert list(ledger.verify()) == []
    ledger.close()


@pytest.mark.parametrize("table", ["entries"])
def test_entries_cannot_be_changed_or_removed(path: Path, table: str) -> None:
    ledger = open_at(path)
    for sql in (f"UPDATE {table} SET body = '{{}}'", f"DELETE FROM {table}"):
        with pytest.raises(StoreError, match="append-only"), ledger._database.write() as connection:
            connection.execute(sql)
    assert list(ledger.verify()) == []
    ledger.close()


def columns() -> list[tuple[str, str]]:
    """Every column of every table but the internal numbers of rows."""
    connection = apsw.Connection(":memory:")
    folder = Path(open_ledger.__code__.co_filename).parent / "migrations"
    for each in sorted(folder.iterdir()):
        connection.execute(each.read_text())
    found = connection.execute(
        "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
    )
    return [(table, column) for table, column in found if column != "id"]


_KEYS = {"calls": "reservation", "balances": "budget", "phases": "session"}
"""By what a row is found in the tables that number none."""


def change_one(path: Path, table: str, column: str, number: int) -> bool:
    """One value is another one, behind the ledger's back; False where the row is not there or may not change so."""
    connection = apsw.Connection(str(path))
    try:
        connection.execute(
            "PRAGMA ignore_check_constraints = ON;"
            "DROP TRIGGER entries_are_never_changed; DROP TRIGGER entries_are_never_removed"
        )
        key = _KEYS.get(table, "rowid")
        row = connection.execute(
            f"SELECT {key}, {column}, typeof({column}) FROM {table} ORDER BY {key} LIMIT 1 OFFSET ?", (number,)
        ).fetchall()
        if not row:
            return False
        row_id, value, kind = row[0]
        other = _other(value, str(kind), column)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (other, row_id))
        return True
    finally:
        connection.close()


def _other(value: object, kind: str, column: str) -> int | str:
    if kind == "integer":
        return int(str(value)) + 1000
    if kind == "null":
        return 1 if column.endswith(("tokens", "usd", "percent")) else "x"
    text = str(value)
    return chr(ord(text[0]) ^ 8) + text[1:] if text else "x"


@pytest.mark.parametrize(("table", "column"), columns())
def test_one_changed_value_anywhere_is_found(path: Path, table: str, column: str) -> None:
    changed = 0
    for number in range(12):
        copy = path.parent.parent / f"copy-{number}" / "ledger.db"
        copy.parent.mkdir(mode=0o700)
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
        if not change_one(copy, table, column, number):
            continue
        changed += 1
        ledger = open_at(copy)
        assert list(ledger.verify()) != [], f"row {number}"
        ledger.close()
    assert changed


@pytest.mark.parametrize("table", ["entries", "budgets", "balances", "reservations", "calls", "alerts", "phases"])
def test_one_missing_row_anywhere_is_found(path: Path, table: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER entries_are_never_removed; PRAGMA foreign_keys = OFF")
    key = _KEYS.get(table, "rowid")
    connection.execute(f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})")
    connection.close()
    ledger = open_at(path)
    assert list(ledger.verify()) != []
    ledger.close()


def test_a_flipped_bit_in_the_text_of_an_entry_is_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    spot = content.rindex(b'"evidence":"invoice 17"') + 14  # the last: before a page was split, it stood elsewhere
    content[spot] ^= 1
    path.write_bytes(content)
    ledger = open_at(path)
    assert any("has been changed" in problem for problem in ledger.verify())
    ledger.close()


@pytest.mark.parametrize(
    ("table", "column"),
    [("entries", "body"), ("entries", "kind"), ("budgets", "period"), ("reservations", "key"), ("alerts", "message")],
)
def test_a_text_that_is_no_utf_8_any_more_is_damage_and_not_a_crash(path: Path, table: str, column: str) -> None:
    """One bit in eight makes such a text."""
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER entries_are_never_changed")
    row = f"(SELECT max(rowid) FROM {table})"
    connection.execute(f"UPDATE {table} SET {column} = CAST(x'e4' || {column} AS TEXT) WHERE rowid = {row}")
    connection.close()
    ledger = open_at(path)
    assert any("corrupt" in problem for problem in ledger.verify())
    with pytest.raises(StoreError, match="corrupt") as refusal:
        read_all(ledger)
    assert refusal.value.hint is not None
    assert "bursar ledger rebuild" in refusal.value.hint
    if table == "budgets":
        with pytest.raises(StoreError, match="corrupt"):
            ledger.charge("new", LABELS, Amount(1, 1))
    ledger.close()


def read_all(ledger: SqliteLedger) -> None:
    list(ledger.entries())
    ledger.budgets()
    ledger.reservations({})
    ledger.alerts()


@pytest.mark.parametrize("junk", [b"not a database", b"\x00" * 4096, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(junk)
    path.chmod(0o600)
    for read_only in (True, False):
        with pytest.raises(StoreError) as refusal:
            open_at(path, read_only=read_only)
        assert refusal.value.hint
    assert path.read_bytes() == junk


@pytest.mark.parametrize("size", [1, 100, 4095, 4096, 8192])
def test_a_truncated_file_is_refused_and_left_alone(path: Path, size: int) -> None:
    for side in ("-wal", "-shm"):
        Path(f"{path}{side}").unlink()
    os.truncate(path, size)
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError):
            open_at(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_a_lost_file_is_not_started_anew(path: Path, how: str) -> None:
    if how == "empty":
        os.truncate(path, 0)
    else:
        path.unlink()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="there was one before"):
            open_at(path, read_only=read_only)
    assert not path.exists() or path.stat().st_size == 0
    for side in (".lock", "-wal", "-shm"):
        Path(f"{path}{side}").unlink()
    path.unlink(missing_ok=True)
    open_at(path).close()  # a person who says so may begin anew


def test_a_write_ahead_log_without_its_file_is_a_lost_ledger(path: Path) -> None:
    ledger = open_at(path)
    ledger.reserve(ReserveRequest(key="e", labels={}, amount=Amount(1, 1)))
    ledger.close()
    path.unlink()
    Path(f"{path}.lock").unlink()
    with pytest.raises(StoreError, match="its `-wal` file is there"):
        open_at(path)
    assert not path.exists()


def test_an_empty_file_that_never_was_a_ledger_becomes_one(tmp_path: Path) -> None:
    """As a process that died between making the file and its schema leaves it."""
    path = tmp_path / "ledger.db"
    path.touch(mode=0o600)
    ledger = open_at(path)
    assert list(ledger.verify()) == []
    ledger.close()


def test_a_backup_without_its_lock_file_is_accepted(path: Path) -> None:
    copy = path.parent.parent / "copy" / "ledger.db"
    copy.parent.mkdir(mode=0o700)
    shutil.copyfile(path, copy)
    reader = open_at(copy, read_only=True)
    assert len(reader.reservations({})) == 3
    reader.close()
    assert [each.name for each in copy.parent.iterdir()] == ["ledger.db"]
    ledger = open_at(copy)
    assert list(ledger.verify()) == []
    ledger.close()


@pytest.mark.parametrize("is_in_wal_mode", [False, True], ids=["empty", "no schema yet"])
def test_a_ledger_whose_maker_was_killed_is_none_yet(tmp_path: Path, *, is_in_wal_mode: bool) -> None:
    """Nobody has had a ledger there, so nothing is missing and nothing is foreign; who writes makes it."""
    path = tmp_path / "ledger.db"
    path.touch(mode=0o600)
    (tmp_path / "ledger.db.lock").touch(mode=0o600)
    if is_in_wal_mode:
        connection = apsw.Connection(str(path))
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        assert connection.pragma("journal_mode", "wal") == "wal"
        connection.close()
    with pytest.raises(NoDatabase):
        open_at(path, read_only=True)
    open_at(path).close()
    open_at(path, read_only=True).close()


def test_a_ledger_that_has_lost_its_schema_is_not_begun_anew(path: Path) -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("user_version", 0)
    path.write_bytes(connection.serialize("main") or b"")
    path.with_name("ledger.db-wal").unlink(missing_ok=True)
    for read_only in (True, False):
        with pytest.raises(StoreError) as refused:
            open_at(path, read_only=read_only)
        assert not isinstance(refused.value, NoDatabase)


def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    path.chmod(0o600)
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="another program"):
            open_at(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_store_of_another_room_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_database(path, migrations=["CREATE TABLE t (x)"], application_id=1).close()
    with pytest.raises(StoreError, match="another program"):
        open_at(path)


def test_a_later_version_is_refused_and_left_alone(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="later release"):
            open_at(path, read_only=read_only)
    assert path.read_bytes() == before


def test_an_earlier_version_is_brought_up_to_date_by_a_writer_only(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    first, second = "CREATE TABLE a (x)", "SELECT 1; CREATE TABLE b (x)"
    open_database(path, migrations=[first], application_id=7).close()
    with pytest.raises(StoreError, match="earlier release"):
        open_database(path, migrations=[first, second], application_id=7, read_only=True)
    database = open_database(path, migrations=[first, second], application_id=7)
    assert database.query("SELECT name FROM sqlite_schema ORDER BY name") == [("a",), ("b",)]
    assert database.query("PRAGMA user_version") == [(2,)]
    database.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(StoreError):
        open_database(path, migrations=["CREATE TABLE a (x); nonsense"], application_id=7)
    database = open_database(path, migrations=["CREATE TABLE a (x)"], application_id=7)
    assert database.query("SELECT * FROM a") == []
    database.close()


@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_symlink_is_not_followed(path: Path, what: str) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    if what == "file":
        elsewhere.mkdir(mode=0o700)
        link = elsewhere / "ledger.db"
        link.symlink_to(path)
    else:
        elsewhere.symlink_to(path.parent)
        link = elsewhere / "ledger.db"
    for read_only in (True, False):
        with pytest.raises(StoreError, match="symlink"):
            open_at(link, read_only=read_only)


def test_a_symlink_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "ledger.db"
    link.symlink_to(tmp_path / "target.db")
    with pytest.raises(StoreError, match="symlink"):
        open_at(link)
    assert not (tmp_path / "target.db").exists()


def test_a_lock_file_that_is_a_symlink_is_not_followed(path: Path) -> None:
    target = path.parent.parent / "target"
    lock = Path(f"{path}.lock")
    shutil.move(lock, target)
    lock.symlink_to(target)
    ledger = open_at(path)
    with pytest.raises(StoreError):
        ledger.reserve(ReserveRequest(key="e", labels={}, amount=Amount(1, 1)))
    ledger.close()


@pytest.mark.parametrize("what", ["file", "directory"])
@pytest.mark.parametrize("mode", [0o722, 0o702, 0o777])
def test_what_others_can_write_is_refused(path: Path, what: str, mode: int) -> None:
    (path if what == "file" else path.parent).chmod(mode)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="other users") as refusal:
            open_at(path, read_only=read_only)
        assert "chmod go-w" in (refusal.value.hint or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_belongs_to_somebody_else_is_refused(path: Path, what: str) -> None:
    os.chown(path if what == "file" else path.parent, 12345, -1)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="another user"):
            open_at(path, read_only=read_only)


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir(mode=0o700)
    with pytest.raises(StoreError, match="not a file"):
        open_at(tmp_path / "ledger.db")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch(mode=0o600)
    with pytest.raises(StoreError, match="not a directory"):
        open_at(tmp_path / "state" / "ledger.db")


def as_nobody(work: object) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    assert callable(work)
    work()


def test_a_directory_that_cannot_be_written_is_refused(path: Path) -> None:
    """In a child that is not root, because root may write anywhere."""
    outside = Path(f"/tmp/bursar-read-only-{os.getpid()}")
    outside.mkdir(mode=0o700)
    shutil.copyfile(path, outside / "ledger.db")
    (outside / "ledger.db").chmod(0o400)
    if os.geteuid() == 0:
        os.chown(outside / "ledger.db", 65534, 65534)
        os.chown(outside, 65534, 65534)
    outside.chmod(0o500)

    def try_it() -> None:
        for new in (outside / "ledger.db", outside / "new.db", outside / "deep" / "new.db"):
            with pytest.raises(StoreError):
                open_at(new)
        open_at(outside / "ledger.db", read_only=True).close()

    try:
        wait_for([fork(lambda: as_nobody(try_it))])
        assert [each.name for each in outside.iterdir()] == ["ledger.db"]
    finally:
        outside.chmod(0o700)
        shutil.rmtree(outside)


def test_reading_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database"):
        open_at(tmp_path / "state" / "ledger.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_nothing_and_sees_what_is_written(path: Path) -> None:
    before = files_of(path)
    reader = open_at(path, read_only=True)
    assert len(reader.reservations({})) == 3
    with pytest.raises(StoreError, match="reading only"):
        reader.forfeit("a")
    assert files_of(path) == before
    writer = open_at(path)
    answer = writer.reserve(ReserveRequest(key="e", labels={}, amount=Amount(1, 1)))
    assert isinstance(answer, Reservation)
    assert reader.reservation("e") == answer
    reader.close()
    writer.close()


def reserve_without_end(ledger: SqliteLedger) -> None:
    for number in range(10_000):
        ledger.reserve(ReserveRequest(key=f"n{number}", labels={}, amount=Amount(1, 1)))


def test_the_full_disk_refuses_and_loses_nothing(path: Path) -> None:
    ledger = open_at(path)
    connection = ledger._database._connection
    pages = int(str(connection.pragma("page_count")))
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StoreError, match="disk"):
        reserve_without_end(ledger)
    connection.execute("PRAGMA max_page_count = 1000000")
    kinds = [entry.kind for entry in ledger.entries()]
    assert len(ledger.reservations({})) == kinds.count("reserved") > 3
    assert list(ledger.verify()) == []
    assert isinstance(ledger.reserve(ReserveRequest(key="last", labels={}, amount=Amount(1, 1))), Reservation)
    ledger.close()


def test_pythons_own_sqlite_is_never_imported() -> None:
    """Two SQLite libraries on one file in one process drop each other's locks."""
    code = "import bursar.ledger, sys; sys.exit('sqlite3' in sys.modules or '_sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_database_room_is_cheap_to_import() -> None:
    heavy = "dataclasses typing enum pathlib re json msgspec contextlib functools threading ctypes"
    code = f"import bursar.database, sys; print([name for name in {heavy!r}.split() if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
