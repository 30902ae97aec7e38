"""`bursar token`: what a script types, what it reads, and with which exit code."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bursar.cli.main import main
from bursar.cli.token_commands import COMMANDS
from bursar.clock import SystemClock
from bursar.ledger import SqliteLedger, State, open_ledger
from bursar.session import MODELS
from bursar.session.place import labels_of_caller
from tests.integration.webhooks import webhook

SNAPSHOT = ".planning/token_budget.json"
NUMBERS = ("-5", "-30000", "0", "3.9e5", "1_000", "NaN", "nan", "inf", "1e5", "1.5", "1,000", "0x10", " 5", "+5", "",
           "٣٠", str(2**63), "9" * 30, "30k")  # fmt: skip
NAMES = ("", " ", "a\nb", "a\x00b", "\x1b[31m", "tab\there", "x" * 201, "line\u2028two", "\udcff")


@dataclass(frozen=True, slots=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Bursar = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout to work in, with a state directory and a home of its own."""
    shop = tmp_path / "shop"
    (shop / ".git").mkdir(parents=True)
    monkeypatch.chdir(shop)
    monkeypatch.setenv("BURSAR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return shop


@pytest.fixture
def token(project: Path, capsys: pytest.CaptureFixture[str]) -> Bursar:
    def run(*words: object) -> Said:
        code = main(["token", *map(str, words)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def snapshot(project: Path) -> Any:
    return json.loads((project / SNAPSHOT).read_text(encoding="utf-8"))


def books(tmp_path: Path) -> list[tuple[str, str]]:
    """Every entry of the ledger, and the ledger adds up."""
    ledger = open_ledger(tmp_path / "state" / "ledger.db", SystemClock())
    entries = [(entry.kind, entry.key) for entry in ledger.entries()]
    assert list(ledger.verify()) == []
    ledger.close()
    return entries


def levels(alerts: list[dict[str, Any]]) -> list[tuple[float, str]]:
    return [(alert["threshold"], alert["level"]) for alert in alerts]


# --- the documented way


def test_the_documented_way(token: Bursar, project: Path) -> None:
    said = token("init", "opus")
    assert (said.code, said.out, said.err) == (0, "Token budget initialized for opus (200k limit)\n", "")

    said = token("reserve", 50000, "test-phase")
    assert (said.code, said.err) == (0, "")
    assert said.data["can_proceed"] is True
    assert said.data["alerts"] == []
    assert said.data["utilization"] == 0.25
    assert said.data["reservation"]

    said = token("record", 45000, "phase-1")
    assert (said.code, said.out, said.err) == (0, "Recorded 45000 tokens for phase-1\n", "")

    report = token("report").data
    assert report["current_usage"] == 45000
    assert report["max_tokens"] == 200000
    assert report["utilization_percent"] == 22.5
    assert report["remaining_tokens"] == 155000
    assert report["phase_breakdown"] == {"phase-1": 45000}
    assert report["active_alerts"] == []
    assert report["reserved_tokens"] == 50000
    assert report["available_tokens"] == 189999 - 95000
    assert report["model"] == "opus"
    assert [(hold["operation"], hold["tokens"]) for hold in report["reservations"]] == [("test-phase", 50000)]

    said = token("reset")
    assert (said.code, said.out) == (0, "Token budget reset\n")
    report = token("report").data
    assert (report["current_usage"], report["reserved_tokens"], report["phase_breakdown"]) == (0, 0, {})
    assert (report["model"], report["max_tokens"]) == ("opus", 200000)


def test_a_hold_is_stored_so_the_second_does_not_fit(token: Bursar) -> None:
    token("init")
    first = token("reserve", 160000, "test-phase")
    assert first.code == 0
    assert first.data["can_proceed"] is True
    assert first.data["utilization"] == 0.8
    assert levels(first.data["alerts"]) == [(0.8, "warning")]
    assert first.err.startswith("warning: ")

    second = token("reserve", 30000, "test-phase-2")
    assert second.code == 1
    assert second.data["can_proceed"] is False
    assert second.data["reservation"] is None
    assert second.data["utilization"] == 0.95
    assert levels(second.data["alerts"]) == [(0.8, "warning"), (0.9, "critical"), (0.95, "critical")]
    assert [each["wanted"] for each in second.data["blocked_by"]] == [30000]
    assert [each["available"] for each in second.data["blocked_by"]] == [29999]
    assert second.err.startswith("blocked: 30000 tokens for test-phase-2 were not reserved\n")

    report = token("report").data
    assert report["reserved_tokens"] == 160000  # the refusal has changed nothing
    assert levels(report["active_alerts"]) == [(0.8, "warning")]


def test_the_stop_may_be_approached_to_one_token(token: Bursar) -> None:
    token("init")
    assert token("reserve", 190000, "all").code == 1
    said = token("reserve", 189999, "all")
    assert said.code == 0
    assert said.data["utilization"] == 0.949995  # never rounded up to a threshold that is not reached
    assert levels(said.data["alerts"]) == [(0.8, "warning"), (0.9, "critical")]
    assert token("reserve", 1, "more").code == 1


@pytest.mark.parametrize(
    ("spent", "reached"),
    [
        (159999, []),
        (160000, [0.8]),
        (179999, [0.8]),
        (180000, [0.8, 0.9]),
        (189999, [0.8, 0.9]),
        (190000, [0.8, 0.9, 0.95]),
        (200000, [0.8, 0.9, 0.95]),
        (200001, [0.8, 0.9, 0.95, 1.01]),
    ],
)
def test_active_alerts_are_the_state(token: Bursar, spent: int, reached: list[float]) -> None:
    token("init")
    assert token("record", spent, "phase-1").code == 0
    for _ in range(2):  # not only when they fire
        report = token("report").data
        assert [alert["threshold"] for alert in report["active_alerts"]] == reached


def test_active_alerts_are_of_budgets_of_phases_too(token: Bursar) -> None:
    Path("bursar.toml").write_text(
        '[[budget]]\nname = "tests"\nlimit = "1000 tokens"\nmatch = { phase = "tests" }\nthresholds = [0.5]\n', "utf-8"
    )
    token("init")
    token("record", 600, "tests")
    token("record", 10, "other")
    (alert,) = token("report").data["active_alerts"]
    assert (alert["budget"], alert["threshold"]) == ("tests", 0.5)
    token("reserve", 10, "held-only")
    assert len(json.loads(Path(".planning/token_budget.json").read_text("utf-8"))["active_alerts"]) == 1


def test_an_alert_is_told_once_and_goes_to_the_audit_log(token: Bursar, tmp_path: Path) -> None:
    token("init")
    assert token("record", 150000, "one").err == ""
    assert "80 %" in token("record", 15000, "two").err
    assert token("record", 1000, "three").err == ""
    lines = [json.loads(line) for line in (tmp_path / "state" / "audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["settled", "alert", "settled", "settled"]
    assert lines[1]["threshold_percent"] == 80
    assert lines[1]["labels"]["phase"] == "two"


# --- init


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "opus (200k limit)"),
        (("sonnet",), "sonnet (200k limit)"),
        (("haiku",), "haiku (200k limit)"),
        (("sonnet", "--max-tokens", 1000000), "sonnet (1M limit)"),
        (("--max-tokens", 150500), "opus (150,500 limit)"),
        (("--max-tokens", 2**63 - 1), "opus (9,223,372,036,854,775,807 limit)"),
    ],
)
def test_init(token: Bursar, words: tuple[object, ...], sentence: str) -> None:
    said = token("init", *words)
    assert (said.code, said.out, said.err) == (0, f"Token budget initialized for {sentence}\n", "")


def test_an_unknown_model_is_refused_and_the_known_ones_are_named(token: Bursar, project: Path) -> None:
    said = token("init", "gpt-7")
    assert (said.code, said.out) == (2, "")
    assert "known models: opus, sonnet, haiku" in said.err
    assert token("init", "gpt-7", "--max-tokens", 1000).code == 2
    assert token("init", "OPUS").code == 2
    assert not (project / ".planning").exists()


def test_init_again_begins_a_new_session(token: Bursar, tmp_path: Path) -> None:
    token("init", "opus")
    token("reserve", 1000, "left open")
    token("record", 500, "phase-1")
    before = token("report").data
    assert token("init", "haiku", "--max-tokens", 5000).code == 0
    after = token("report").data
    assert after["session"] != before["session"]
    assert (after["model"], after["max_tokens"], after["current_usage"]) == ("haiku", 5000, 0)
    assert [kind for kind, _ in books(tmp_path)] == ["defined", "reserved", "charged", "forfeited", "defined"]


# --- reserve


def test_each_call_is_a_new_hold_and_a_key_is_one(token: Bursar) -> None:
    token("init")
    one, other = token("reserve", 1000, "build").data, token("reserve", 1000, "build").data
    assert one["reservation"] != other["reservation"]
    keyed = token("reserve", 1000, "build", "--key", "job-7")
    assert keyed.data["reservation"] == "job-7"
    assert token("reserve", 1000, "build", "--key", "job-7").out == keyed.out
    assert token("report").data["reserved_tokens"] == 3000
    said = token("reserve", 2000, "build", "--key", "job-7")
    assert (said.code, said.out) == (2, "")
    assert "`job-7` belongs to another reservation" in said.err
    assert token("reserve", 1000, "test", "--key", "job-7").code == 2
    assert token("report").data["reserved_tokens"] == 3000


def test_a_key_whose_hold_has_ended_says_so(token: Bursar) -> None:
    token("init")
    token("reserve", 1000, "build", "--key", "job")
    token("settle", "job", 900)
    again = token("reserve", 1000, "build", "--key", "job")
    assert (again.code, again.data["can_proceed"], again.data["state"]) == (0, True, "settled")
    assert token("report").data["reserved_tokens"] == 0


def test_a_denied_key_may_ask_again(token: Bursar) -> None:
    token("init", "--max-tokens", 1000)
    token("reserve", 900, "a", "--key", "a")
    assert token("reserve", 100, "b", "--key", "b").code == 1
    token("release", "a")
    assert token("reserve", 100, "b", "--key", "b").code == 0


# --- release and settle


def test_release_gives_back(token: Bursar) -> None:
    token("init")
    hold = token("reserve", 160000, "phase-1").data["reservation"]
    assert token("reserve", 30000, "phase-2").code == 1
    said = token("release", hold)
    assert (said.code, said.out) == (0, "Released 160000 tokens held for phase-1\n")
    assert token("release", hold).out == said.out
    assert token("reserve", 30000, "phase-2").code == 0
    assert token("report").data["current_usage"] == 0


def test_settle_twice_with_the_same_number_is_one_charge(token: Bursar, project: Path) -> None:
    token("init")
    hold = token("reserve", 30000, "phase-1").data["reservation"]
    said = token("settle", hold, 25000)
    assert (said.code, said.out) == (0, "Settled 25000 tokens for phase-1\n")
    assert token("settle", hold, 25000).out == said.out
    other = token("settle", hold, 25001)
    assert (other.code, other.out) == (2, "")
    assert "has already been settled with 25000 tokens" in other.err
    assert other.err.endswith("\n\nhint: bursar token report lists the open ones\n")
    assert (token("release", hold).code, token("release", hold).err) == (2, other.err)
    report = token("report").data
    assert (report["current_usage"], report["reserved_tokens"]) == (25000, 0)
    assert report["phase_breakdown"] == {"phase-1": 25000}
    assert snapshot(project) == report


def test_settle_past_the_hold_and_the_limit_is_charged_in_full(token: Bursar) -> None:
    token("init", "--max-tokens", 1000)
    hold = token("reserve", 100, "small").data["reservation"]
    said = token("settle", hold, 1500)
    assert said.code == 0
    assert "past its limit" in said.err
    report = token("report").data
    assert (report["current_usage"], report["remaining_tokens"], report["available_tokens"]) == (1500, 0, 0)
    assert report["utilization_percent"] == 150.0
    assert token("reserve", 1, "more").code == 1


def test_unknown_reservations_are_named(token: Bursar) -> None:
    token("init")
    for words in (("release", "nothing"), ("settle", "nothing", 5)):
        said = token(*words)
        assert (said.code, said.out) == (2, "")
        assert "there is no reservation `nothing` in this session" in said.err


def test_a_hold_of_the_session_before_is_gone(token: Bursar) -> None:
    token("init")
    hold = token("reserve", 1000, "a").data["reservation"]
    token("reset")
    assert token("settle", hold, 10).code == 2
    assert token("release", hold).code == 2


# --- record


def test_record_settles_the_oldest_hold_of_that_operation(token: Bursar) -> None:
    token("init")
    token("reserve", 10000, "phase-1", "--key", "old")
    token("reserve", 20000, "phase-1", "--key", "new")
    token("reserve", 30000, "phase-2", "--key", "other")
    assert token("record", 8000, "phase-1", "--json").data["reservation"] == "old"
    assert [hold["reservation"] for hold in token("report").data["reservations"]] == ["new", "other"]
    assert token("record", 8000, "phase-1", "--json").data["reservation"] == "new"
    assert token("record", 8000, "phase-1", "--json").data["reservation"] is None
    report = token("report").data
    assert report["phase_breakdown"] == {"phase-1": 24000}
    assert (report["current_usage"], report["reserved_tokens"]) == (24000, 30000)


def test_what_happened_is_recorded_past_the_limit(token: Bursar) -> None:
    token("init", "--max-tokens", 1000)
    for _ in range(3):
        assert token("record", 800, "phase-1").code == 0
    report = token("report").data
    assert (report["current_usage"], report["remaining_tokens"]) == (2400, 0)
    assert report["utilization_percent"] == 240.0


# --- reset


def test_reset_forfeits_open_holds_in_the_session_before(token: Bursar, tmp_path: Path) -> None:
    token("init", "sonnet", "--max-tokens", 50000)
    token("reserve", 30000, "a", "--key", "open")
    token("reserve", 1000, "b", "--key", "closed")
    token("settle", "closed", 900)
    old = token("report").data["session"]
    assert token("reset").out == "Token budget reset\n"
    report = token("report").data
    assert (report["model"], report["max_tokens"], report["reserved_tokens"]) == ("sonnet", 50000, 0)
    assert token("reserve", 47000, "a", "--key", "open").code == 0  # a new session knows no key of the old one
    ledger = open_ledger(tmp_path / "state" / "ledger.db", SystemClock())
    states = {each.key.rsplit("/")[-1]: each.state for each in ledger.reservations({"session": old})}
    assert states == {"open": State.FORFEITED, "closed": State.SETTLED}
    balance = ledger.balance(old)
    assert balance is not None
    assert (balance.spent, balance.reserved) == (30900, 0)
    ledger.close()


def test_many_sessions_are_counted(token: Bursar) -> None:
    token("init")
    seen = {token("reset", "--json").data["session"] for _ in range(12)}
    assert len(seen) == 12
    assert {name.rsplit("-", 1)[1] for name in seen} == {str(number) for number in range(2, 14)}


# --- bad input


@pytest.mark.parametrize("number", NUMBERS)
def test_bad_numbers_change_nothing(token: Bursar, project: Path, tmp_path: Path, number: str) -> None:
    token("init")
    token("reserve", 5000, "a", "--key", "a")
    before, text = books(tmp_path), (project / SNAPSHOT).read_text()
    for words in (("reserve", number, "x"), ("record", number, "x"), ("settle", "a", number),
                  ("init", "--max-tokens", number)):  # fmt: skip
        said = token(*words)
        assert (said.code, said.out) == (2, ""), words
        assert said.err.startswith("error: "), words
    assert books(tmp_path) == before
    assert (project / SNAPSHOT).read_text() == text


@pytest.mark.parametrize("name", NAMES)
def test_bad_names_change_nothing(token: Bursar, project: Path, tmp_path: Path, name: str) -> None:
    token("init")
    before, text = books(tmp_path), (project / SNAPSHOT).read_text()
    for words in (("reserve", 5, name), ("record", 5, name), ("reserve", 5, "x", "--key", name), ("release", name),
                  ("settle", name, 5), ("init", name)):  # fmt: skip
        said = token(*words)
        assert (said.code, said.out) == (2, ""), words
        assert said.err.startswith("error: "), words
        assert "\x1b" not in said.err
    assert books(tmp_path) == before
    assert (project / SNAPSHOT).read_text() == text


@pytest.mark.parametrize(
    "words",
    [(), ("reserve",), ("reserve", "5"), ("record", "5"), ("settle", "x"), ("spend", "5"), ("report", "extra"),
     ("init", "--max-tokens"), ("init", "opus", "haiku"), ("reserve", "5", "x", "--ke", "k")],
)  # fmt: skip
def test_bad_arguments(token: Bursar, project: Path, words: tuple[str, ...]) -> None:
    said = token(*words)
    assert (said.code, said.out) == (2, "")
    assert "hint: bursar token" in said.err
    assert not (project / ".planning").exists()


@pytest.mark.parametrize(
    "words", [("reserve", 5, "x"), ("record", 5, "x"), ("release", "x"), ("settle", "x", 5), ("report",), ("reset",)]
)
def test_before_init_everything_is_refused_with_the_way_out(
    token: Bursar, project: Path, tmp_path: Path, words: tuple[object, ...]
) -> None:
    said = token(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("hint: bursar token init\n")
    assert not (project / ".planning").exists()
    assert not (tmp_path / "state").exists()


def test_names_of_all_kinds_are_kept(token: Bursar) -> None:
    token("init")
    for name in ("Phase 8: früh", "a/b/c", "日本", "-- x", "x" * 200, "`quoted`", "NaN", "0"):
        assert token("record", 1, "--", name).code == 0
    assert list(token("report").data["phase_breakdown"]) == [
        "Phase 8: früh", "a/b/c", "日本", "-- x", "x" * 200, "`quoted`", "NaN", "0",
    ]  # fmt: skip


# --- where


def test_the_project_is_the_top_of_the_checkout(
    token: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token("init")
    token("record", 100, "a")
    (project / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "src" / "deep")
    assert token("report").data["current_usage"] == 100
    assert not (project / "src" / "deep" / ".planning").exists()
    link = tmp_path / "link"
    link.symlink_to(project)
    monkeypatch.chdir(link)
    assert token("report").data["current_usage"] == 100
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert token("report").code == 2
    token("init", "haiku")
    assert token("report").data["model"] == "haiku"
    monkeypatch.chdir(project)
    assert token("report").data["model"] == "opus"


def test_json_is_accepted_everywhere(token: Bursar) -> None:
    assert token("init", "--json").data["max_tokens"] == 200000
    assert token("--json", "init").data["current_usage"] == 0
    assert token("reserve", 1000, "a", "--key", "a", "--json").data["can_proceed"] is True
    assert token("settle", "a", 900, "--json").data == {
        "reservation": "a",
        "state": "settled",
        "operation": "a",
        "held_tokens": 1000,
        "charged_tokens": 900,
        "utilization": 0.0045,
        "alerts": [],
    }
    token("reserve", 1000, "b", "--key", "b")
    assert token("release", "b", "--json").data["charged_tokens"] == 0
    recorded = token("record", 100, "c", "--json").data
    assert (recorded["state"], recorded["charged_tokens"], recorded["utilization"]) == ("settled", 100, 0.005)
    assert token("report", "--json").data["current_usage"] == 1000
    assert token("reset", "--json").data["current_usage"] == 0


# --- the snapshot


def test_the_snapshot_is_the_report_after_each_change(token: Bursar, project: Path) -> None:
    for words in (("init",), ("reserve", 1000, "a", "--key", "a"), ("settle", "a", 10), ("record", 5, "b"),
                  ("reserve", 500000, "c"), ("reset",)):  # fmt: skip
        token(*words)
        path = project / SNAPSHOT
        assert snapshot(project) == token("report").data
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_lost_snapshot_comes_back(token: Bursar, project: Path) -> None:
    token("init")
    token("record", 7, "a")
    (project / SNAPSHOT).unlink()
    assert token("report").data["current_usage"] == 7
    token("record", 8, "a")
    assert snapshot(project)["current_usage"] == 15


def write_snapshot(project: Path, text: str | bytes) -> Path:
    path = project / SNAPSHOT
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "figures",
    [
        {"model": "sonnet", "max_tokens": 100000, "current_usage": 45000, "phase_usage": {"phase-1": 45000}},
        {"model": "sonnet", "maxTokens": 100000, "currentUsage": 45000, "alerts": []},
    ],
)
def test_a_snapshot_that_the_ledger_does_not_know_is_taken_over_once(
    token: Bursar, project: Path, tmp_path: Path, figures: dict[str, object]
) -> None:
    write_snapshot(project, json.dumps(figures))
    assert token("reserve", 50000, "a").code == 1  # 45,000 + 50,000 reaches 95 % of 100,000
    assert token("reserve", 49999, "a").code == 0
    for _ in range(2):
        report = token("report").data
        assert (report["model"], report["max_tokens"], report["current_usage"]) == ("sonnet", 100000, 45000)
        assert report["phase_breakdown"] == {"imported": 45000}
    assert [kind for kind, _ in books(tmp_path)] == ["defined", "charged", "denied", "reserved"]


def test_report_takes_a_snapshot_over_too_and_init_keeps_what_was_used(
    token: Bursar, project: Path, tmp_path: Path
) -> None:
    write_snapshot(project, '{"current_usage": 300000, "max_tokens": 200000, "reserved_tokens": 7}')
    said = token("init", "haiku")
    assert said.code == 0
    assert "took over 300000 used tokens" in said.err
    assert "7 reserved tokens" in said.err
    assert token("report").data["current_usage"] == 0
    assert [kind for kind, _ in books(tmp_path)] == ["defined", "charged", "defined"]


def test_a_snapshot_of_nothing_used_is_taken_over(token: Bursar, project: Path) -> None:
    write_snapshot(project, '{"current_usage": 0, "model": "opus"}')
    report = token("report").data
    assert (report["max_tokens"], report["current_usage"], report["phase_breakdown"]) == (200000, 0, {})


@pytest.mark.parametrize("words", [("report",), ("reserve", 5, "x"), ("init",), ("reset",)])
def test_taking_over_that_was_stopped_halfway_is_finished(
    token: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...]
) -> None:
    path = write_snapshot(project, '{"current_usage": 45000, "max_tokens": 100000}')

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SqliteLedger, "charge", stop)
        assert token("report").code == 130
    assert [kind for kind, _ in books(tmp_path)] == ["defined"]
    assert json.loads(path.read_text())["current_usage"] == 45000
    assert token(*words).code == 0
    token("report")
    ledger = open_ledger(tmp_path / "state" / "ledger.db", SystemClock())
    charged = [each.charged.tokens for each in ledger.reservations({"phase": "imported"}) if each.charged is not None]
    assert charged == [45000]
    ledger.close()


FOREIGN = [
    b"", b"not json", b"[]", b"null", b"3", b"{}", b'{"current_usage": 5', b'{"max_tokens": 5}', b"\xff\xfe{}",
    b'{"current_usage": -1, "max_tokens": 5}', b'{"current_usage": 1.0, "max_tokens": 5}',
    b'{"current_usage": NaN, "max_tokens": 5}', b'{"current_usage": true, "max_tokens": 5}',
    b'{"current_usage": "5", "max_tokens": 5}', b'{"current_usage": 1e400, "max_tokens": 5}',
    b'{"current_usage": 9223372036854775808, "max_tokens": 5}', b'{"current_usage": 5, "max_tokens": 0}',
    b'{"current_usage": 5, "max_tokens": 10, "model": 3}', b'{"current_usage": 5, "max_tokens": 10, "model": "a\\n"}',
    b'{"current_usage": 5, "model": "unheard-of"}', b"[" * 100000, b'{"current_usage": ' + b"9" * 5000 + b"}",
    b'{"current_usage": 5, "max_tokens": 10, "reserved_tokens": -1}',
]  # fmt: skip


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_snapshot_is_refused_and_left_alone(
    token: Bursar, project: Path, tmp_path: Path, text: bytes
) -> None:
    path = write_snapshot(project, text)
    for words in (("init",), ("reserve", 5, "x"), ("record", 5, "x"), ("report",), ("reset",)):
        said = token(*words)
        assert (said.code, said.out) == (2, ""), words
        assert "is not a token budget" in said.err
    assert path.read_bytes() == text
    assert not (tmp_path / "state").exists()


def test_a_snapshot_that_somebody_spoilt_is_not_replaced(token: Bursar, project: Path, tmp_path: Path) -> None:
    token("init")
    before = books(tmp_path)
    path = write_snapshot(project, "spoilt")
    assert token("record", 5, "x").code == 2
    assert path.read_text() == "spoilt"
    assert books(tmp_path) == before
    path.unlink()
    assert token("record", 5, "x").code == 0


def test_a_snapshot_that_is_a_link_or_a_folder_is_refused(token: Bursar, project: Path) -> None:
    (project / ".planning").mkdir()
    (project / "elsewhere").write_text("{}")
    (project / SNAPSHOT).symlink_to(project / "elsewhere")
    assert token("init").code == 2
    (project / SNAPSHOT).unlink()
    (project / SNAPSHOT).mkdir()
    assert token("init").code == 2
    assert (project / "elsewhere").read_text() == "{}"


def test_where_the_snapshot_cannot_be_written_nothing_changes(token: Bursar, project: Path, tmp_path: Path) -> None:
    token("init")
    before = books(tmp_path)
    (project / SNAPSHOT).unlink()
    (project / ".planning").rmdir()
    (project / ".planning").write_text("a file in its place")
    for words in (("reserve", 5, "x"), ("record", 5, "x"), ("reset",), ("init",)):
        said = token(*words)
        assert said.code in (2, 6), words
        assert said.out == ""
    assert books(tmp_path) == before


# --- budgets of the settings


def test_budgets_of_the_settings_count_records_and_block_holds(token: Bursar, project: Path) -> None:
    (project / "bursar.toml").write_text('[[budget]]\nname = "today"\nlimit = "10k tokens"\nperiod = "daily"\n')
    token("init")
    assert token("record", 9000, "a").code == 0
    said = token("reserve", 2000, "b")
    assert said.code == 1
    assert [(each["budget"], each["available"]) for each in said.data["blocked_by"]] == [("today", 1000)]
    assert {each["budget"] for each in said.data["alerts"]} == {"today"}
    assert "budget `today` has 1,000 tokens available, and this needs 2,000 tokens" in said.err
    assert token("reserve", 1000, "b", "--key", "b").code == 0
    token("reset")  # the session is new, the day is not
    assert token("reserve", 1, "c").code == 1
    (project / "bursar.toml").unlink()
    assert token("reserve", 1, "c").code == 0


def test_budgets_of_a_person_a_machine_and_a_phase_count_too(token: Bursar, project: Path) -> None:
    """What a phase's budget says of a hold, `reserve` says."""
    who = labels_of_caller()
    text = "".join(
        f'[[budget]]\nname = "{label}"\nlimit = "1k tokens"\nmatch = {{ {label} = "{value}" }}\n'
        for label, value in (who | {"phase": "docs"}).items()
    )
    (project / "bursar.toml").write_text(text)
    token("init")
    token("record", 500, "docs")
    told = token("reserve", 400, "docs").data
    assert {each["budget"] for each in told["alerts"]} == {"user", "host", "phase"}
    assert {each["budget"] for each in token("reserve", 400, "docs").data["blocked_by"]} == {"user", "host", "phase"}
    assert {each["budget"] for each in token("reserve", 400, "code").data["blocked_by"]} == {"user", "host"}
    (project / "bursar.toml").unlink()
    assert token("reserve", 400, "docs").code == 0


def test_a_key_is_the_same_hold_on_another_machine(
    token: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token("init")
    first = token("reserve", 400, "docs", "--key", "k").data
    elsewhere = {"user": "somebody", "host": "elsewhere"}
    monkeypatch.setattr("bursar.session.sessions.labels_of_caller", lambda: elsewhere)
    assert token("reserve", 400, "docs", "--key", "k").data == first
    assert token("record", 300, "docs", "--json").data["reservation"] == "k"


def test_settings_with_problems_stop_holds_but_no_records(token: Bursar, project: Path) -> None:
    token("init")
    (project / "bursar.toml").write_text('[[budget]]\nname = "today"\n')
    said = token("reserve", 5, "a")
    assert (said.code, said.out) == (2, "")
    said = token("record", 5, "a")
    assert (said.code, said.out) == (0, "Recorded 5 tokens for a\n")
    assert "warning: budgets of the settings are as they were" in said.err
    assert token("report").data["current_usage"] == 5


# --- the manual


def test_every_field_and_flag_is_in_the_manual(token: Bursar) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "token.md").read_text(encoding="utf-8")
    token("init")
    token("record", 195000, "a")
    answers = [
        token("reserve", 1, "a").data,
        token("record", 1, "a", "--json").data,
        token("report").data,
    ]
    fields = {field for answer in answers for field in answer}
    fields |= {field for answer in answers for each in answer.get("alerts", ()) for field in each}
    fields |= {field for each in answers[0]["blocked_by"] for field in each}
    assert [field for field in sorted(fields) if f"`{field}`" not in manual] == []
    assert [word for word in (*COMMANDS, "--key", "--max-tokens", "--json") if word not in manual] == []
    assert [model for model in MODELS if f"`{model}`" not in manual] == []


def test_help_lists_every_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["token", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name} " not in said] == []
    with pytest.raises(SystemExit):
        main(["token", "reserve", "--help"])
    assert capsys.readouterr().out.startswith("usage: bursar token reserve [-h] [--json] [--key KEY] N OPERATION\n")


# --- who else is told


def test_alerts_go_to_the_targets_of_the_user_and_not_to_those_of_a_project(
    token: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project's file may be somebody else's: its targets are for runs, which a person has approved."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configs"))
    (tmp_path / "configs" / "bursar").mkdir(parents=True)
    with webhook() as hook, webhook() as stranger:
        (project / "bursar.toml").write_text(f"[notify]\ntargets = {json.dumps([stranger.target])}\n")
        mine = tmp_path / "configs" / "bursar" / "bursar.toml"
        mine.write_text(f"[notify]\ntargets = {json.dumps([hook.target])}\n")
        token("init")
        token("record", 100000, "a")
        token("record", 80000, "b")
        message = hook.next_message()
        assert message["title"] == "bursar · shop · critical"
        assert "has reached 90 %" in message["message"]
        assert stranger.received.empty()


def test_a_blocking_budget_in_usd_holds_nothing_of_unknown_cost(token: Bursar, project: Path) -> None:
    (project / "bursar.toml").write_text('[[budget]]\nname = "money"\nlimit = "5 USD"\n')
    token("init")
    said = token("reserve", 1000, "a")
    assert said.code == 1
    assert [(each["unit"], each["wanted"]) for each in said.data["blocked_by"]] == [("usd", None)]
    assert "5.00 USD available, and this needs a cost that is unknown" in said.err
    assert "allow_unknown_price = true" in said.err
    assert token("record", 1000, "a").code == 0  # it happened
    (project / "bursar.toml").write_text('[[budget]]\nname = "money"\nlimit = "5 USD"\nallow_unknown_price = true\n')
    assert token("reserve", 1000, "a").code == 0


def test_what_a_log_may_have_too_is_recorded_with_a_warning(token: Bursar, project: Path) -> None:
    table = '[[budget]]\nname = "today"\nlimit = "10k tokens"\nperiod = "daily"\n'
    (project / "bursar.toml").write_text(table + "include_logs = true\n")
    token("init")
    said = token("record", 900, "a")
    assert said.code == 0
    assert "warning: budget `today` includes agents' logs: what was recorded here" in said.err
    (project / "bursar.toml").write_text(table)
    assert "logs" not in token("record", 900, "a").err
    dollars = table.replace("10k tokens", "5 USD").replace("today", "money")
    (project / "bursar.toml").write_text(dollars + "include_logs = true\n")
    unpriced = token("record", 900, "a").err
    assert "does not count this: its cost is unknown" in unpriced
    assert "logs" not in unpriced  # what does not count once does not count twice


def test_more_than_was_held_is_said(token: Bursar) -> None:
    token("init")
    token("reserve", 1000, "a", "--key", "k")
    assert token("settle", "k", 1500).err == "warning: 500 tokens more than was held\n"
    token("reserve", 1000, "a")
    assert token("record", 1001, "a").err == "warning: 1 token more than was held\n"
    assert token("record", 1001, "a").err == ""


def test_every_record_past_a_limit_says_so_and_not_only_the_first(token: Bursar) -> None:
    token("init", "--max-tokens", 1000)
    said = [token("record", 800, "a").err, token("record", 300, "a").err, token("record", 300, "a").err]
    assert ["is past its limit of 1,000 tokens by" in each for each in said] == [False, True, True]
    assert [len(each.splitlines()) for each in said] == [1, 1, 1]
    assert said[2].endswith("by 400 tokens\n")


def test_a_limit_that_each_session_has_is_passed_aloud_whoever_used_it_last(
    token: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget of the user counts the sessions of all projects, each for itself."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configs"))
    (tmp_path / "configs" / "bursar").mkdir(parents=True)
    table = '[[budget]]\nname = "each"\nlimit = "1k tokens"\nperiod = "session"\n'
    (tmp_path / "configs" / "bursar" / "bursar.toml").write_text(table)
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    said = {}
    for place, *words in (
        (project, "init"),
        (other, "init"),
        (project, "reserve", 100, "a"),
        (project, "record", 1500, "b"),
        (other, "reserve", 100, "a"),
        (other, "reserve", 100, "b"),
        (project, "record", 700, "a"),
        (project, "record", 10, "c"),
        (other, "record", 200, "a"),
    ):
        monkeypatch.chdir(place)
        said[place, *words] = token(*words).err
    more, passed = "tokens more than was held\n", "budget `each` is past its limit of 1,000 tokens by 1,200 tokens\n"
    assert said[project, "record", 700, "a"] == f"warning: 600 {more}warning: {passed}"
    assert said[other, "record", 200, "a"] == f"warning: 100 {more}"


def test_what_ends_a_day_late_says_what_it_has_passed_on_its_own_day(
    token: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "bursar.toml").write_text('[[budget]]\nname = "day"\nlimit = "1k tokens"\nperiod = "daily"\n')
    now = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    monkeypatch.setattr(SystemClock, "now", lambda _: now)
    token("init")
    token("reserve", 100, "a")
    token("reserve", 100, "b")
    token("record", 1500, "c")
    now += timedelta(hours=1)
    passed = "warning: budget `day` is past its limit of 1,000 tokens by"
    assert (
        token("record", 150, "a").err
        == f"warning: 50 tokens more than was held\n{passed} 750 tokens, with what is reserved\n"
    )
    assert token("record", 900, "d").err.count(passed) == 0
    assert token("record", 300, "e").err.count(passed) == 1
    assert token("record", 120, "b").err.endswith(f"{passed} 770 tokens\n")


def test_a_record_that_takes_what_others_hold_says_so(token: Bursar) -> None:
    """The limit is passed by what is spent and held together: one of the two will not be had."""
    token("init", "--max-tokens", 1000)
    token("reserve", 900, "a")
    said = token("record", 300, "b").err
    assert "is past its limit of 1,000 tokens by 200 tokens, with what is reserved" in said


@pytest.mark.parametrize(("more", "is_said"), [("", True), ("allow_unknown_price = true\n", False)])
def test_usage_that_a_budget_in_usd_cannot_count_is_said(
    token: Bursar, project: Path, more: str, is_said: bool
) -> None:
    (project / "bursar.toml").write_text('[[budget]]\nname = "money"\nlimit = "5 USD"\n' + more)
    token("init")
    said = token("record", 300, "b").err
    assert ("budget `money` is in USD" in said) is is_said
