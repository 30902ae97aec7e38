"""`bursar ledger`: export, and corrections on evidence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.cli.main import main
from bursar.clock import SystemClock
from bursar.ledger import CallRecord, ReserveRequest, State, open_ledger
from bursar.usage import Usage

KEY = "r/1/1"


@dataclass(frozen=True, slots=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Bursar = Callable[..., Said]


@pytest.fixture
def bursar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bursar:
    """`bursar ledger …` on books with one budget, a forfeited hold and an open one."""
    monkeypatch.setenv("BURSAR_STATE_DIR", str(tmp_path))
    ledger = open_ledger(tmp_path / "ledger.db", SystemClock())
    ledger.define(Budget(name="b", limit=Limit(100_000, Unit.TOKENS), selector={"run": "r"}))
    for key in (KEY, "r/2/1"):
        labels = {"run": "r", "task": key[2]}
        ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(30_000, 5_000_000_000)))
    ledger.forfeit(KEY)
    ledger.close()

    def run(*words: object) -> Said:
        code = main(["ledger", *map(str, words)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def spent(bursar: Bursar) -> int:
    return next(int(line["spent"]) for line in bursar("export").lines if line["type"] == "balance")


def test_export_has_everything(bursar: Bursar) -> None:
    lines = bursar("export").lines
    assert [line["type"] for line in lines] == ["entry"] * 4 + ["balance"] + ["reservation"] * 2
    assert [line["kind"] for line in lines[:4]] == ["defined", "reserved", "reserved", "forfeited"]
    assert [line["previous_hash"] for line in lines[1:4]] == [line["hash"] for line in lines[:3]]
    assert lines[4] == {
        "type": "balance",
        "budget": "b",
        "match": {"run": "r"},
        "unit": "tokens",
        "limit": 100_000,
        "period": "always",
        "period_id": "always",
        "on_limit": "block",
        "spent": 30_000,
        "reserved": 30_000,
        "metered": 0,
        "available": 40_000,
        "unpriced_operations": 0,
        "subscription_operations": 0,
    }
    assert lines[5] == {
        "type": "reservation",
        "key": KEY,
        "state": "forfeited",
        "labels": {"run": "r", "task": "1"},
        "attempt": 1,
        "held": {"tokens": 30_000, "nano_usd": 5_000_000_000},
        "metered": {"tokens": 0, "nano_usd": 0},
        "charged": {"tokens": 30_000, "nano_usd": 5_000_000_000},
        "unknown": {"tokens": 30_000, "nano_usd": 5_000_000_000},
        "budgets": ["b"],
        "exempt": [],
    }


def test_a_forfeited_charge_is_lowered_once_on_evidence(bursar: Bursar, tmp_path: Path) -> None:
    words = ["adjust", KEY, "--tokens", "12000", "--usd", "0.5", "--evidence", "invoice 7"]
    said = bursar(*words)
    assert (said.code, said.out) == (0, "")
    assert said.err == f"`{KEY}` is charged 12,000 tokens (0.50 USD) now, instead of 30,000 tokens (5.00 USD)\n"
    assert spent(bursar) == 12_000
    before = bursar("list").out
    assert bursar(*words).code == 0  # the same again changes nothing
    assert bursar("list").out == before
    other = bursar("adjust", KEY, "--tokens", "11000", "--usd", "0.5", "--evidence", "invoice 8")
    assert (other.code, bursar("list").out) == (2, before)
    assert bursar("verify").code == 0
    found = open_ledger(tmp_path / "ledger.db", SystemClock()).reservation(KEY)
    assert found is not None
    assert found.state is State.CREDITED
    (event,) = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert (event["event"], event["key"], event["state"]) == ("settled", KEY, "credited")
    assert event["charged"]["tokens"] == 12_000


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        ([KEY, "--tokens", "12000", "--evidence", "x"], 2, "needs the cost"),
        ([KEY, "--tokens", "30001", "--usd", "5", "--evidence", "x"], 2, "an adjustment lowers a charge"),
        ([KEY, "--tokens", "3", "--usd", "5.01", "--evidence", "x"], 2, "an adjustment lowers a charge"),
        ([KEY, "--tokens", "-1", "--usd", "5", "--evidence", "x"], 2, "--tokens"),
        ([KEY, "--tokens", "1_0", "--usd", "5", "--evidence", "x"], 2, "--tokens must be a whole number"),
        ([KEY, "--tokens", "3.9e5", "--usd", "5", "--evidence", "x"], 2, "--tokens must be a whole number"),
        ([KEY, "--tokens", str(2**63), "--usd", "5", "--evidence", "x"], 2, "--tokens must be a whole number"),
        ([KEY, "--tokens", "5", "--usd", "NaN", "--evidence", "x"], 2, "--usd must be an amount"),
        ([KEY, "--tokens", "5", "--usd", "0.0000000001", "--evidence", "x"], 2, "--usd must be an amount"),
        ([KEY, "--tokens", "5", "--usd", "9999999999", "--evidence", "x"], 2, "--usd must be an amount"),
        ([KEY, "--tokens", "5", "--usd", "1", "--evidence", " "], 2, "--evidence must say"),
        ([KEY, "--tokens", "5", "--usd", "1", "--evidence", "a\nb"], 2, "--evidence must say"),
        ([KEY, "--tokens", "5", "--usd", "1"], 2, "--evidence"),
        ([KEY, "--usd", "1", "--evidence", "x"], 2, "--tokens"),
        (["r/2/1", "--tokens", "5", "--usd", "1", "--evidence", "x"], 2, "`r/2/1` is held"),
        (["none", "--tokens", "5", "--usd", "1", "--evidence", "x"], 2, "there is no reservation `none`"),
    ],
)
def test_a_refused_adjustment_changes_nothing(bursar: Bursar, words: list[str], code: int, what: str) -> None:
    before = bursar("export").out
    said = bursar("adjust", *words)
    assert (said.code, said.out) == (code, "")
    assert what in said.err
    assert bursar("export").out == before


def test_what_was_metered_cannot_be_adjusted_away(bursar: Bursar, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db", SystemClock())
    usage = Usage(input_tokens=700, output_tokens=300)
    ledger.record("r/2/1", CallRecord(call_id="c", sequence=1, model="m", usage=usage, nano_usd=40_000_000))
    ledger.forfeit("r/2/1")
    ledger.close()
    for tokens, usd in (("999", "1"), ("1000", "0.03")):
        said = bursar("adjust", "r/2/1", "--tokens", tokens, "--usd", usd, "--evidence", "x")
        assert (said.code, "has metered 1,000 tokens (0.04 USD)" in said.err) == (2, True), said.err
    assert bursar("adjust", "r/2/1", "--tokens", "1000", "--usd", "0.04", "--evidence", "x").code == 0


def test_no_other_actions(bursar: Bursar) -> None:
    assert bursar().code == 2
    assert bursar("burn").code == 2


@pytest.mark.parametrize("number", ["-5", "x", "1_0", "", str(2**63)])
def test_entries_after_no_number(bursar: Bursar, number: str) -> None:
    said = bursar("list", f"--after={number}")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: argument --after: {number!r} is not the number of an entry\n")


def test_entries_after_a_number(bursar: Bursar) -> None:
    assert [line["number"] for line in bursar("list", "--after", "2").lines] == [3, 4]


# Rebuilding.


def damage(folder: Path, *, entries_too: bool = False) -> None:
    """The header is gone, and where asked for, all that follows the first entry."""
    connection = sqlite3.connect(folder / "ledger.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray((folder / "ledger.db").read_bytes())
    content[:16] = bytes(16)
    if entries_too:
        for word in (b"forfeited", b'"granted"'):
            at = 0
            while (at := content.find(word, at + 1)) >= 0:
                content[at : at + 9] = bytes(9)
    (folder / "ledger.db").write_bytes(content)


def test_a_damaged_ledger_is_rebuilt_on_command(bursar: Bursar, tmp_path: Path) -> None:
    before = bursar("export").lines
    refused = bursar("rebuild")
    assert (refused.code, refused.out) == (2, "")
    assert "nothing to rebuild" in refused.err
    damage(tmp_path)
    broken = bursar("verify")
    assert broken.code == 6
    assert "hint: `bursar ledger rebuild`" in broken.err
    said = bursar("rebuild", "--json")
    assert said.code == 0
    data = json.loads(said.out)
    assert (data["exact"], data["kept"], data["lost"], data["ended"]) == (True, 4, [], [])
    assert Path(data["damaged"]).exists()
    assert f"the damaged file is kept: {data['damaged']}" in said.err
    assert "nothing was lost" in said.err
    assert bursar("export").lines == before


def test_what_rebuilding_cannot_find_is_told_and_charged(bursar: Bursar, tmp_path: Path) -> None:
    damage(tmp_path, entries_too=True)
    (tmp_path / "audit.jsonl").write_text(
        json.dumps(
            {
                "at": "2099-01-01T00:00:00.000+00:00",
                "event": "settled",
                "pid": 1,
                "key": "r/2/1",
                "state": "settled",
                "charged": {"tokens": 700, "nano_usd": 9, "fresh_tokens": None, "output_tokens": None},
                "unknown": {"tokens": 100, "nano_usd": 0, "fresh_tokens": None, "output_tokens": None},
                "labels": {"run": "r", "task": "2"},
            }
        )
        + "\n{stump\n",
        encoding="utf-8",
    )
    said = bursar("rebuild")
    assert said.code == 0
    assert "whether there were later entries, nobody knows" in said.err
    assert "nothing was lost" not in said.err
    assert spent(bursar) + 0 >= 30_000
    assert "the ledger adds up" in bursar("verify").err
    found = [line for line in bursar("export").lines if line["type"] == "reservation" and line["key"] == "r/2/1"]
    assert found[0]["charged"]["tokens"] == 700
    assert found[0]["unknown"]["tokens"] in (0, 100)


def test_an_export_helps_and_another_file_does_not(bursar: Bursar, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(bursar("export").out, encoding="utf-8")
    damage(tmp_path, entries_too=True)
    other = tmp_path / "other.txt"
    other.write_text("hello\n", encoding="utf-8")
    refused = bursar("rebuild", "--from", other)
    assert (refused.code, "other.txt:1: this is no line" in refused.err) == (2, True)
    assert bursar("rebuild", "--from", tmp_path / "nothing").code == 2
    said = bursar("rebuild", "--from", export)
    assert said.code == 0
    assert "4 entries are as they were" in said.err
    assert spent(bursar) >= 30_000


def test_every_command_says_it_in_json(bursar: Bursar) -> None:
    for action in ("list", "export"):
        assert json.loads(bursar(action, "--json").out) == bursar(action).lines
    assert bursar("list", "--after", "99", "--json").out == "[]\n"
    assert json.loads(bursar("verify", "--json").out) == {"problems": []}
    said = bursar("adjust", KEY, "--tokens", "12000", "--usd", "0.5", "--evidence", "invoice 7", "--json")
    assert (said.code, said.err) == (0, "")
    adjusted = json.loads(said.out)
    assert (adjusted["key"], adjusted["charged"]["tokens"]) == (KEY, 12_000)
