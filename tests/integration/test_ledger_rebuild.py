"""A damaged ledger is rebuilt: exactly where its journal is whole, else on the safe side, and the difference said."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from bursar.budget import Amount, Balance, Budget, Level, Limit, Threshold, Unit, parse_period
from bursar.database import open_salvage
from bursar.errors import LedgerBusy, StoreError, UserError
from bursar.ledger import (
    CallRecord,
    Entry,
    Evidence,
    Rebuilt,
    Reservation,
    ReserveRequest,
    SqliteLedger,
    State,
    open_ledger,
    rebuild_ledger,
)
from bursar.ledger.port import Ledger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
PAGE = 4096


class Books(NamedTuple):
    """Everything that a ledger shows."""

    entries: Sequence[Entry]
    balances: Sequence[Balance]
    reservations: Sequence[Reservation]
    alerts: Sequence[object]
    usage: object


def show(ledger: Ledger) -> Books:
    at = SteppingClock().latest
    return Books(
        list(ledger.entries()),
        list(ledger.budgets(at=at)),
        list(ledger.reservations({})),
        list(ledger.alerts()),
        dict(ledger.usage({})),
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Books]:
    """A ledger that tests copy, and what it shows."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    return path, fill(path)


@pytest.fixture
def before(template: tuple[Path, Books]) -> Books:
    """What the ledger showed before anything was damaged."""
    return template[1]


@pytest.fixture
def place(template: tuple[Path, Books], tmp_path: Path) -> Path:
    """A ledger whose last writes are in its log."""
    for name in ("ledger.db", "ledger.db-wal", "ledger.db.lock"):
        shutil.copy2(template[0].parent / name, tmp_path / name)
    return tmp_path / "ledger.db"


@pytest.fixture
def whole(place: Path) -> Path:
    """A ledger that is all in its one file."""
    put_together(place)
    return place


def fill(path: Path, seed: int = SEED, operations: int = 150) -> Books:
    """A ledger of some hundred entries with everything in it, closed, and its last writes in its log; what it shows."""
    chance = random.Random(seed)
    ledger = open_ledger(path, SteppingClock())
    for name, limit, unit, match, period in (
        ("all", 10**9, Unit.TOKENS, {}, "always"),
        ("run", 10**9, Unit.TOKENS, {"run": "r1"}, "run"),
        ("usd", 10**15, Unit.USD, {}, "always"),
        ("day", 10**12, Unit.TOKENS, {}, "daily"),
    ):
        thresholds = tuple(Threshold(percent, Level.WARNING) for percent in (1, 50))
        ledger.define(
            Budget(
                name=name, limit=Limit(limit, unit), selector=match, period=parse_period(period), thresholds=thresholds
            )
        )
    for number in range(operations):
        if number == operations // 2:  # thresholds that have fired may fire anew
            known = ledger.balance("all")
            assert known is not None
            ledger.define(replace(known.budget, limit=Limit(10**13, Unit.TOKENS)))
        operate(ledger, chance, number)
    shown = show(ledger)
    assert operations < 100 or any("rearmed" in entry.body for entry in shown.entries)
    assert ledger.verify() == []
    ledger.close()
    return shown


def operate(ledger: Ledger, chance: random.Random, number: int) -> None:
    labels = {
        "run": f"r{chance.randint(1, 3)}",
        "task": f"t{number}",
        "project": "/p",
        "phase": "é" * chance.randint(1, 9),
    }
    key = f"{labels['run']}/{labels['task']}/1"
    held = Amount(chance.randint(100, 9_000_000), chance.randint(100, 10**9))
    if chance.random() < 0.1:
        ledger.charge(key, labels, held)
        return
    ledger.reserve(ReserveRequest(key=key, labels=labels, amount=held))
    for sequence in range(1, chance.randint(1, 4)):
        usage = Usage(input_tokens=chance.randint(1, 50), output_tokens=chance.randint(1, 50))
        ledger.record(key, CallRecord(call_id="c", sequence=sequence, model="m", usage=usage, nano_usd=5))
    fate = chance.random()
    if fate < 0.6:
        ledger.settle(key, Amount(held.tokens - 1, held.nano_usd), unknown=Amount(chance.randint(0, 9), 0))
    elif fate < 0.7:
        ledger.forfeit(key)
    elif fate < 0.75:
        ledger.forfeit(key)
        ledger.credit(key, Amount(400, 400), evidence="invoice")
    elif fate < 0.85:
        ledger.extend(key, Amount(held.tokens + 1000, held.nano_usd))


def put_together(path: Path) -> None:
    """What is in the log is in the file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def rebuild(path: Path, **more: object) -> Rebuilt:
    return rebuild_ledger(str(path), SteppingClock(), **more)  # type: ignore[arg-type]


def reopen(path: Path) -> SqliteLedger:
    return open_ledger(path, SteppingClock())


def pages_of(path: Path, name: str) -> list[int]:
    """The pages of that table or index, before any damage."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (name,)).fetchall()
    connection.close()
    return [row[0] for row in found]


def flip(path: Path, at: int, by: int = 0x10) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes((byte ^ by,)))


def totals(books: Books) -> dict[str, int]:
    return {each.budget.name: each.spent + each.reserved for each in books.balances}


def check_safe(before: Books, after: Books, done: Rebuilt) -> None:
    """Nothing is lost in silence: no balance is lower by more than was ended below what it held, and that was said."""
    if done.is_exact:
        assert after == before
        return
    reservations = {each.key: each for each in after.reservations}
    told = {each.key for each in done.ended} | {each.what for each in done.charged}
    for was in before.reservations:
        now = reservations.get(was.key)
        if now is None:
            assert done.lost or not done.is_end_known, was.key
        elif was.state is not now.state:
            assert was.key in told, (was, now)
    if not done.unexplained:
        low = {name: taken for name, taken in totals(before).items() if totals(after).get(name, 0) < taken}
        assert not low, (low, totals(after))


# What can be read is exact.


def test_a_header_that_is_gone_costs_nothing(whole: Path, before: Books) -> None:
    with open(whole, "r+b") as file:
        file.write(b"garbage!" * 12)
    with pytest.raises(StoreError, match="corrupt") as caught:
        reopen(whole)
    assert caught.value.hint is not None
    assert "bursar ledger rebuild" in caught.value.hint
    done = rebuild(whole)
    assert (done.is_exact, done.kept, done.lost) == (True, len(before.entries), [])
    assert show(reopen(whole)) == before
    assert Path(done.damaged).read_bytes().startswith(b"garbage!")
    assert sorted(each.name for each in whole.parent.iterdir() if "rebuilt" in each.name) == []


@pytest.mark.parametrize("name", ["sqlite_autoindex_reservations_1", "budgets_by_run_and_task", "alerts_in_force"])
def test_a_damaged_index_costs_nothing(whole: Path, before: Books, name: str) -> None:
    for page in pages_of(whole, name):
        with open(whole, "r+b") as file:
            file.seek((page - 1) * PAGE + 8)
            file.write(random.Random(page).randbytes(PAGE - 8))
    assert rebuild(whole).is_exact
    assert show(reopen(whole)) == before


@pytest.mark.parametrize("name", ["reservations", "balances", "budgets", "calls", "alerts"])
def test_rows_that_are_gone_follow_from_the_journal(whole: Path, before: Books, name: str) -> None:
    for page in pages_of(whole, name):
        with open(whole, "r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(bytes(PAGE))
    assert rebuild(whole).is_exact
    assert show(reopen(whole)) == before


def test_one_wrong_byte_in_an_entry_is_found_again(whole: Path, before: Books) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for entry in chance.sample(before.entries, 5):
        copied = whole.parent / f"copy-{entry.number}" / "ledger.db"
        copied.parent.mkdir()
        shutil.copy2(whole, copied)
        content = copied.read_bytes()
        for found in (entry.hash, entry.previous_hash, entry.key):
            at = content.index(found.encode(), content.index(entry.at.isoformat(timespec="microseconds").encode()))
            flip(copied, at + 2, 0x01)
            break
        done = rebuild(copied)
        assert done.is_exact, entry
        assert show(reopen(copied)) == before


def test_any_flipped_byte_of_the_journal_is_mended_or_said(whole: Path, before: Books) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    pages = pages_of(whole, "entries")
    for number in range(12):
        copied = whole.parent / f"copy-{number}" / "ledger.db"
        copied.parent.mkdir()
        shutil.copy2(whole, copied)
        flip(copied, (chance.choice(pages) - 1) * PAGE + chance.randrange(PAGE), 1 << chance.randrange(8))
        try:
            done = rebuild(copied)
        except UserError:
            continue  # a byte that means nothing
        ledger = reopen(copied)
        assert ledger.verify() == []
        check_safe(before, show(ledger), done)
        ledger.close()


# What cannot is said, and charged on the safe side.


def test_a_page_of_the_journal_that_is_gone(whole: Path, before: Books) -> None:
    for page in pages_of(whole, "entries")[10:12]:
        with open(whole, "r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(bytes(PAGE))
    done = rebuild(whole)
    ledger = reopen(whole)
    after = show(ledger)
    assert done.lost
    assert ledger.verify() == []
    assert done.kept < len(before.entries)
    assert totals(after) == totals(before)
    assert [each.state for each in after.reservations].count(State.HELD) == [
        each.state for each in before.reservations
    ].count(State.HELD)
    assert sorted((each.key, each.charged) for each in after.reservations) == sorted(
        (each.key, each.charged) for each in before.reservations
    )


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.95])
def test_a_file_that_was_cut_off(whole: Path, before: Books, share: float) -> None:
    size = whole.stat().st_size
    os.truncate(whole, int(size * share))
    done = rebuild(whole)
    ledger = reopen(whole)
    assert not done.is_exact
    assert ledger.verify() == []
    check_safe(before, show(ledger), done)
    held = [each.key for each in ledger.reservations({}, state=State.HELD)]
    assert set(held) <= {each.key for each in before.reservations if each.state is State.HELD}


def wipe(path: Path, pages: Sequence[int]) -> None:
    with open(path, "r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(bytes(PAGE))


def last_leaf(path: Path) -> int:
    """The page with the last entries."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = 'entries' AND pagetype = 'leaf' ORDER BY path DESC LIMIT 1"
    ).fetchone()
    connection.close()
    return int(found[0])


def test_a_hold_whose_end_nobody_knows_is_forfeited(whole: Path, before: Books) -> None:
    wipe(whole, [last_leaf(whole), *pages_of(whole, "reservations"), *pages_of(whole, "balances")])
    done = rebuild(whole)
    ledger = reopen(whole)
    after = show(ledger)
    assert ledger.verify() == []
    assert not done.is_end_known
    assert ledger.reservations({}, state=State.HELD) == []
    open_before = {each.key: each.held for each in before.reservations if each.state is State.HELD}
    found_again = {each.key for each in after.reservations}
    forfeited = {each.key: each.charged for each in done.ended if each.state == "forfeited"}
    assert forfeited
    for key in set(open_before) & found_again:
        assert forfeited[key].tokens == open_before[key].tokens
    assert all("charged what was held" in each.source for each in done.ended)


def test_what_a_balance_had_and_no_entry_explains_is_charged(whole: Path, before: Books) -> None:
    wipe(whole, [last_leaf(whole), *pages_of(whole, "reservations")])
    done = rebuild(whole)
    ledger = reopen(whole)
    after = show(ledger)
    assert ledger.verify() == []
    assert all(totals(after)[name] >= taken for name, taken in totals(before).items())
    assert any(each.what == "budget `all`" for each in done.charged)
    last = [entry for entry in after.entries if entry.kind == "charged"][-1]
    assert last.key.startswith("rebuilt/")


def test_a_budget_that_nobody_can_define_any_more_is_named(whole: Path) -> None:
    first_leaf = min(set(pages_of(whole, "entries")) - {2})
    wipe(whole, [first_leaf, *pages_of(whole, "budgets")])
    done = rebuild(whole)
    assert reopen(whole).verify() == []
    assert any("definition of budget `all` is lost" in each for each in done.unexplained)


def test_budgets_come_back_from_their_rows(whole: Path, before: Books) -> None:
    wipe(whole, [min(set(pages_of(whole, "entries")) - {2})])
    done = rebuild(whole)
    after = show(reopen(whole))
    assert done.lost[0][0] == 1
    assert totals(after) == totals(before)
    assert [each.budget for each in after.balances] == [each.budget for each in before.balances]


@pytest.mark.parametrize("offset", [5, 24 + 8, 24 + 17, 24 + 24 + 700])
def test_a_damaged_log_loses_nothing_in_silence(place: Path, before: Books, offset: int) -> None:
    """In its own head, in a frame's salt, in a frame's sum, in a page."""
    wal = Path(f"{place}-wal")
    frame = (wal.stat().st_size - 32) // (24 + PAGE) // 2
    flip(wal, offset if offset < 32 else 32 + frame * (24 + PAGE) + offset - 24)
    size = wal.stat().st_size
    done = rebuild(place)
    ledger = reopen(place)
    assert ledger.verify() == []
    check_safe(before, show(ledger), done)
    assert Path(f"{done.damaged}-wal").stat().st_size == size > 0


# What others know.


def lose_the_end(path: Path) -> None:
    wipe(path, [last_leaf(path), *pages_of(path, "reservations"), *pages_of(path, "balances")])


def test_the_audit_log_ends_a_hold(whole: Path, before: Books) -> None:
    held = next(each for each in before.reservations if each.state is State.HELD)
    lose_the_end(whole)
    known = Evidence(held.key, "settled", Amount(held.held.tokens - 90, 77), Amount(3, 0), source="audit.jsonl")
    done = rebuild(whole, evidence=[known])
    found = reopen(whole).reservation(held.key)
    assert found is not None
    assert found.charged is not None
    assert (found.state, found.charged.tokens, found.charged.nano_usd) == (State.SETTLED, held.held.tokens - 87, 77)
    assert next(each for each in done.ended if each.key == held.key).source == "audit.jsonl"


def test_proof_that_nothing_was_spent_gives_a_hold_back(whole: Path, before: Books) -> None:
    held = next(each for each in before.reservations if each.state is State.HELD and not each.metered.tokens)
    lose_the_end(whole)
    rebuild(whole, evidence=[Evidence(held.key, "released", source="outcome.json")])
    found = reopen(whole).reservation(held.key)
    assert found is not None
    assert found.state is State.RELEASED


def test_usage_that_only_others_know_of_is_charged_once(whole: Path, before: Books) -> None:
    lose_the_end(whole)
    labels = {"run": "r1", "task": "new"}
    lost = Evidence(
        "r1/new/1", "settled", Amount(500, 5), labels=labels, at=before.entries[-1].at.isoformat(), source="x"
    )
    early = lost._replace(key="r1/early/1", at=before.entries[50].at.isoformat())
    done = rebuild(whole, evidence=[lost, early])
    ledger = reopen(whole)
    found = ledger.reservation("r1/new/1")
    assert found is not None
    assert found.charged == Amount(500, 5)
    assert found.labels["project"] == "/p"
    assert ledger.reservation("r1/early/1") is None, "at that time the journal is whole: it is of another ledger"
    assert "r1/new/1" in {each.what for each in done.charged}


def test_a_journal_that_is_whole_believes_nobody_else(whole: Path, before: Books) -> None:
    wipe(whole, pages_of(whole, "balances"))
    lost = Evidence("r9/x/1", "settled", Amount(500, 5), labels={"run": "r9"}, at="2026-03-09T00:00:00+00:00")
    assert rebuild(whole, evidence=[lost]).is_exact
    assert show(reopen(whole)) == before


# Exports.


def exported(books: Books) -> list[dict[str, object]]:
    return [
        {
            "type": "entry",
            "number": entry.number,
            "at": entry.at.isoformat(),
            "kind": entry.kind,
            "key": entry.key,
            "body": dict(entry.body),
            "hash": entry.hash,
            "previous_hash": entry.previous_hash,
        }
        for entry in books.entries
    ]


def test_an_export_fills_what_is_missing(whole: Path, before: Books) -> None:
    pages = sorted(set(pages_of(whole, "entries")) - {2})
    wipe(whole, pages[3:20])
    done = rebuild(whole, exported=exported(before)[:300])
    assert done.lost == []
    after = show(reopen(whole))
    assert after.entries[: len(before.entries)] == before.entries
    assert totals(after) == totals(before)


def test_an_export_alone_makes_a_ledger(place: Path, before: Books) -> None:
    """Nobody knows whether there was more after it: what it has as open is forfeited."""
    place.write_text("this is no database, and never was one, whatever its name is" * 20, encoding="utf-8")
    done = rebuild(place, exported=exported(before))
    ledger = reopen(place)
    assert totals(show(ledger)) == totals(before)
    assert {each.state for each in done.ended} == {"forfeited"}
    assert "no database" in Path(done.damaged).read_text(encoding="utf-8")


def test_an_export_of_another_ledger_is_refused(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    theirs = fill(other, SEED + 1, 5)
    flip(whole, 0)
    content = whole.read_bytes()
    with pytest.raises(UserError, match="another ledger"):
        rebuild(whole, exported=exported(theirs))
    changed = exported(theirs)
    changed[1]["at"] = "2020-01-01T00:00:00+00:00"
    with pytest.raises(UserError, match=r"line 2 .* changed"):
        rebuild(whole, exported=changed)
    with pytest.raises(UserError, match=r"line 1 .* no entry"):
        rebuild(whole, exported=[{"type": "entry"}])
    assert whole.read_bytes() == content


# What is refused, and leaves everything as it was.


def test_a_ledger_that_is_whole_is_left_alone(place: Path, before: Books) -> None:
    with pytest.raises(UserError, match="whole"):
        rebuild(place)
    assert show(reopen(place)) == before


def test_what_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    text, database, stump = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    text.write_text("dear diary " * 900, encoding="utf-8")
    stump.write_bytes(b"SQLite format 3\x00")
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    for path, words in ((text, "not one entry"), (database, "another program"), (stump, "not one entry")):
        content = path.read_bytes()
        with pytest.raises(StoreError, match=words):
            rebuild(path)
        assert path.read_bytes() == content
    with pytest.raises(StoreError, match="not one entry"):
        rebuild(tmp_path / "nothing")


def test_a_ledger_of_a_later_release_is_left_alone(whole: Path) -> None:
    connection = sqlite3.connect(whole)
    connection.execute("CREATE TABLE later (name TEXT)")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="later release"):
        rebuild(whole)


@pytest.mark.parametrize("at", [60, 63, 68, 71])
def test_a_wrong_number_in_the_header_is_damage(whole: Path, before: Books, at: int) -> None:
    flip(whole, at, 0x41)
    assert rebuild(whole).is_exact
    assert show(reopen(whole)) == before


def test_a_ledger_that_was_removed_is_not_what_was_once_moved_away(whole: Path) -> None:
    flip(whole, 0)
    rebuild(whole)
    whole.unlink()
    with pytest.raises(StoreError, match="not one entry"):
        rebuild(whole)


def test_a_server_is_not_rebuilt() -> None:
    with pytest.raises(UserError, match="on a server") as caught:
        rebuild_ledger("postgresql://somebody@127.0.0.1/books", SteppingClock())
    assert caught.value.hint is not None
    assert "pg_dump" in caught.value.hint


def test_a_ledger_in_use_is_left_alone(whole: Path) -> None:
    wipe(whole, pages_of(whole, "balances"))
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        ledger = reopen(whole)
        ledger.history()
        os.write(ready[1], b".")
        os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    content = whole.read_bytes()
    try:
        with pytest.raises(LedgerBusy, match=r"has .* open"):
            rebuild(whole)
        assert whole.read_bytes() == content
    finally:
        os.write(done[1], b".")
        os.waitpid(child, 0)
        for descriptor in (*ready, *done):
            os.close(descriptor)
    assert rebuild(whole).is_exact


@pytest.mark.parametrize("step", range(3))
def test_a_rebuilding_that_is_cut_off_can_be_done_again(
    place: Path, before: Books, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(place, 0)
    steps: list[str] = []
    rename = os.rename

    def cut_off(source: str, target: str) -> None:
        if len(steps) == step:
            raise KeyboardInterrupt
        steps.append(target)
        rename(source, target)

    monkeypatch.setattr(os, "rename", cut_off)
    with pytest.raises(KeyboardInterrupt):
        rebuild(place)
    monkeypatch.undo()
    with pytest.raises(StoreError):
        reopen(place)
    assert rebuild(place).is_exact
    assert show(reopen(place)) == before


def test_a_rebuilt_ledger_can_be_damaged_and_rebuilt_again(whole: Path, before: Books) -> None:
    wipe(whole, pages_of(whole, "entries")[10:12])
    first = rebuild(whole)
    ledger = reopen(whole)
    ledger.charge("later", {"run": "r1"}, Amount(1, 1))
    ledger.close()
    put_together(whole)
    wipe(whole, pages_of(whole, "entries")[14:15])
    second = rebuild(whole)
    assert (bool(first.lost), bool(second.lost)) == (True, True)
    assert first.damaged != second.damaged
    ledger = reopen(whole)
    assert ledger.verify() == []
    assert totals(show(ledger))["all"] == totals(before)["all"] + 1


# The pages themselves.


def test_salvage_reads_what_sqlite_reads(tmp_path: Path) -> None:
    """Long texts, odd values, tables without rowids, a log that was turned over."""
    path = tmp_path / "any.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, number, bytes BLOB)")
    connection.execute("CREATE TABLE w (a TEXT, b INT, PRIMARY KEY (a)) WITHOUT ROWID")
    chance = random.Random(SEED)
    for number in range(300):
        length = chance.choice([0, 10, 300, 5_000, 60_000])
        row = (number - 50, "ü" * length, chance.choice([0, 1, -1, 2**40, -(2**62), 1.5, None]), chance.randbytes(9))
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
        connection.execute("INSERT INTO w VALUES (?, ?)", (f"{number}" * chance.choice([1, 900]), number))
        if number == 150:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    salvage = open_salvage(str(path))
    expected = connection.execute("SELECT id, text, number, bytes FROM t ORDER BY id").fetchall()
    leaves, is_whole = salvage.leaves("t")
    assert is_whole
    assert salvage.is_log_whole
    assert [(each.rowid, *each.values[1:]) for leaf in leaves for each in leaf if each] == expected
    found = {each.values for each in salvage.records() if each.is_current and each.rowid is None}
    assert set(connection.execute("SELECT a, b FROM w").fetchall()) <= found
    connection.close()


@pytest.mark.timeout(60)
def test_a_log_that_names_a_page_far_beyond_the_file_is_read_at_once(place: Path) -> None:
    """Not a timing: to look at each of the pages before that one takes an hour."""
    expected = {each.values for each in open_salvage(str(place)).records()}
    flip(Path(f"{place}-wal"), 32, 0x7F)
    salvage = open_salvage(str(place))
    found = {each.values for each in salvage.records()}
    assert not salvage.is_log_whole
    assert found
    assert found <= expected


def lose(path: Path, condition: str) -> None:
    """Those entries are gone without a trace."""
    connection = sqlite3.connect(path)
    connection.executescript("DROP TRIGGER entries_are_never_removed; PRAGMA secure_delete = ON;")
    lost = connection.execute(f"DELETE FROM entries WHERE {condition}").rowcount
    connection.commit()
    connection.close()
    assert lost
    put_together(path)


def test_a_credit_whose_forfeit_is_lost_still_counts(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    ledger = open_ledger(path, SteppingClock())
    ledger.define(Budget(name="b", limit=Limit(10**6, Unit.TOKENS)))
    for key, extended in (("x", None), ("y", Amount(900, 900))):
        ledger.reserve(ReserveRequest(key=key, labels={"run": "r"}, amount=Amount(500, 500)))
        if extended is not None:
            ledger.extend(key, extended)
        ledger.forfeit(key)
        ledger.credit(key, Amount(400 if extended is None else 700, 400), evidence="invoice")
    before = ledger.balance("b")
    ledger.close()
    lose(path, "kind IN ('forfeited', 'extended')")
    done = rebuild(path)
    after = reopen(path)
    assert done.lost
    assert after.verify() == []
    assert after.balance("b") == before
    assert [each.charged for each in after.reservations({})] == [Amount(400, 400), Amount(700, 400)]


def test_a_charge_whose_bounds_say_more_output_than_fresh_is_found_again(tmp_path: Path) -> None:
    """Nobody said how much of the one part is output, nor of the other how much is fresh: the sums are bounds."""
    path = tmp_path / "state" / "ledger.db"
    ledger = open_ledger(path, SteppingClock())
    ledger.define(Budget(name="b", limit=Limit(10**6, Unit.TOKENS)))
    for attempt in (1, 2):
        labels = {"run": "r", "task": "t"}
        ledger.reserve(ReserveRequest(key=f"r/t/{attempt}", labels=labels, amount=Amount(50, 50), attempt=attempt))
        if attempt == 1:
            settled = ledger.settle("r/t/1", Amount(10, 10, 5), unknown=Amount(3, 1, None, 1))
            assert settled.charged == Amount(13, 11, 8, 11)
    before = ledger.balance("b")
    ledger.close()
    lose(path, "kind = 'settled'")
    rebuild(path)
    after = reopen(path)
    assert after.verify() == []
    assert after.balance("b") == before
