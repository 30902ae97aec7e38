"""A PostgreSQL that is away for a while: what waits for it is late, and nothing is written twice or lost."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from bursar.budget import Amount, Budget, Level, Limit, Threshold, Unit
from bursar.clock import SystemClock
from bursar.errors import OutcomeUnknown, StoreError
from bursar.ledger import CallRecord, Denial, LedgerEvent, Reservation, ReserveRequest, open_ledger
from bursar.ledger.outlasting import OutlastingLedger, Patience
from bursar.ledger.postgres import PostgresLedger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock
from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, parallel, plan, script, write
from tests.integration.test_ledger_postgres import wait_for_commit
from tests.postgres_server import Server, the_server

LABELS = {"run": "r", "task": "t"}


@pytest.fixture
def server() -> Iterator[Server]:
    found = the_server()
    yield found
    if found.is_halted:
        found.start()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    made = server.new_url()
    yield made
    if server.is_halted:
        server.start()
    server.drop(made)


class PassingClock(SteppingClock):
    """Every look at it takes a second, for durations too."""

    def monotonic(self) -> float:
        return self.now().timestamp()


class Naps:
    """Sleeps that take no time, and what happens in the first of them."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.seconds: list[float] = []
        self._then = then

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == 3:
            self._then()


def open_at(url: str) -> PostgresLedger:
    opened = open_ledger(url, SystemClock())
    assert isinstance(opened, PostgresLedger)
    return opened


def lasting(url: str, naps: Callable[[float], None], seconds: float = 60.0) -> OutlastingLedger:
    ledger = OutlastingLedger(open_at(url), PassingClock(), seconds, naps)
    thresholds = (Threshold(50, Level.WARNING),)
    ledger.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector={"run": "r"}, thresholds=thresholds))
    return ledger


def request(key: str, tokens: int = 10) -> ReserveRequest:
    return ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None))


def call(number: int) -> CallRecord:
    usage = Usage(input_tokens=1)
    return CallRecord(call_id="c", sequence=number, model="m", usage=usage, nano_usd=None)


def kinds(ledger: OutlastingLedger) -> list[str]:
    return [entry.kind for entry in ledger.entries()]


@pytest.mark.parametrize("is_crash", [False, True])
def test_every_method_outlasts_an_outage(server: Server, url: str, is_crash: bool) -> None:
    naps = Naps(server.start)
    ledger = lasting(url, naps)
    heard: list[LedgerEvent] = []
    ledger.observe(heard.append)

    def late(do: Callable[[], object]) -> object:
        naps.seconds.clear()
        server.halt(is_crash=is_crash)
        answer = do()
        assert len(naps.seconds) == 3
        return answer

    assert isinstance(late(lambda: ledger.reserve(request("a"))), Reservation)
    late(lambda: ledger.extend("a", Amount(20, None)))
    late(lambda: ledger.record("a", call(1)))
    settled = late(lambda: ledger.settle("a", Amount(60, None)))
    assert isinstance(settled, Reservation)
    assert [alert.percent for alert in settled.alerts] == [50]
    late(lambda: ledger.charge("b", LABELS, Amount(1, None)))
    ledger.reserve(request("c"))
    late(lambda: ledger.release("c"))
    ledger.reserve(request("d"))
    late(lambda: ledger.forfeit("d"))
    late(lambda: ledger.credit("d", Amount(1, None), evidence="log"))
    ledger.reserve(request("e"))
    assert isinstance(late(lambda: ledger.forfeit_open({"run": "r"})), list)
    assert isinstance(late(lambda: ledger.reserve(request("f", 99))), Denial)
    for read in (
        lambda: ledger.reservation("a"),
        lambda: ledger.balances(LABELS),
        lambda: ledger.budgets(),
        lambda: ledger.history(),
        lambda: ledger.alerts(),
    ):
        assert late(read)
    assert [event.entry.kind for event in heard] == [
        "recorded",
        "settled",
        "charged",
        "forfeited",
        "credited",
        "forfeited",
    ]
    assert ledger.verify() == []
    ledger.close()


def test_an_outage_that_is_longer_than_it_may_be_is_told_as_what_it_is(server: Server, url: str) -> None:
    ledger = lasting(url, lambda _: None, seconds=5.0)
    server.halt()
    with pytest.raises(StoreError, match="nothing was written"):
        ledger.reserve(request("a"))
    with pytest.raises(StoreError, match="cannot be used"):
        ledger.balances(LABELS)
    server.start()
    assert ledger.reservation("a") is None
    ledger.close()


def test_what_the_server_refuses_is_not_asked_again(server: Server, url: str) -> None:
    naps = Naps(server.start)
    ledger = lasting(url, naps)
    with psycopg.connect(url, autocommit=True) as psql:
        psql.execute("ALTER TABLE entries ADD CONSTRAINT never CHECK (kind <> 'reserved')")
    with pytest.raises(StoreError, match="refuses"):
        ledger.reserve(request("a"))
    assert naps.seconds == []
    ledger.close()


def test_a_commit_that_was_lost_before_it_counted_is_done_once(server: Server, url: str) -> None:
    ledger = lasting(url, lambda _: None)
    with psycopg.connect(url, autocommit=True) as psql:
        psql.execute("CREATE SEQUENCE deaths")
        psql.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''deaths'') % 2 = 1"
            " THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END'"
        )
        psql.execute(
            "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION die()"
        )
    heard: list[LedgerEvent] = []
    ledger.observe(heard.append)
    assert isinstance(ledger.reserve(request("a")), Reservation)
    ledger.record("a", call(1))
    settled = ledger.settle("a", Amount(60, None))
    assert [alert.percent for alert in settled.alerts] == [50]
    assert kinds(ledger) == ["defined", "reserved", "recorded", "settled"]
    assert [event.entry.kind for event in heard] == ["recorded", "settled"]
    assert ledger.verify() == []
    ledger.close()


def test_a_commit_whose_answer_was_lost_is_looked_up(server: Server, url: str) -> None:
    """It was written, so it is not written again: what it set off is told once, and the lost answer is given."""
    plain = lasting(url, lambda _: None)
    plain.reserve(request("a"))
    plain.reserve(request("b"))
    waiting = OutlastingLedger(  # its commits wait for a standby that does not exist
        open_at(f"{url}%20-csynchronous_commit%3Don"), PassingClock(), 60.0, lambda _: None
    )
    heard: list[LedgerEvent] = []
    waiting.observe(heard.append)
    writes: tuple[Callable[[], object], ...] = (
        lambda: waiting.record("a", call(1)),
        lambda: waiting.settle("a", Amount(60, None)),
        lambda: waiting.charge("c", LABELS, Amount(1, None)),
        lambda: waiting.forfeit_open({"run": "r"}),
        lambda: waiting.credit("b", Amount(1, None), evidence="log"),
    )
    answers = []
    with ThreadPoolExecutor(1) as threads, psycopg.connect(url, autocommit=True) as psql:
        for write_it in writes:
            answer = threads.submit(write_it)
            backend = wait_for_commit(psql, answer)
            psql.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
            answers.append(answer.result(60))
    assert kinds(plain)[3:] == ["recorded", "settled", "charged", "forfeited", "credited"]
    assert [event.entry.kind for event in heard] == ["recorded", "settled", "charged", "forfeited", "credited"]
    settled, forfeited = answers[1], answers[3]
    assert isinstance(settled, Reservation)
    assert [alert.percent for alert in settled.alerts] == [50]
    assert isinstance(forfeited, list)
    assert [each.key for each in forfeited] == ["b"]
    assert plain.verify() == []
    waiting.close()
    plain.close()


def test_what_nobody_knows_stays_so_when_the_time_is_up(server: Server, url: str) -> None:
    open_at(url).close()  # its tables are made by one who does not wait for a standby
    waiting = OutlastingLedger(
        open_at(f"{url}%20-csynchronous_commit%3Don"),
        PassingClock(),
        4.0,
        lambda _: server.halt() if not server.is_halted else None,
    )
    with ThreadPoolExecutor(1) as threads, psycopg.connect(url, autocommit=True) as psql:
        answer = threads.submit(waiting.reserve, request("a"))
        backend = wait_for_commit(psql, answer)
        with suppress(psycopg.OperationalError):  # the server may end before it has answered
            psql.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
        with pytest.raises(OutcomeUnknown, match="in the middle of a commit"):
            answer.result(60)
    waiting.close()


def test_the_waits_grow_and_end_with_the_time() -> None:
    naps: list[float] = []

    class Still(PassingClock):
        def monotonic(self) -> float:
            return sum(naps)

    patience = Patience(10.0, Still(), naps.append)
    while not patience.is_over():
        pass
    assert naps[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert max(naps) == 2.0
    assert sum(naps) == pytest.approx(10.0)


def test_a_run_outlasts_an_outage(make_project: MakeProject, server: Server, url: str) -> None:
    """The server is away when the agent's usage is to be written; a run does not end of it, and no token is lost."""
    project = make_project(plan(parallel("One")), script({1: [write("one.txt", wait_for="gate")]}))
    project.more["BURSAR_LEDGER_URL"] = url
    run = project.start_run("--budget", "200k tokens")
    assert project.server.wait_until_reached("gate")
    server.halt()
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(str(server.socket))
        nobody.listen()
        nobody.settimeout(60)
        project.server.open_gate("gate")
        nobody.accept()[0].close()  # somebody has missed the server
    server.socket.unlink()
    server.start()
    ended = run.end()
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == 2 * CALL_TOKENS
    project.assert_tidy()
