"""One attempt under a real supervisor: what it meters, how it stops an agent, and what it charges."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.budget import Amount, Unit
from bursar.ledger import State
from bursar.supervision import ABANDONED, Ending, StopRung, claim, read_claim
from tests.integration.supervised import Bench, has_ended, open_bench

CALLS = ("init", "call", "m1", "100", "20", "call", "m2", "300", "40")
PATIENT = [StopRung(signal=signal.SIGINT, to_group=False, grace_seconds=60.0)]


def plain(amount: Amount | None) -> Amount:
    """Tokens and cost alone, without the parts that were fresh or output."""
    assert amount is not None
    return Amount(amount.tokens, amount.nano_usd)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path) as made:
        yield made


def test_what_the_agent_prints_is_metered_and_settled(bench: Bench) -> None:
    outcome, reservation = bench.run(*CALLS, "result")
    assert (outcome.ending, outcome.exit_code, outcome.is_error) == (Ending.EXITED, 0, False)
    assert (outcome.metered_tokens, outcome.metered_nano_usd, outcome.calls) == (460, 100 + 100 + 300 + 200, 2)
    assert (outcome.unknown_tokens, outcome.unknown_nano_usd) == (0, 0)
    assert (outcome.session_id, outcome.message) == ("session-1", "done")
    assert reservation.state is State.SETTLED
    assert plain(reservation.charged) == plain(reservation.metered) == Amount(460, 700)


def test_the_supervisor_leaves_the_stream_and_its_claim(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    attempt = bench.start(bench.spec("init", "say", "no JSON at all", "result"))
    outcome, _ = bench.finish(attempt)
    directory = Path(attempt.spec.directory)
    assert (read_claim(directory) or "").startswith(f"{attempt.supervisor}/")
    assert (directory / "stream.jsonl").read_text().count("\n") == 3
    assert outcome.rejected_lines == 1


def test_an_agent_that_reports_an_error_pays_for_what_it_used(bench: Bench) -> None:
    outcome, reservation = bench.run(*CALLS, "error", "out of ideas", "exit", "1")
    assert (outcome.is_error, outcome.message, outcome.exit_code) == (True, "out of ideas", 1)
    assert plain(reservation.charged) == Amount(460, 700)


def test_a_program_that_cannot_be_executed_costs_nothing(bench: Bench) -> None:
    outcome, reservation = bench.run(argv=["/nowhere/at/all"])
    assert outcome.ending is Ending.NOT_STARTED
    assert "could not be started" in outcome.message
    assert reservation.state is State.RELEASED


def test_a_worktree_that_is_not_there_costs_nothing(bench: Bench) -> None:
    outcome, reservation = bench.run(worktree=str(bench.folder / "missing"))
    assert outcome.ending is Ending.NOT_STARTED
    assert reservation.state is State.RELEASED


def test_giving_up_without_a_word_costs_nothing(bench: Bench) -> None:
    outcome, reservation = bench.run("exit", "3")
    assert (outcome.ending, outcome.exit_code, outcome.is_error) == (Ending.EXITED, 3, None)
    assert (reservation.state, reservation.charged) == (State.SETTLED, Amount(0, 0))


@pytest.mark.parametrize("steps", [("exit", "0"), ("say", "hello", "exit", "3")])
def test_an_agent_that_may_have_called_is_charged_its_hold(bench: Bench, steps: tuple[str, ...]) -> None:
    """It claims success without a word, or speaks in words that nobody understands."""
    outcome, reservation = bench.run(*steps, tokens=7000)
    assert outcome.unknown_tokens == 7000
    assert reservation.charged == reservation.unknown == Amount(7000, 35_000)


def test_a_call_that_was_cut_off_is_charged_within_its_bound(bench: Bench) -> None:
    outcome, reservation = bench.run("init", "call", "m1", "100", "20", "start", "m2", "150", "exit", "1")
    assert outcome.metered_tokens == 120 + 151
    assert 0 < outcome.unknown_tokens <= 100  # the output cap of the one open call
    assert reservation.charged is not None
    assert reservation.charged.tokens == outcome.metered_tokens + outcome.unknown_tokens
    assert reservation.unknown.tokens == outcome.unknown_tokens


def test_a_budget_in_tokens_stops_the_agent_at_its_limit(bench: Bench) -> None:
    bench.reserve("r/1/1", 400, limit=400)
    attempt = bench.start(bench.spec(*CALLS, "wait", units=["tokens"]))
    outcome, reservation = bench.finish(attempt)
    assert (outcome.ending, outcome.is_error) == (Ending.LIMIT, None)
    assert outcome.limit == "budget run-r reached its limit of 400 tokens"
    assert reservation.state is State.OVERRUN
    assert reservation.metered.tokens == 460


def test_finished_work_stays_when_the_agent_was_faster_than_the_stop(bench: Bench) -> None:
    bench.reserve("r/1/1", 400, limit=400)
    attempt = bench.start(bench.spec("polite", *CALLS, "wait", units=["tokens"], stop_ladder=PATIENT))
    outcome, _ = bench.finish(attempt)
    assert (outcome.ending, outcome.is_error, outcome.exit_code) == (Ending.EXITED, False, 0)


def test_a_budget_in_usd_stops_an_agent_whose_model_has_no_price(bench: Bench) -> None:
    bench.reserve("r/1/1", 10_000, limit=100_000, unit=Unit.USD)
    spec = bench.spec(*CALLS, "wait", units=["usd"], rates={"dated": "", "models": []})
    outcome, reservation = bench.finish(bench.start(spec))
    assert outcome.ending is Ending.LIMIT
    assert "no price is known for model model-1" in outcome.limit
    assert outcome.metered_nano_usd is None
    assert reservation.charged is not None
    assert reservation.charged.nano_usd == 50_000, "an unknown cost is charged as it was held, never as 0"


def test_a_hold_grows_while_the_budget_allows(bench: Bench) -> None:
    bench.reserve("r/1/1", 200, limit=5000)
    outcome, reservation = bench.finish(bench.start(bench.spec(*CALLS, "result", units=["tokens"])))
    assert (outcome.ending, outcome.limit) == (Ending.EXITED, "")
    assert (reservation.state, reservation.held.tokens >= 460) == (State.SETTLED, True)


def test_an_agent_that_takes_too_long_is_stopped(bench: Bench) -> None:
    outcome, reservation = bench.run(*CALLS, "tell", "ready", "wait", limit_seconds=3.0)
    assert outcome.ending is Ending.TIMEOUT
    assert plain(reservation.metered) == Amount(460, 700)
    assert reservation.state is State.SETTLED


def test_an_agent_that_ignores_int_and_term_is_killed(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    attempt = bench.start(bench.spec("ignore", *CALLS, "tell", "ready", "wait"))
    bench.hear()
    attempt.signal(signal.SIGTERM)
    outcome, reservation = bench.finish(attempt)
    assert (outcome.ending, outcome.exit_code) == (Ending.INTERRUPTED, -signal.SIGKILL)
    assert reservation.state is State.SETTLED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_supervisor_interrupts_and_settles(bench: Bench, number: signal.Signals) -> None:
    bench.reserve("r/1/1", 1000)
    attempt = bench.start(bench.spec(*CALLS, "tell", "ready", "wait"))
    bench.hear()
    attempt.signal(number)
    outcome, reservation = bench.finish(attempt)
    assert outcome.ending is Ending.INTERRUPTED
    assert plain(reservation.metered) == Amount(460, 700)
    assert reservation.state is State.SETTLED


@pytest.mark.parametrize("kind", ["child", "orphan"])
@pytest.mark.parametrize("end", ["exit", "wait"])
def test_a_tool_in_a_session_of_its_own_ends_with_the_agent(bench: Bench, kind: str, end: str) -> None:
    bench.reserve("r/1/1", 1000)
    steps = (*CALLS, kind, "listen", "result") if end == "exit" else (*CALLS, kind, "wait")
    attempt = bench.start(bench.spec(*steps))
    tool = bench.watch(int(bench.hear()))
    if end == "wait":
        attempt.signal(signal.SIGTERM)
    else:
        bench.go_on()
    outcome, _ = bench.finish(attempt)
    assert outcome.leftovers_killed
    assert has_ended(tool, 0)


@pytest.mark.parametrize("kind", ["child", "orphan"])
def test_when_the_supervisor_is_killed_everything_below_it_dies(bench: Bench, kind: str) -> None:
    bench.reserve("r/1/1", 1000)
    attempt = bench.start(bench.spec(*CALLS, kind, "tell", "ready", "wait"))
    tool = bench.watch(next(int(line) for line in (bench.hear(), bench.hear()) if line != "ready"))
    attempt.signal(signal.SIGKILL)
    assert attempt.end() is None
    assert has_ended(tool)
    assert bench.reservation().state is State.HELD, "whoever finds it forfeits it"


def test_when_the_supervisor_is_killed_the_agent_dies_with_it(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    attempt = bench.start(bench.spec("ignore", *CALLS, "tell", "ready", "wait"))
    bench.hear()
    children = Path(f"/proc/{attempt.supervisor}/task/{attempt.supervisor}/children").read_text().split()
    agents = [bench.watch(int(child)) for child in children]
    attempt.signal(signal.SIGKILL)
    assert len(agents) == 1
    assert has_ended(agents[0])


def test_another_attempt_goes_on_when_one_supervisor_is_killed(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    bench.reserve("r/2/1", 1000)
    killed = bench.start(bench.spec("init", "tell", "ready", "wait"))
    other = bench.start(bench.spec(*CALLS, "child", "wait", key="r/2/1"))
    tool = bench.watch(next(int(line) for line in (bench.hear(), bench.hear()) if line != "ready"))
    killed.signal(signal.SIGKILL)
    killed.end()
    assert not has_ended(tool, 0)
    other.signal(signal.SIGTERM)
    outcome, _ = bench.finish(other)
    assert outcome.metered_tokens == 460
    assert has_ended(tool, 0)


def test_a_claimed_attempt_is_not_started(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    spec = bench.spec("tell", "started")
    assert claim(Path(spec.directory), ABANDONED) is None
    attempt = bench.start(spec)
    assert attempt.end() is None
    assert bench.reservation().state is State.HELD
    assert not (Path(spec.directory) / "stream.jsonl").exists()


def test_an_attempt_whose_hold_has_ended_is_not_started(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    ledger = bench.ledger()
    ledger.release("r/1/1")
    ledger.close()
    attempt = bench.start(bench.spec("tell", "started"))
    assert attempt.end() is None
    assert not (Path(attempt.spec.directory) / "stream.jsonl").exists()


def test_a_spec_that_cannot_be_read_ends_its_supervisor_and_not_the_spawner(bench: Bench) -> None:
    assert bench.spawner.stdin is not None
    assert bench.spawner.stdout is not None
    bench.spawner.stdin.write(b"no spec\n")
    bench.spawner.stdin.flush()
    assert has_ended(bench.watch(int(bench.spawner.stdout.readline())))
    outcome, _ = bench.run("tell", "started")
    assert outcome.ending is Ending.EXITED
    assert "JSONDecodeError" in (bench.folder / "spawner.log").read_text()


def test_the_prompt_arrives_whole_however_large_it_is(bench: Bench) -> None:
    prompt = bytes(range(256)) * 8192
    counter = "import sys; sys.exit(0 if sys.stdin.buffer.read() == bytes(range(256)) * 8192 else 9)"
    spec = bench.spec(stdin=prompt)
    outcome, _ = bench.run(argv=[spec.argv[0], "-c", counter], stdin=prompt)
    assert outcome.exit_code == 0


def test_without_a_prompt_standard_input_is_empty(bench: Bench) -> None:
    spec = bench.spec()
    program = "import sys; sys.exit(9 if sys.stdin.read() else 0)"
    outcome, _ = bench.run(argv=[spec.argv[0], "-c", program], stdin=None)
    assert outcome.exit_code == 0


def test_an_agent_is_told_its_mark_and_no_variable_of_ours(bench: Bench) -> None:
    script = "import os,sys; sys.exit(0 if set(os.environ) - {'LC_CTYPE'} == {'A', 'BURSAR_ATTEMPT'} else 9)"
    spec = bench.spec()
    outcome, _ = bench.run(argv=[spec.argv[0], "-I", "-c", script], environment={"A": "1"})
    assert outcome.exit_code == 0


def test_a_ledger_that_breaks_stops_the_agent_and_the_outcome_keeps_the_numbers(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    spec = bench.spec("ignore", "tell", "ready", "listen", *CALLS, "exit", "0", stop_ladder=PATIENT)
    attempt = bench.start(spec)
    bench.hear()
    with sqlite3.connect(bench.ledger_path) as connection:
        connection.execute("ALTER TABLE calls RENAME TO lost")
    bench.go_on()
    outcome = attempt.end()
    assert outcome is not None
    assert (outcome.ending, outcome.metered_tokens, outcome.metered_nano_usd) == (Ending.LEDGER_FAILED, 460, 700)
    assert "no such table" in outcome.limit


def test_a_ledger_that_cannot_be_opened_costs_nothing(bench: Bench) -> None:
    """The agent was never started, and the outcome says so: what was held need not be charged."""
    bench.reserve("r/1/1", 1000)
    foreign = bench.folder / "foreign.db"
    foreign.write_text("this is no ledger")
    outcome = bench.start(bench.spec(*CALLS, "result", ledger=str(foreign))).end()
    assert outcome is not None
    assert (outcome.ending, outcome.exit_code) == (Ending.LEDGER_FAILED, None)
    assert (outcome.metered_tokens, outcome.metered_nano_usd, outcome.unknown_tokens) == (0, 0, 0)
    assert "foreign.db" in outcome.limit


def test_a_ledger_that_breaks_before_the_agent_starts_costs_nothing(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000)
    with sqlite3.connect(bench.ledger_path) as connection:
        connection.execute("ALTER TABLE reservations RENAME TO lost")
    attempt = bench.start(bench.spec(*CALLS, "result"))
    outcome = attempt.end()
    assert outcome is not None
    assert (outcome.ending, outcome.exit_code, outcome.metered_tokens) == (Ending.LEDGER_FAILED, None, 0)
    assert not (Path(attempt.spec.directory) / "stream.jsonl").exists()


def test_a_full_disk_for_the_copy_of_the_stream_loses_no_usage(bench: Bench) -> None:
    spec = bench.spec(*CALLS, "result")
    (Path(spec.directory) / "stream.jsonl").symlink_to("/dev/full")
    outcome, reservation = bench.run(*CALLS, "result")
    assert (outcome.ending, outcome.metered_tokens) == (Ending.EXITED, 460)
    assert (reservation.state, plain(reservation.charged)) == (State.SETTLED, Amount(460, 700))


def test_a_report_that_the_ledger_cannot_take_hides_no_other(bench: Bench) -> None:
    """An agent names a model without a name; what it says of the other one counts all the same."""
    by_model = {"": {"inputTokens": 7}, "model-1": {"inputTokens": 500, "outputTokens": 60}}
    closing = json.dumps({"type": "result", "subtype": "success", "is_error": False, "modelUsage": by_model})
    outcome, reservation = bench.run(*CALLS, "say", closing)
    assert outcome.metered_tokens == 560 + 7
    assert (reservation.metered.tokens, reservation.state) == (560, State.SETTLED)
    assert reservation.charged is not None
    assert reservation.charged.tokens == 567


def test_many_attempts_at_once_are_metered_apart(bench: Bench) -> None:
    keys = [f"r/{number}/1" for number in range(8)]
    for key in keys:
        bench.reserve(key, 1000)
    specs = [bench.spec("init", "call", f"m{key}", str(50 + at), "1", "result", key=key) for at, key in enumerate(keys)]
    attempts = [bench.start(spec) for spec in specs]
    tokens = [bench.finish(attempt)[1].metered.tokens for attempt in attempts]
    assert tokens == [51 + at for at in range(8)]
