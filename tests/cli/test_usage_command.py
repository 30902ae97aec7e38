"""`bursar usage`: what stands in transcripts, as tables, JSON with ccusage's keys, and CSV."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bursar.paths import state_dir
from tests.cli.conftest import Bursar
from tests.unit.logs.transcripts import encode, line, usage

FIXTURES = Path(__file__).parents[1] / "unit" / "agents" / "fixtures"


@pytest.fixture
def logs(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two calls, one of them written twice, on two days of UTC."""
    folder = tmp_path / "claude" / "projects" / "-w-shop"
    folder.mkdir(parents=True)
    late = line("msg_2", "req_2", "2026-11-18T23:30:00Z", model="claude-opus-4-5", usage=usage(output_tokens=70))
    (folder / "s1.jsonl").write_bytes(encode(line(), line(), late))
    set_places(monkeypatch, tmp_path)
    return folder


def set_places(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No logs but those of the test are found."""
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder / "claude"))
    monkeypatch.setenv("TZ", "UTC")
    for name in ("CODEX_HOME", "GEMINI_CLI_HOME", "GEMINI_DATA_DIR", "XDG_DATA_HOME", "OPENCODE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("logs")
def test_days_under_the_keys_of_ccusage(bursar: Bursar) -> None:
    for _ in range(2):  # the second time nothing is read
        report = json.loads(bursar("usage", "daily", "--timezone", "UTC", "--json").out)
        (day,) = report["daily"]
        assert (day["date"], day["totalTokens"], day["inputTokens"], day["outputTokens"]) == (
            "2026-11-18",
            2580,
            2000,
            120,
        )
        assert (day["cacheCreationTokens"], day["cacheReadTokens"]) == (60, 400)
        assert [each["modelName"] for each in day["modelBreakdowns"]] == ["claude-opus-4-5", "claude-sonnet-4-5"]
        assert report["totals"]["totalTokens"] == 2580
        assert 0.01 < report["totals"]["totalCost"] == day["totalCost"] < 0.02


@pytest.mark.usefixtures("logs")
def test_a_time_zone_moves_a_call_to_the_next_day(bursar: Bursar) -> None:
    report = json.loads(bursar("usage", "daily", "--timezone", "Europe/Berlin", "--json").out)
    assert [(day["date"], day["totalTokens"]) for day in report["daily"]] == [
        ("2026-11-18", 1280),
        ("2026-11-19", 1300),
    ]


@pytest.mark.usefixtures("logs")
def test_limits_and_filters(bursar: Bursar) -> None:
    def tokens(*flags: str) -> int:
        said = bursar("usage", "monthly", "--timezone", "Europe/Berlin", "--json", *flags)
        return int(json.loads(said.out)["totals"]["totalTokens"])

    assert tokens("--until", "2026-11-18") == 1280
    assert tokens("--since", "20261119") == 1300
    assert tokens("--model", "opus") == 1300
    assert tokens("--project", "nowhere") == 0


@pytest.mark.usefixtures("logs")
def test_a_table_with_models_and_a_line_for_the_whole(bursar: Bursar) -> None:
    out = bursar("usage", "weekly", "--timezone", "UTC", "--breakdown").out.splitlines()
    assert out[0].split() == ["week", "input", "output", "cache", "write", "cache", "read", "total", "cost"]
    assert [row.split()[0] for row in out[1:]] == ["2026-11-15", "claude-opus-4-5", "claude-sonnet-4-5", "total"]
    assert out[-1].split()[1:6] == ["2,000", "120", "60", "400", "2,580"]


@pytest.mark.usefixtures("logs")
def test_sessions_blocks_and_csv(bursar: Bursar) -> None:
    (session,) = json.loads(bursar("usage", "session", "--json").out)["sessions"]
    assert (session["sessionId"], session["agent"], session["projectPath"]) == ("s1", "claude", "/w/shop")
    blocks = json.loads(bursar("usage", "blocks", "--json").out)["blocks"]
    assert [(each["startTime"][11:16], each["isGap"], each["entries"]) for each in blocks] == [
        ("10:00", False, 1),
        ("15:00", True, 0),
        ("23:00", False, 1),
    ]
    lines = bursar("usage", "daily", "--timezone", "UTC", "--csv").out.splitlines()
    assert lines[1].startswith("2026-11-18,,claude-sonnet-4-5,1,1000,50,30,200,1280,0.00")


def test_an_unknown_price_is_named_and_not_counted(bursar: Bursar, logs: Path) -> None:
    (logs / "s2.jsonl").write_bytes(encode(line("m", "r", model="claude-madeup-9")))
    said = bursar("usage", "daily", "--timezone", "UTC")
    assert "without a known price, and not in the cost: claude-madeup-9" in said.out
    report = json.loads(bursar("usage", "daily", "--json").out)
    assert report["totals"]["unpricedModels"] == ["claude-madeup-9"]


def test_a_name_out_of_a_log_is_no_line_of_the_report(bursar: Bursar, logs: Path) -> None:
    (logs / "s2.jsonl").write_bytes(encode(line("m", "r", model="x\ntotal\x1b[2J", sessionId="s\n9")))
    for arguments in (("daily", "--breakdown"), ("session",), ("blocks", "--breakdown")):
        out = bursar("usage", *arguments, "--timezone", "UTC").out
        assert all(text.isprintable() for text in out.splitlines()), arguments
        assert sum(text.startswith("total") for text in out.splitlines()) == (arguments[0] != "blocks")
    assert "  x?total?[2J " in bursar("usage", "daily", "--breakdown").out


def test_no_logs(bursar: Bursar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_places(monkeypatch, tmp_path / "nothing")
    said = bursar("usage", "daily")
    assert (said.code, said.out) == (0, "nothing was used\n")
    assert said.err.startswith("warning: there are no logs here of Claude Code")


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "required: ACTION"),
        (("daily", "--since", "2026-13-01"), "--since takes a day"),
        (("daily", "--since", "x"), "--since takes a day"),
        (("daily", "--until", "2026-01-01", "--since", "2026-02-01"), "--until is before --since"),
        (("daily", "--timezone", "Mars/Base"), "there is no time zone `Mars/Base`"),
        (("daily", "--json", "--csv"), "not allowed with argument"),
        (("daily", "--last", "0"), "--last takes a number from 1 on"),
        (("daily", "--last", "many"), "--last takes a number from 1 on"),
        (("daily", "--agent", "copilot"), "no logs of `copilot` are read"),
        (("daily", "--project", "--json"), "expected one argument"),
        (("sunday",), "invalid choice"),
        (("windows", "--csv"), "windows are no table"),
        (("windows", "--since", "2026-11-01"), "unrecognized arguments: --since 2026-11-01"),
        (("windows", "--breakdown"), "unrecognized arguments: --breakdown"),
        (("statusline", "--json"), "unrecognized arguments: --json"),
        (("statusline", "--last", "3"), "unrecognized arguments: --last 3"),
        (("verify", "--command", "'"), "--command: No closing quotation"),
        (("verify", "--command", ""), "--command is empty"),
    ],
)
def test_bad_arguments(bursar: Bursar, flags: tuple[str, ...], words: str) -> None:
    said = bursar("usage", *flags)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


@pytest.mark.usefixtures("logs")
def test_flags_that_are_joined_to_their_values_mean_the_same(bursar: Bursar) -> None:
    usual = bursar("usage", "daily", "--timezone", "Europe/Berlin", "--json", "--last", "1")
    assert bursar("usage", "daily", "--timezone=Europe/Berlin", "--json", "--last=1") == usual
    assert [day["date"] for day in json.loads(usual.out)["daily"]] == ["2026-11-19"]


def test_calls_of_the_future_are_told(bursar: Bursar, logs: Path) -> None:
    (logs / "s2.jsonl").write_bytes(encode(line("m", "r", at="9999-01-01T00:00:00Z")))
    said = bursar("usage", "daily", "--timezone", "UTC", "--json")
    assert said.err == "warning: 1 call is dated in the future; see `bursar usage session`\n"
    assert json.loads(said.out)["totals"]["totalTokens"] == 3860


def test_lines_that_cannot_be_are_told_once(bursar: Bursar, logs: Path) -> None:
    path = logs / "s2.jsonl"
    path.write_bytes(encode(line("m", "r", at="soon"), line("n", "r", usage=usage(output_tokens=-1))) + b'{"usage"\n')
    said = bursar("usage", "daily")
    assert said.err == f"warning: {path}: 3 lines tell of no call that can have been; the rest was read\n"
    assert bursar("usage", "daily").err == ""


def test_every_agent_in_one_report_and_alone(bursar: Bursar, logs: Path) -> None:
    codex = logs.parents[2] / "home" / ".codex" / "sessions" / "2026" / "11" / "18" / "rollout-1.jsonl"
    codex.parent.mkdir(parents=True)
    codex.write_bytes((FIXTURES / "codex" / "success-with-tools.log.jsonl").read_bytes())
    sessions = json.loads(bursar("usage", "session", "--json").out)["sessions"]
    assert [(each["agent"], each["totalTokens"]) for each in sessions] == [("claude", 2580), ("codex", 4549)]
    alone = json.loads(bursar("usage", "monthly", "--json", "--agent", "codex").out)
    assert alone["totals"]["totalTokens"] == 4549


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Hands a value to the command as Claude Code does."""

    def hand(value: object) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return hand


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always 12:00 on 2026-11-18, UTC."""
    monkeypatch.setattr("time.time", lambda: 1_795_003_200.0)


@pytest.mark.usefixtures("logs", "noon")
def test_a_status_line(bursar: Bursar, told: Callable[[object], None]) -> None:
    limits = {"five_hour": {"used_percentage": 23.4, "resets_at": 1_795_010_400}, "seven_day": {"used_percentage": 41}}
    told({"session_id": "s1", "model": {"display_name": "Opus"}, "rate_limits": limits})
    said = bursar("usage", "statusline", "--timezone", "UTC")
    assert said.err == ""
    assert said.out == "Opus | session 0.01 USD | today 0.01 USD | block 0.00 USD, 3h 00m left | 5h 23 % · 7d 41 %\n"
    windows = json.loads(bursar("usage", "windows", "--json", "--agent", "claude").out)["windows"]
    assert [(each["windowMinutes"], each["usedPercent"], each["source"], each["resetsAt"]) for each in windows] == [
        (300, 23.4, "official", "2026-11-18T14:00:00.000Z"),
        (10080, 41.0, "official", None),
    ]
    assert "23 %  as the provider said just now; begins anew at 2026-11-18 14:00" in bursar("usage", "windows").out


@pytest.mark.usefixtures("logs", "noon")
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff{",
        b"[]",
        {"session_id": 5, "model": "x", "rate_limits": {"five_hour": {"used_percentage": 1_795_010_400}}, "cost": 7},
        {"session_id": "", "rate_limits": [], "model": {"display_name": "\x1b"}},
        {"model": {"display_name": "\x1b"}, "rate_limits": {"five_hour": {"used_percentage": True}}},
    ],
)
def test_a_status_line_whatever_is_handed_over(bursar: Bursar, told: Callable[[object], None], value: object) -> None:
    told(value)
    said = bursar("usage", "statusline", "--timezone", "UTC")
    assert (said.code, said.out) == (0, "today 0.01 USD | block 0.00 USD, 3h 00m left\n")


@pytest.mark.usefixtures("logs", "noon")
def test_a_status_line_of_a_session_that_is_called_by_half_a_character(
    bursar: Bursar, told: Callable[[object], None]
) -> None:
    told(b'{"session_id": "\\ud800"}')
    said = bursar("usage", "statusline", "--timezone", "UTC")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("session 0.00 USD | today")


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize("flag", ["--model", "--project"])
def test_a_filter_that_is_no_text_finds_nothing(bursar: Bursar, flag: str) -> None:
    said = bursar("usage", "daily", flag, "\udcff")
    assert (said.code, said.out, said.err) == (0, "nothing was used\n", "")


@pytest.mark.usefixtures("logs", "noon")
def test_a_status_line_of_a_session_that_has_no_log_yet(bursar: Bursar, told: Callable[[object], None]) -> None:
    told({"session_id": "new", "cost": {"total_cost_usd": 0.5}})
    assert bursar("usage", "statusline").out.startswith("session 0.50 USD | today")


@pytest.mark.usefixtures("noon")
def test_windows_are_estimated_where_nobody_speaks_of_them(bursar: Bursar, logs: Path) -> None:
    days = [encode(line(f"m{day}", "r", at=f"2026-11-{day:02}T01:00:00Z")) for day in (3, 10, 11, 12)]
    (logs / "s2.jsonl").write_bytes(b"".join(days))
    block, week = json.loads(bursar("usage", "windows", "--json", "--agent", "claude").out)["windows"]
    assert (block["source"], block["resetsAt"]) == ("estimated", "2026-11-18T15:00:00.000Z")
    assert block["usedPercent"] == 100 * 1080 / 1100  # of what is used at half past eleven at night: 1100
    assert week["source"] == "estimated"
    assert "of the most that was used in such a time before" in bursar("usage", "windows").out
    assert bursar("usage", "windows", "--agent", "codex").out == "nothing is known of any subscription's windows\n"


CCUSAGE = """\
import json, sys
rows = json.load(open({path!r}))
assert sys.argv[2:] == ["daily", "--json", "--offline", "--timezone", "UTC"], sys.argv
print(json.dumps({{"daily": rows.get(sys.argv[1], [])}}))
"""


@pytest.fixture
def ccusage(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """A program that says what it is told, as ccusage does; the command that starts it."""

    def make(reports: dict[str, Any]) -> str:
        (tmp_path / "report.json").write_text(json.dumps(reports))
        (tmp_path / "ccusage.py").write_text(CCUSAGE.format(path=str(tmp_path / "report.json")))
        return shlex.join([sys.executable, str(tmp_path / "ccusage.py")])

    return make


def breakdown(model: str, counts: tuple[int, int, int, int], cost: float) -> dict[str, Any]:
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
    return {"modelName": model, **dict(zip(names, counts, strict=True)), "cost": cost}


def day_of(sonnet: dict[str, Any]) -> dict[str, Any]:
    return {"date": "2026-11-18", "modelBreakdowns": [sonnet, OPUS]}


SONNET = breakdown("claude-sonnet-4-5", (1000, 50, 30, 200), 0.003945)
OPUS = breakdown("claude-opus-4-5", (1000, 70, 30, 200), 0.007)


@pytest.mark.usefixtures("logs")
def test_verify_says_that_both_count_the_same(bursar: Bursar, ccusage: Callable[[dict[str, Any]], str]) -> None:
    command = ccusage({"claude": [{"date": "2026-11-18", "modelBreakdowns": [SONNET, OPUS]}]})
    said = bursar("usage", "verify", "--command", command)
    assert (said.code, said.err) == (0, "")
    assert said.out == "the same: 2 days and models of claude, each counter to the token and each cent\n"


def test_verify_says_what_differs_and_why(bursar: Bursar, logs: Path, ccusage: Callable[[dict[str, Any]], str]) -> None:
    """A call that ccusage leaves out, a model that costs something else, and a day that nobody can explain."""
    odd = line("m9", "r9", content=[{"type": "tool_use", "input": {"id": None}}])
    (logs / "s2.jsonl").write_bytes(encode(odd))
    stray = {"date": "2026-11-20", "modelBreakdowns": [breakdown("m", (1, 0, 0, 0), 0.0)]}
    day = {"date": "2026-11-18", "modelBreakdowns": [SONNET, OPUS | {"cost": 0.5}]}
    said = bursar("usage", "verify", "--command", ccusage({"claude": [day, stray]}), "--json")
    differences = json.loads(said.out)["differences"]
    assert said.code == 1
    assert [(each["date"], each["model"], each["reason"]) for each in differences] == [
        ("2026-11-18", "claude-opus-4-5", "the price lists, or how they count long contexts"),
        ("2026-11-18", "claude-sonnet-4-5", "ccusage leaves records out: `id` is null somewhere in the line (1)"),
        ("2026-11-20", "m", None),
    ]
    words = bursar("usage", "verify", "--command", ccusage({"claude": [day, stray]})).out
    assert "  input       bursar 2,000, ccusage 1,000\n" in words
    assert words.endswith("  why: not known; please report it\n3 of 3 days and models differ\n")


@pytest.mark.parametrize(("beside", "code"), [(14, 0), (13, 1)])
def test_verify_counts_reasoning_as_output(
    bursar: Bursar, logs: Path, ccusage: Callable[[dict[str, Any]], str], beside: int, code: int
) -> None:
    """Of Gemini CLI and OpenCode ccusage has it in the total of the day alone."""
    chats = logs.parents[2] / "home" / ".gemini" / "tmp" / "shop" / "chats"
    chats.mkdir(parents=True)
    tokens = {"input": 1000, "output": 50, "cached": 200, "thoughts": 7, "tool": 0, "total": 1057}
    lines = [
        {"id": f"g{number}", "timestamp": "2026-11-18T10:00:00Z", "type": "gemini", "model": model, "tokens": tokens}
        for number, model in enumerate(("gemini-2.5-flash", "gemini-3-pro-preview"))
    ]
    (chats / "session-2026-11-18T10-00-3f1c2a64.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    report = json.loads(bursar("usage", "daily", "--json", "--agent", "gemini", "--timezone", "UTC").out)["daily"][0]
    models = [breakdown(each["modelName"], (800, 50, 0, 200), each["cost"]) for each in report["modelBreakdowns"]]
    day = {"date": "2026-11-18", "modelBreakdowns": models, "totalTokens": 2100 + beside}
    said = bursar("usage", "verify", "--command", ccusage({"gemini": [day], "claude": [day_of(SONNET)]}))
    assert said.code == code, said.out


def test_verify_says_what_bursar_refuses(bursar: Bursar, logs: Path, ccusage: Callable[[dict[str, Any]], str]) -> None:
    """ccusage counts a million million tokens in one call; of a date that is none nobody counts anything."""
    absurd, undated = line("m8", "r8", usage=usage(output_tokens=10**12)), line("m9", "r9", at="soon")
    (logs / "s2.jsonl").write_bytes(encode(absurd, undated))
    theirs = breakdown("claude-sonnet-4-5", (2000, 50 + 10**12, 60, 400), 15_000_000.0)
    said = bursar("usage", "verify", "--command", ccusage({"claude": [day_of(theirs)]}))
    assert "  why: bursar refuses records: a count or a time that no call can have (1)\n" in said.out
    assert said.code == 1


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program-here", "`no-such-program-here` is not installed"),
        ("false", "exits with 1: it says nothing"),
        ("echo", "says what cannot be read"),
    ],
)
def test_verify_without_a_usable_ccusage(bursar: Bursar, command: str, words: str) -> None:
    said = bursar("usage", "verify", "--command", command)
    assert (said.code, said.out) == (6, "")
    assert words in said.err


@pytest.mark.usefixtures("logs")
def test_what_attempts_used_in_their_own_homes_is_read_too(bursar: Bursar) -> None:
    """Their session logs are the only ones there are of them; a call that stands in both places counts once."""
    home = Path(state_dir()) / "runs" / "r" / "attempts" / "1-1" / "home" / ".claude" / "projects" / "-w"
    home.mkdir(parents=True)
    (home / "s9.jsonl").write_bytes(encode(line(), line("msg_9", "req_9")))
    report = json.loads(bursar("usage", "daily", "--timezone", "UTC", "--json").out)
    assert report["totals"]["totalTokens"] == 2580 + 1280


def test_verify_counts_a_speed_with_its_model_and_explains_its_price(
    bursar: Bursar, logs: Path, ccusage: Callable[[dict[str, Any]], str]
) -> None:
    """ccusage calls it a model of its own, at a multiple of the price; nobody has told bursar what it costs."""
    (logs / "s2.jsonl").write_bytes(encode(line("m9", "r9", usage=usage(speed="fast"))))
    fast = breakdown("claude-sonnet-4-5-fast", (1000, 50, 30, 200), 0.03)
    day = {"date": "2026-11-18", "modelBreakdowns": [SONNET, OPUS, fast]}
    said = bursar("usage", "verify", "--command", ccusage({"claude": [day]}), "--json")
    (difference,) = json.loads(said.out)["differences"]
    assert (difference["model"], difference["bursar"]["cost"]) == ("claude-sonnet-4-5", None)
    assert difference["bursar"]["inputTokens"] == difference["ccusage"]["inputTokens"] == 2000
    assert difference["reason"].startswith("`speed: fast`: ccusage takes a multiple of the usual price")


def test_the_users_own_prices_hold_and_no_projects(
    bursar: Bursar, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold for what was read before, too; and until they change again."""

    def cost() -> float:
        said = bursar("usage", "daily", "--timezone", "UTC", "--model", "sonnet", "--json")
        return float(json.loads(said.out)["totals"]["totalCost"])

    settings = tmp_path / "config" / "bursar" / "bursar.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    listed = cost()
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '[[price]]\nmodel = "claude-sonnet-4-5"\ninput = "1000 USD"\noutput = "0 USD"\ncache_read = "0 USD"'
    )
    assert cost() == 0  # what is written to the cache has no price now
    settings.write_text(settings.read_text() + '\ncache_write_5m = "0 USD"\ncache_write_1h = "0 USD"')
    assert cost() == 1.0
    settings.write_text("[[price]]\nmodel = 7")
    said = bursar("usage", "daily")
    assert (said.code, said.out) == (2, "")
    assert str(settings) in said.err
    settings.unlink()
    (tmp_path / "bursar.toml").write_text('[[price]]\nmodel = "claude-*"\ninput = "0 USD"\noutput = "0 USD"')
    monkeypatch.chdir(tmp_path)
    assert cost() == listed > 0


@pytest.mark.parametrize(("arguments", "code"), [(["daily", "--json"], 0), (["daily", "--last", "x"], 2)])
def test_the_program_says_all_that_it_has_to_say(bursar: Bursar, logs: Path, arguments: list[str], code: int) -> None:
    """It ends without being taken apart: what was written is out, and the exit code is that of the command."""
    calls = [line(f"m{number}", "r", model=f"claude-novel-{number}") for number in range(300)]
    (logs / "s2.jsonl").write_bytes(encode(*calls))
    done = subprocess.run(
        [sys.executable, "-m", "bursar", "usage", *arguments], capture_output=True, text=True, check=False
    )
    said = bursar("usage", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (code, said.out, said.err)
    assert said.code == code
    assert len(said.out) > 60_000 if code == 0 else not said.out


@pytest.mark.usefixtures("logs")
def test_output_that_nobody_can_take_is_an_error_of_the_program() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no full device here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bursar", "usage", "daily", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode != 0
    assert done.stderr
