"""`bursar budget`: what a person types, what is said, what stands in `bursar.toml` afterwards, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Amount
from bursar.cli.main import main
from bursar.clock import SystemClock
from bursar.config import configured_budgets, define_budgets
from bursar.ledger import CallRecord, ReserveRequest, open_ledger
from bursar.paths import LEDGER_FILE
from bursar.usage import Usage
from tests.unit.logs.transcripts import encode, line

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
COMMENTED = """\
# our settings
[run]
max_parallel = 2   # two at once

# what a day may cost
[[budget]]  # the first
name = "daily"      # one a day
limit = "100k tokens"   # "a lot" # really
period = "daily"

# the end
[agents.command]
argv = ["a", "b"]
"""


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
    """A checkout to work in, with a state directory and a home of its own; it is always noon."""
    shop = tmp_path / "shop"
    (shop / ".git").mkdir(parents=True)
    monkeypatch.chdir(shop)
    monkeypatch.setenv("BURSAR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(SystemClock, "now", lambda _: NOON)
    return shop


@pytest.fixture
def bursar(project: Path, capsys: pytest.CaptureFixture[str]) -> Bursar:
    def run(*words: object) -> Said:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def toml(project: Path) -> str:
    return (project / "bursar.toml").read_text(encoding="utf-8")


def write_user_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "home" / ".config" / "bursar" / "bursar.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_new_budget_is_written_listed_and_shown(bursar: Bursar, project: Path) -> None:
    said = bursar("budget", "set", "daily", "100k tokens", "--period", "daily")
    assert (said.code, said.out) == (0, "")
    assert said.err == "budget `daily` (new): 100,000 tokens, daily, block\n"
    assert toml(project) == '[[budget]]\nname = "daily"\nlimit = "100k tokens"\nperiod = "daily"\n'
    assert bursar("budget", "list", "--json").data == [
        {
            "name": "daily",
            "unit": "tokens",
            "limit": 100_000,
            "spent": 0,
            "reserved": 0,
            "available": 100_000,
            "period": "daily",
            "period_id": "2026-11-21",
            "on_limit": "block",
        }
    ]
    assert (
        "0 of 100,000 tokens spent (0 %), 100,000 available · daily 2026-11-21 · block" in bursar("budget", "list").out
    )


def test_figures_stand_below_each_other_whatever_the_names(bursar: Bursar, project: Path) -> None:
    for name in ("daily", "a-name-of-more-than-twenty-letters"):
        bursar("budget", "set", name, "100k tokens")
    first, second = bursar("budget", "list").out.splitlines()
    assert first.index(" 0 of ") == second.index(" 0 of ")


def test_every_flag_of_set(bursar: Bursar, project: Path) -> None:
    words = ["--match", "phase=08", "--match", "model=opus", "--period", "monthly", "--timezone", "Europe/Zurich"]
    said = bursar("budget", "set", "fresh", "1M tokens", *words, "--on-limit", "warn", "--counts", "fresh")
    assert said.code == 0, said.err
    (shown,) = bursar("budget", "show", "fresh", "--json").data
    assert shown["match"] == {"project": str(project), "phase": "08", "model": "opus"}
    assert (shown["period"], shown["timezone"]) == ("monthly", "Europe/Zurich")
    assert (shown["on_limit"], shown["counts"], shown["limit"]) == ("warn", "fresh", 1_000_000)


def test_a_change_keeps_comments_and_everything_else(bursar: Bursar, project: Path) -> None:
    (project / "bursar.toml").write_text(COMMENTED)
    said = bursar("budget", "set", "daily", "5k tokens", "--on-limit", "warn")
    assert said.err == "budget `daily` (changed): 5,000 tokens, daily, warn\n"
    assert toml(project) == COMMENTED.replace('"100k tokens"', '"5k tokens"').replace(
        'period = "daily"\n', 'period = "daily"\non_limit = "warn"\n'
    )
    bursar("budget", "set", "money", "5 USD")
    assert toml(project).endswith('argv = ["a", "b"]\n\n[[budget]]\nname = "money"\nlimit = "5 USD"\n')
    again = toml(project)
    assert bursar("budget", "set", "money", "5 USD").code == 0
    assert toml(project) == again


def test_line_ends_and_a_missing_last_one_stay(bursar: Bursar, project: Path) -> None:
    (project / "bursar.toml").write_bytes(b'# a\r\n[[budget]]\r\nname = "d"\r\nlimit = "1 USD" # b\r\nperiod = "run"')
    assert bursar("budget", "set", "d", "2 USD", "--on-limit", "warn").code == 0
    assert (project / "bursar.toml").read_bytes() == (
        b'# a\r\n[[budget]]\r\nname = "d"\r\nlimit = "2 USD" # b\r\nperiod = "run"\non_limit = "warn"\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        '[[budget]]\nname = "d"\nlimit = """1\\\n USD"""\n',
        'budget = [{ name = "d", limit = "1 USD" }]\n',
        '[[budget]]\nname = "d"\n"limit" = "1 USD"\n',
        'a = """\n[[budget]]\n"""\n[[budget]]\nname = "d"\nlimit = "1 USD"\n',
    ],
)
def test_a_file_that_cannot_be_edited_safely_is_left_alone(bursar: Bursar, project: Path, text: str) -> None:
    (project / "bursar.toml").write_text(text)
    said = bursar("budget", "set", "d", "2 USD")
    assert said.code == 2
    assert "cannot be edited safely; nothing was changed" in said.err
    assert 'limit = "2 USD"' in said.err  # what to put in by hand
    assert toml(project) == text


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["daily", "-5 tokens"], "`-5 tokens` is not a number"),
        (["daily", "-5"], "`-5` is not a number"),
        (["daily", "0 tokens"], "allows nothing"),
        (["daily", "3.9e5 tokens"], "is not a number"),
        (["daily", "1_000 tokens"], "is not a number"),
        (["daily", "NaN tokens"], "is not a number"),
        (["daily", "200k"], "has no unit"),
        (["daily", "9223372036854775808 tokens"], "is too large"),
        (["", "5 USD"], "is empty"),
        ([" ", "5 USD"], "is empty"),
        (["a\nb", "5 USD"], "printable characters"),
        (["a@b", "5 USD"], "printable characters"),
        (["daily", "5 USD", "--match", "team=a"], "unknown label `team`"),
        (["daily", "5 USD", "--match", "phase"], "--match takes LABEL=VALUE"),
        (["daily", "5 USD", "--period", "yearly"], "the period 'yearly' is unknown"),
        (["daily", "5 USD", "--period", "0h"], "a rolling period lasts"),
        (["other", "5 USD", "--timezone", "Europe/Zurich"], "`timezone` needs a `period`"),
        (["daily", "5 USD", "--period", "daily", "--timezone", "Mars/X"], "the time zone 'Mars/X' is unknown"),
        (["daily", "5 USD", "--period", "5h", "--timezone", "Europe/Zurich"], "takes no time zone"),
        (["daily", "5 USD", "--counts", "fresh"], "`counts` is for limits in tokens"),
        (["daily", "5 USD", "--counts", "some"], "invalid choice: 'some'"),
        (["daily", "5 USD", "--on-limit", "ask"], "invalid choice: 'ask'"),
    ],
)
def test_bad_input_changes_nothing(bursar: Bursar, project: Path, words: list[str], what: str) -> None:
    (project / "bursar.toml").write_text(COMMENTED)
    said = bursar("budget", "set", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert what in said.err
    assert toml(project) == COMMENTED
    assert not (project.parent / "state").exists()


def test_a_read_only_folder_is_refused(bursar: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    said = bursar("budget", "set", "daily", "5 USD")
    assert said.code == 2
    assert "cannot be written: Permission denied; nothing was changed" in said.err
    assert not (project / "bursar.toml").exists()


def test_all_problems_are_said_at_once(bursar: Bursar, project: Path) -> None:
    text = """\
[[budget]]
name = "a"
limit = "5"
colour = "red"

[[budget]]
name = "a"
limit = "5 tokens"
thresholds = [0.9, 0.8]
match = { team = "x" }

[[budget]]
name = "c"
limit = "5 tokens"
thresholds = [11]
period = "yearly"
on_limit = "ask"
"""
    (project / "bursar.toml").write_text(text)
    said = bursar("budget", "check")
    assert said.code == 2
    path = project / "bursar.toml"
    head, *problems = said.err.splitlines()
    assert head == "error: 8 problems:"
    assert [problem.strip().split(": ", 2)[:2] for problem in problems] == [
        [f"{path}:1", "budget `a`"],
        [f"{path}:1", "budget `a`"],
        [f"{path}:6", "budget `a`"],
        [f"{path}:6", "budget `a`"],
        [f"{path}:6", "budget `a`"],
        [f"{path}:12", "budget `c`"],
        [f"{path}:12", "budget `c`"],
        [f"{path}:12", "budget `c`"],
    ]
    for what in (
        "unknown key `colour`",
        "`limit`: the limit `5` has no unit",
        "unknown label `team`",
        "must ascend",
        "there is one of that name already",
        "from 0.01 to 10",
        "'yearly' is unknown",
        "block, warn",
    ):
        assert what in said.err, what
    for words in (["list"], ["show"], ["set", "b", "5 USD"]):
        assert bursar("budget", *words).code == 2
    assert toml(project) == text


def test_a_settings_file_that_cannot_be_read(bursar: Bursar, project: Path) -> None:
    (project / "bursar.toml").write_bytes(b"\xff")
    assert bursar("budget", "check").err == f"error: {project}/bursar.toml is not UTF-8\n"
    (project / "bursar.toml").unlink()
    (project / "bursar.toml").mkdir()
    assert bursar("budget", "check").err == f"error: {project}/bursar.toml cannot be read: Is a directory\n"


def test_check_without_problems(bursar: Bursar, project: Path) -> None:
    assert bursar("budget", "check").err == "0 budgets, no problems\n"
    (project / "bursar.toml").write_text(COMMENTED)
    assert bursar("budget", "check").err == "1 budget, no problems\n"
    (project / "bursar.toml").write_text(COMMENTED + "arguments = 5\n")
    said = bursar("budget", "check")
    assert (said.code, "arguments" in said.err) == (2, True)


def test_the_user_goes_before_the_project_and_the_environment_before_both(
    bursar: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "bursar.toml").write_text(COMMENTED)
    file = project / "bursar.toml"
    (shown,) = bursar("budget", "show", "daily", "--json").data
    assert (shown["limit"], shown["sources"]["limit"], shown["sources"]["on_limit"]) == (100_000, str(file), "default")

    user = write_user_file(tmp_path, '[[budget]]\nname = "daily"\nlimit = "50k tokens"\nperiod = "daily"\n')
    (shown,) = bursar("budget", "show", "daily", "--json").data
    assert (shown["limit"], shown["sources"]["limit"], shown["match"]) == (50_000, str(user), {})

    monkeypatch.setenv("BURSAR_BUDGET_DAILY", "7k tokens")
    (shown,) = bursar("budget", "show", "daily", "--json").data
    assert (shown["limit"], shown["sources"]["limit"]) == (7_000, "BURSAR_BUDGET_DAILY")
    assert shown["sources"]["period"] == str(user)
    text = bursar("budget", "show").out
    assert text.startswith("daily: 0 of 7,000 tokens spent (0 %)")
    assert "  limit               7,000 tokens" in text
    assert text.splitlines()[1].endswith("BURSAR_BUDGET_DAILY")

    said = bursar("budget", "set", "daily", "9k tokens")
    assert f"warning: BURSAR_BUDGET_DAILY goes before {file}" in said.err


def test_the_user_file_lies_in_the_platform_directory(
    bursar: Bursar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "configs" / "bursar"
    folder.mkdir(parents=True)
    (folder / "bursar.toml").write_text('[[budget]]\nname = "mine"\nlimit = "1 USD"\n')
    assert bursar("budget", "list", "--json").data == []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configs"))
    assert [each["name"] for each in bursar("budget", "list", "--json").data] == ["mine"]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("BURSAR_BUDGET_DAILY", "-1 tokens", "is not a number with a unit"),
        ("BURSAR_BUDGET_DAILY", "1 USD", "is in tokens"),
        ("BURSAR_BUDGET_OTHER", "1 USD", "there is no such budget"),
    ],
)
def test_a_wrong_variable_is_refused(
    bursar: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, what: str
) -> None:
    (project / "bursar.toml").write_text(COMMENTED)
    monkeypatch.setenv(name, value)
    said = bursar("budget", "list")
    assert (said.code, said.out) == (2, "")
    assert name in said.err
    assert what in said.err


def test_budgets_count_what_a_script_records(bursar: Bursar, project: Path, tmp_path: Path) -> None:
    (project / "bursar.toml").write_text(COMMENTED)
    write_user_file(tmp_path, '[[budget]]\nname = "phase one"\nlimit = "1M tokens"\nmatch = { phase = "phase-1" }\n')
    bursar("token", "init", "opus")
    assert bursar("budget", "alerts").err == "no alerts of this project yet; --all shows the others\n"
    assert bursar("budget", "alerts", "--all").err == "no alerts yet\n"
    assert bursar("token", "record", 60_000, "phase-1").code == 0
    assert bursar("token", "record", 21_000, "phase-2").code == 0
    spent = {each["name"]: each["spent"] for each in bursar("budget", "list", "--json").data}
    assert spent.pop("daily") == 81_000
    assert spent.pop("phase one") == 60_000
    assert list(spent.values()) == [81_000]  # the session

    assert bursar("budget", "alerts", "--json").data == [
        {"budget": "daily", "threshold": 0.5, "level": "info", "at": NOON.isoformat()},
        {"budget": "daily", "threshold": 0.8, "level": "warning", "at": NOON.isoformat()},
    ]
    assert "warning  budget `daily` has reached 80 % of 100,000 tokens: 81,000 tokens" in bursar("budget", "alerts").out

    said = bursar("token", "reserve", 20_000, "more")
    assert said.code == 1
    assert "daily" in said.err
    assert bursar("ledger", "verify").code == 0


def test_a_budget_that_is_gone_from_the_settings_blocks_nothing(bursar: Bursar, project: Path) -> None:
    bursar("budget", "set", "tight", "10k tokens")
    bursar("token", "init", "opus")
    assert bursar("token", "reserve", 20_000, "x").code == 1
    (project / "bursar.toml").write_text("")
    assert bursar("token", "reserve", 20_000, "x").code == 0
    assert [each["name"] for each in bursar("budget", "list", "--json").data if each["name"] == "tight"] == []
    bursar("budget", "set", "tight", "10k tokens")
    assert bursar("token", "reserve", 1, "x").code == 1  # what was held in between was counted all the same


def test_another_selector_makes_another_budget(bursar: Bursar, project: Path) -> None:
    bursar("budget", "set", "tests", "10k tokens")
    bursar("token", "init", "opus")
    bursar("token", "record", 9_000, "phase-1")
    assert "starts from nothing" not in bursar("budget", "set", "tests", "11k tokens").err
    said = bursar("budget", "set", "tests", "10k tokens", "--match", "phase=phase-2")
    assert "warning: what it counts has changed, so it starts from nothing" in said.err
    bursar("token", "record", 500, "phase-2")
    (shown,) = bursar("budget", "show", "tests", "--json").data
    assert (shown["spent"], shown["match"]["phase"]) == (500, "phase-2")
    assert bursar("ledger", "verify").code == 0


def test_projects_do_not_count_for_each_other(
    bursar: Bursar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_user_file(tmp_path, '[[budget]]\nname = "all"\nlimit = "1M tokens"\n')
    for name in ("one", "two"):
        (tmp_path / name / ".git").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        bursar("budget", "set", "daily", "100k tokens", "--period", "daily")
        bursar("token", "init", "opus")
        bursar("token", "record", 10_000, "phase-1")
    spent = {each["name"]: each["spent"] for each in bursar("budget", "list", "--json").data}
    assert (spent["daily"], spent["all"]) == (10_000, 20_000)
    assert len(bursar("budget", "list", "--all", "--json").data) == 5


def test_a_budget_that_counts_per_session_is_listed_as_it_stands_in_the_session_of_now(bursar: Bursar) -> None:
    bursar("budget", "set", "each", "1k tokens", "--period", "session")
    bursar("token", "init")
    bursar("token", "record", 900, "docs")
    bursar("token", "reset")
    each, session = bursar("budget", "list", "--json").data
    assert (each["name"], each["spent"], each["available"]) == ("each", 0, 1_000)
    assert session["name"] == session["period_id"] == each["period_id"]
    earlier = bursar("budget", "list", "--all", "--json").data[1]
    assert (earlier["spent"], earlier["period_id"]) == (900, earlier["name"])


def test_a_budget_that_was_changed_into_another_is_listed_once(bursar: Bursar) -> None:
    bursar("budget", "set", "daily", "1k tokens", "--period", "daily")
    bursar("token", "init")
    bursar("token", "record", 900, "docs")
    bursar("budget", "set", "daily", "5 USD")
    assert [each["unit"] for each in bursar("budget", "list", "--json").data if each["name"] == "daily"] == ["usd"]


def test_only_the_session_of_now_is_listed(bursar: Bursar) -> None:
    bursar("token", "init", "opus")
    (first,) = bursar("budget", "list", "--json").data
    bursar("token", "reset")
    (second,) = bursar("budget", "list", "--json").data
    assert second["name"] != first["name"]
    assert [each["name"] for each in bursar("budget", "list", "--all", "--json").data] == [
        first["name"],
        second["name"],
    ]


def test_history_shows_the_last_things(bursar: Bursar) -> None:
    bursar("token", "init", "opus")
    for number in range(1, 4):
        bursar("token", "record", number * 1000, f"phase-{number}")
    entries = bursar("budget", "history", "--json").data
    assert [entry["kind"] for entry in entries] == ["charged"] * 3
    assert set(entries[0]) == {"number", "at", "kind", "key", "body"}
    (last,) = bursar("budget", "history", "-n", 1, "--json").data
    assert last["body"]["labels"]["phase"] == "phase-3"
    assert "3,000 tokens  unknown cost" in bursar("budget", "history", "-n", 1).out
    for wrong in ("0", "-1", "x", "1_0", "9" * 12):
        said = bursar("budget", "history", f"-n{wrong}")
        assert (said.code, said.err.splitlines()[-1]) == (2, "hint: bursar budget history -n 100")


def test_what_was_charged_for_calls_of_unknown_cost_is_no_cost_of_theirs(
    bursar: Bursar, project: Path, tmp_path: Path
) -> None:
    """The hold knew a price, the calls had none: charged is what was held, and what they cost stays unknown."""
    bursar("token", "init")
    ledger = open_ledger(str(tmp_path / "state" / LEDGER_FILE), SystemClock())
    for key, nano_usd in (("dark", None), ("clear", 7_000_000)):
        amount = Amount(1000, 450_000_000)
        ledger.reserve(ReserveRequest(key=key, labels={"project": str(project)}, amount=amount))
        usage = Usage(input_tokens=900)
        ledger.record(key, CallRecord(call_id=key, sequence=1, model="m", usage=usage, nano_usd=nano_usd))
        ledger.settle(key, Amount(900, nano_usd))
    ledger.close()
    lines = bursar("budget", "history").out.splitlines()
    said = {tuple(line.split()[3:5]): line.partition("tokens  ")[2] for line in lines}
    assert said["recorded", "dark"] == "unknown cost"
    assert said["settled", "dark"] == "unknown cost, 0.4500 USD charged as held"
    assert said["recorded", "clear"] == said["settled", "clear"] == "0.0070 USD"


def test_what_is_not_there(bursar: Bursar) -> None:
    assert bursar("budget", "list").err.startswith("no budgets yet")
    said = bursar("budget", "show", "nothing")
    assert (said.code, "there is no budget `nothing`" in said.err) == (2, True)
    assert bursar("budget").code == 2
    assert bursar("budget", "sell").code == 2


def test_history_is_of_this_project_unless_all_are_meant(
    bursar: Bursar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bursar("token", "init")
    bursar("token", "record", "10", "here")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    nothing = bursar("budget", "history")
    assert (nothing.code, nothing.out) == (0, "")
    assert "--all-projects" in nothing.err
    assert bursar("budget", "history", "--json").data == []
    bursar("token", "init")
    bursar("token", "record", "20", "there")
    (entry,) = bursar("budget", "history", "--json").data
    assert entry["body"]["labels"]["phase"] == "there"
    both = bursar("budget", "history", "--all-projects", "--json").data
    assert [each["body"]["labels"]["phase"] for each in both] == ["here", "there"]


def test_a_budget_that_includes_logs(project: Path, bursar: Bursar) -> None:
    assert bursar("budget", "set", "month", "5 USD", "--period", "monthly", "--include-logs").code == 0
    assert "include_logs = true\n" in (project / "bursar.toml").read_text()
    assert bursar("budget", "set", "month", "6 USD").code == 0  # other keys stay
    (month,) = bursar("budget", "show", "month", "--json").data
    assert (month["include_logs"], month["match"]) == (True, {"project": str(project)})
    shown = bursar("budget", "show", "month").out
    assert "logs=" not in shown
    assert "include_logs" in shown


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ("--period", "5h"),
            "`include_logs` needs a `period` of days, weeks or months: a window that rolls opens when",
        ),
        ((), "`include_logs` needs a `period` of days, weeks or months"),
        (("--period", "daily", "--match", "phase=08"), "logs do not tell label `phase`, but project, agent, model"),
    ],
)
def test_a_budget_that_cannot_include_logs(project: Path, bursar: Bursar, flags: tuple[str, ...], words: str) -> None:
    said = bursar("budget", "set", "month", "5 USD", "--include-logs", *flags)
    assert said.code == 2
    assert words in said.err
    assert not (project / "bursar.toml").exists()


def test_a_budget_that_includes_logs_is_shown_with_what_they_show(
    project: Path, bursar: Bursar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    bursar("budget", "set", "month", "5k tokens", "--period", "monthly", "--include-logs")
    ledger = open_ledger(str(tmp_path / "state" / "ledger.db"), SystemClock())
    define_budgets(ledger, project, configured_budgets(project))
    ledger.close()
    log = tmp_path / "home" / ".claude" / "projects" / "-shop" / "s1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(encode(line(cwd=str(project))))
    for _ in range(2):
        (month,) = bursar("budget", "list", "--json").data
        assert (month["spent"], month["available"]) == (1280, 3720)
    (tmp_path / "state" / "usage.db").write_bytes(b"no database")
    said = bursar("budget", "list")
    assert said.err.startswith("warning: what agents' logs show is not charged: ")
    assert said.code == 0


def test_a_budget_that_includes_logs_is_charged_also_where_nothing_was_ever_run(
    project: Path, bursar: Bursar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever uses agents by hand alone, and looks. A look makes that budget, and changes none that there is."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    log = tmp_path / "home" / ".claude" / "projects" / "-shop" / "s1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(encode(line(cwd=str(project))))
    bursar("budget", "set", "month", "5k tokens", "--period", "monthly", "--include-logs")
    for limit in ("5k tokens", "6k tokens"):
        bursar("budget", "set", "month", limit)
        (month,) = bursar("budget", "list", "--json").data
        assert month["spent"] == 1280
    ledger = open_ledger(str(tmp_path / "state" / "ledger.db"), SystemClock())
    (balance,) = ledger.budgets()
    assert (balance.budget.limit.quantity, balance.spent) == (5_000, 1280)
    ledger.close()


def test_a_rolling_window_is_open_from_its_first_operation_on(bursar: Bursar) -> None:
    bursar("budget", "set", "five", "100 tokens", "--period", "5h")
    before = json.loads(bursar("budget", "list", "--json").out)
    bursar("token", "init")
    between = json.loads(bursar("budget", "list", "--json").out)
    bursar("token", "record", "1", "a")
    after = json.loads(bursar("budget", "list", "--json").out)
    opened = [each["period_id"] for listed in (before, between, after) for each in listed if each["name"] == "five"]
    assert opened == ["", "", f"{NOON:%Y-%m-%dT%H:%M:%S.%fZ}"]


def test_what_was_set_and_what_is_wrong_in_json(project: Path, bursar: Bursar) -> None:
    said = bursar("budget", "set", "daily", "200k tokens", "--period", "daily", "--json")
    data = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert (data["is_new"], data["name"], data["limit"], data["period"]) == (True, "daily", 200_000, "daily")
    assert data["sources"]["limit"] == str(project / "bursar.toml")
    assert json.loads(bursar("budget", "set", "daily", "5 tokens", "--json").out)["is_new"] is False
    assert json.loads(bursar("budget", "check", "--json").out) == {"budgets": ["daily"], "problems": []}
    (project / "bursar.toml").write_text('[[budget]]\nname = "x"\nlimit = "5 EUR"\n')
    wrong = bursar("budget", "check", "--json")
    assert wrong.code == 2
    assert len(json.loads(wrong.out)["problems"]) == 1


@pytest.mark.parametrize(("on_limit", "is_frozen"), [("block", True), ("warn", False)])
def test_a_limit_that_is_lowered_below_what_is_spent_is_shown_as_frozen(
    bursar: Bursar, on_limit: str, is_frozen: bool
) -> None:
    bursar("budget", "set", "day", "100 tokens", "--period", "daily", "--on-limit", on_limit)
    bursar("token", "init")
    bursar("token", "record", "60", "a")
    assert "frozen" not in bursar("budget", "list").out
    bursar("budget", "set", "day", "50 tokens")
    assert ("passed by 10 tokens, frozen: nothing new starts" in bursar("budget", "list").out) is is_frozen
    (day,) = (each for each in json.loads(bursar("budget", "show", "--json").out) if each["name"] == "day")
    assert day["frozen"] is is_frozen
