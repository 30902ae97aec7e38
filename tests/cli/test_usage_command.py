"""`bursar usage`: what stands in transcripts, as tables, JSON with ccusage's keys, and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar
from tests.unit.logs.transcripts import encode, line, usage


@pytest.fixture
def logs(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two calls, one of them written twice, on two days of UTC."""
    folder = tmp_path / "claude" / "projects" / "-w-shop"
    folder.mkdir(parents=True)
    late = line("msg_2", "req_2", "2026-11-18T23:30:00Z", model="claude-opus-4-5", usage=usage(output_tokens=70))
    (folder / "s1.jsonl").write_bytes(encode(line(), line(), late))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    monkeypatch.setenv("TZ", "UTC")
    return folder


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


def test_no_logs(bursar: Bursar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "nothing"))
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
    ],
)
def test_bad_arguments(bursar: Bursar, flags: tuple[str, ...], words: str) -> None:
    said = bursar("usage", *flags)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
