"""Windows during a run: what runs is reckoned with until a percentage has it, and refusals are waited out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bursar.budget import Amount, WindowLimit, WindowUse
from bursar.ledger import CallRecord, MemoryLedger, ReserveRequest
from bursar.run.token_shares import TokenShares
from bursar.run.windows import WindowGate, explain, explain_refusal
from bursar.usage import Usage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RESET = NOON + timedelta(hours=2)


class HandClock:
    """Stands until it is set; both of its hands go together."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


class FixedShares(TokenShares):
    """A token takes what it is told that it takes."""

    fixed: float | None = None

    def per_token(self, agent: str, minutes: int) -> float | None:
        return self.fixed


class Desk:
    """A gate over a ledger in memory; `told` is what the provider says of `codex`."""

    def __init__(self, *limits: WindowLimit, shares: TokenShares | None = None) -> None:
        self.clock = HandClock()
        self.ledger = MemoryLedger(self.clock)
        self.told: list[WindowUse] = []
        self.looks = 0
        self.fixed = FixedShares()
        shares = self.fixed if shares is None else shares
        self.gate = WindowGate(limits or (limit(),), self.look, self.ledger, self.clock, shares, {"user": "ada"})

    def look(self, agent: str, now: datetime) -> Sequence[WindowUse]:
        self.looks += 1
        return [use for use in self.told if use.agent == agent]

    def say(self, percent: float | None, per_token: float | None = 0.0001, resets_at: datetime | None = RESET) -> None:
        self.told = [
            WindowUse(
                agent="codex",
                minutes=300,
                percent=percent,
                is_official=True,
                said_at=self.clock.now(),
                resets_at=resets_at,
            )
        ]
        self.fixed.fixed = per_token
        self.clock.passed += 10  # what was seen before is old

    def begin(self, key: str, tokens: int) -> None:
        self.ledger.reserve(ReserveRequest(key=key, labels={}, amount=Amount(tokens, None)))
        self.gate.began(key, "codex")

    def use(self, key: str, call: str, tokens: int) -> None:
        usage = Usage(input_tokens=tokens)
        self.ledger.record(
            key, CallRecord(call_id=call, sequence=1, model="m", usage=usage, nano_usd=0, provenance="streamed")
        )

    def end(self, key: str, tokens: int) -> None:
        self.ledger.settle(key, Amount(tokens, 0))
        self.gate.ended("codex", None)

    def may(self, tokens: int) -> bool:
        self.clock.passed += 10
        return not self.gate.denials("codex", tokens)


def limit(percent: float = 80, agent: str = "codex") -> WindowLimit:
    return WindowLimit(agent=agent, minutes=300, percent=percent)


def test_what_runs_is_expected_to_use_what_it_holds() -> None:
    desk = Desk()
    desk.say(50.0)
    assert desk.may(300_000)
    desk.begin("r/1/1", 200_000)
    assert desk.may(100_000)
    assert not desk.may(100_001)


def test_what_a_new_percentage_has_in_it_is_not_counted_twice() -> None:
    desk = Desk()
    desk.say(50.0)
    assert desk.may(1)
    desk.begin("r/1/1", 200_000)
    desk.use("r/1/1", "a", 150_000)
    assert not desk.may(100_001)  # the percentage is from before
    desk.say(65.0)
    assert desk.may(100_000)  # 150,000 of the 200,000 are in it: 5 % more are to come
    assert not desk.may(100_001)


def test_what_has_ended_counts_with_what_it_used_until_a_percentage_has_it() -> None:
    desk = Desk()
    desk.say(50.0)
    assert desk.may(1)
    desk.begin("r/1/1", 200_000)
    desk.end("r/1/1", 50_000)
    assert desk.may(250_000)
    assert not desk.may(250_001)
    desk.say(55.0)
    assert desk.may(250_000)
    assert not desk.may(250_001)


def test_without_a_price_of_a_token_only_the_percentage_keeps_anything_waiting() -> None:
    desk = Desk()
    desk.say(79.0, None)
    desk.begin("r/1/1", 10**9)
    assert desk.may(10**9)
    desk.say(80.0, None)
    assert not desk.may(1)
    desk.say(None)
    assert desk.may(10**9)


def test_other_agents_and_other_windows_are_not_kept_waiting() -> None:
    desk = Desk()
    desk.say(99.0)
    assert not desk.gate.denials("claude", 10**9)
    week = Desk(WindowLimit(agent="codex", minutes=10_080, percent=50))
    week.say(99.0)
    assert week.may(10**9)


def test_a_limit_of_any_agent_gives_way_to_the_agents_own() -> None:
    desk = Desk(limit(50, ""), limit(80))
    desk.say(60.0)
    assert desk.may(1)
    assert [each.percent for each in desk.gate.limits_of("codex")] == [80]
    assert [each.percent for each in desk.gate.limits_of("claude")] == [50]


def test_windows_are_looked_at_again_when_they_begin_anew_and_not_at_every_task() -> None:
    desk = Desk()
    desk.say(90.0, resets_at=NOON + timedelta(seconds=11))
    assert desk.gate.denials("codex", 1)
    assert desk.gate.denials("codex", 1)
    assert desk.looks == 1
    desk.told = [WindowUse(agent="codex", minutes=300, percent=0.0, is_official=True, has_begun_anew=True)]
    desk.clock.passed += 1
    assert not desk.gate.denials("codex", 1)
    assert desk.looks == 2


def test_thresholds_fire_once_in_a_window_and_again_in_the_next() -> None:
    desk = Desk()
    for percent in (50.0, 60.0, 60.0):
        desk.say(percent)
        desk.gate.denials("codex", 1)
    first = desk.gate.due_alerts()
    assert [each.message for each in first] == ["window codex 5h has reached 70 % of its limit of 80 %"]
    assert first[0].at == RESET.isoformat()
    assert desk.gate.due_alerts() == []
    desk.say(60.0, resets_at=RESET + timedelta(hours=5))
    desk.gate.denials("codex", 1)
    assert [each.at for each in desk.gate.due_alerts()] == [(RESET + timedelta(hours=5)).isoformat()]


def test_a_refused_agent_is_left_alone_until_it_said() -> None:
    desk = Desk()
    desk.gate.ended("codex", int(RESET.timestamp()))
    refusal = desk.gate.refusal("codex")
    assert refusal is not None
    assert refusal.until == RESET + timedelta(seconds=1)
    assert "codex has reached a limit of its provider's" in explain_refusal(refusal)
    assert desk.gate.refusal("claude") is None
    desk.clock.passed = 7200
    assert desk.gate.refusal("codex") is not None
    desk.clock.passed = 7201
    assert desk.gate.refusal("codex") is None


def test_one_that_is_refused_again_and_again_waits_longer_and_longer() -> None:
    desk = Desk()
    waits = []
    for _ in range(10):
        desk.gate.ended("codex", int(NOON.timestamp()))  # a clock that is behind: it is over already
        refusal = desk.gate.refusal("codex")
        waits.append(0 if refusal is None else (refusal.until - desk.clock.now()).total_seconds())
        desk.clock.passed += waits[-1]
    assert waits == [1, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    desk.gate.ended("codex", None)
    desk.gate.ended("codex", int(NOON.timestamp()))
    assert desk.gate.refusal("codex") is None


def test_what_is_said_names_window_percentage_and_reset() -> None:
    desk = Desk()
    desk.say(70.0)
    desk.clock.passed += 600
    (denial,) = desk.gate.denials("codex", 200_000)
    said = explain(denial, desk.clock.now())
    assert "window codex 5h is at 70 % (said 10 min ago), and its limit is 80 %" in said
    assert "expected to take 20 % more" in said
    assert f"it begins anew at {RESET.astimezone():%Y-%m-%d %H:%M}" in said
    (hopeless,) = desk.gate.denials("codex", 900_000)
    assert "the task alone is expected to take more than the limit" in explain(hopeless, desk.clock.now())


def test_what_a_token_takes_is_learned_from_how_the_percentage_grows(tmp_path: Path) -> None:
    path = tmp_path / "shares.json"
    desk = Desk(limit(100), shares=TokenShares(path))
    desk.say(75.0)  # of other machines, perhaps: it says nothing of tokens
    assert desk.may(10**9)
    desk.begin("r/1/1", 200_000)
    desk.use("r/1/1", "a", 60_000)
    desk.say(77.0)
    assert desk.may(10**9)  # two percent may be rounding
    desk.use("r/1/1", "b", 40_000)
    desk.say(79.0)
    assert desk.may(425_000)  # four percent for 100,000 tokens; 100,000 of what is held are still to come
    assert not desk.may(425_001)
    assert TokenShares(path).per_token("codex", 300) == 4.0 / 100_000
    assert TokenShares(path).per_token("codex", 10_080) is None


def test_a_window_that_begins_anew_teaches_nothing(tmp_path: Path) -> None:
    shares = TokenShares(tmp_path / "shares.json")
    desk = Desk(shares=shares)
    desk.say(90.0)
    desk.may(1)
    desk.begin("r/1/1", 200_000)
    desk.use("r/1/1", "a", 60_000)
    desk.say(2.0, resets_at=RESET + timedelta(hours=5))
    desk.may(1)
    assert shares.per_token("codex", 300) is None


def test_what_was_long_ago_counts_less_and_less() -> None:
    shares = TokenShares()
    for _ in range(100):
        shares.learn("codex", 300, 10.0, 100_000)
    for _ in range(100):
        shares.learn("codex", 300, 10.0, 200_000)
    found = shares.per_token("codex", 300)
    assert found is not None
    assert abs(found - 10.0 / 200_000) < 0.1 * found


def test_a_file_that_is_none_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shares.json"
    path.write_text('{"codex 300": "much"}')
    shares = TokenShares(path)
    assert shares.per_token("codex", 300) is None
    shares.learn("codex", 300, 5.0, 1000)
    assert TokenShares(path).per_token("codex", 300) == 0.005


def test_what_other_runs_of_the_same_person_hold_counts_too() -> None:
    desk = Desk()
    labels = {"user": "ada", "agent": "codex"}
    for key, who in (
        ("other/1/1", labels),
        ("hers/1/1", labels | {"user": "bea"}),
        ("c/1/1", labels | {"agent": "claude"}),
    ):
        desk.ledger.reserve(ReserveRequest(key=key, labels=who, amount=Amount(200_000, None)))
    desk.use("other/1/1", "a", 50_000)  # as far as anybody knows that is in the percentage
    desk.say(50.0)
    assert desk.may(150_000)
    assert not desk.may(150_001)
    desk.ledger.settle("other/1/1", Amount(50_000, 0))
    assert desk.may(300_000)
    assert not desk.may(300_001)


def test_attempts_that_are_refused_side_by_side_were_refused_once() -> None:
    desk = Desk()
    for number in range(5):
        desk.gate.ended("codex", int(NOON.timestamp()) + 30 + number)
    refusal = desk.gate.refusal("codex")
    assert refusal is not None
    assert refusal.until == NOON + timedelta(seconds=35)


def test_what_was_used_of_the_last_window_is_not_expected_of_the_next() -> None:
    desk = Desk()
    desk.say(50.0)
    assert desk.may(1)
    desk.begin("r/1/1", 300_000)
    desk.end("r/1/1", 300_000)
    assert not desk.may(1)
    said_at = desk.told[0].said_at
    desk.told = [
        WindowUse(agent="codex", minutes=300, percent=0.0, is_official=True, said_at=said_at, has_begun_anew=True)
    ]
    assert desk.may(800_000)
