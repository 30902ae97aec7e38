"""`bursar learn`: report, export, import, correct, forget; and `bursar report --savings`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar
from tests.cli.test_estimate_command import PLAN, history, task, write_plan

__all__ = ["history"]


def test_at_first_nothing_is_learned(bursar: Bursar) -> None:
    said = bursar("learn", "report")
    assert (said.code, said.out) == (
        0,
        "nothing has been learned yet: no attempt has finished here, and nothing was imported\n",
    )
    assert json.loads(bursar("learn", "report", "--json").out)["observations"] == 0


@pytest.mark.usefixtures("history")
def test_the_report_has_what_was_taken_and_what_the_next_will_take(bursar: Bursar) -> None:
    told = json.loads(bursar("learn", "report", "--json").out)
    (kind,) = told["kinds"]
    assert (kind["type"], kind["complexity"], kind["model"], kind["count"]) == ("simple-impl", None, "sonnet", 60)
    assert kind["success_rate"] == 0.9
    assert kind["min_tokens"] < kind["next_tokens"]["p10"] < 200_000 < kind["next_tokens"]["p90"] < kind["max_tokens"]
    assert 0.6 < told["coverage"] < 0.95
    assert "60 finished, 90 % of them successfully" in bursar("learn", "report").out


@pytest.mark.usefixtures("history")
def test_what_is_exported_can_be_imported_elsewhere_once(
    bursar: Bursar, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "seen.jsonl").write_text(bursar("learn", "export").out)
    monkeypatch.setenv("BURSAR_STATE_DIR", str(place / "elsewhere"))
    assert "60 new observations, 0 known before" in bursar("learn", "import", "seen.jsonl").err
    assert "0 new observations, 60 known before" in bursar("learn", "import", "seen.jsonl").err
    assert json.loads(bursar("learn", "report", "--json").out)["observations"] == 60
    assert "60 observations would be forgotten" in bursar("learn", "forget", "--origin", "seen.jsonl").err
    assert "60 observations are forgotten" in bursar("learn", "forget", "--origin", "seen.jsonl", "--yes").err
    assert json.loads(bursar("learn", "report", "--json").out)["observations"] == 0


@pytest.mark.usefixtures("history")
def test_bad_rows_are_refused_one_by_one_and_told(bursar: Bursar, place: Path) -> None:
    good = bursar("learn", "export").out.splitlines()[0]
    bad = good.replace('"succeeded"', '"great"').replace('"failed"', '"great"')
    (place / "mixed.jsonl").write_text("\n".join([bad, good, "nonsense", *["[]"] * 9]) + "\n")
    said = bursar("learn", "import", "mixed.jsonl")
    assert said.code == 0
    assert "0 new observations, 1 known before" in said.err
    assert "warning: mixed.jsonl:1: refused: `outcome` is none of" in said.err
    assert "6 more rows are refused" in said.err
    assert "11 refused rows of imports" in bursar("learn", "report").out


def test_a_file_of_nothing_but_nonsense_is_an_error(bursar: Bursar, place: Path) -> None:
    (place / "nonsense").write_bytes(b"\xff\xfe\n[\n")
    said = bursar("learn", "import", "nonsense")
    assert said.code == 2
    assert "nonsense has no row that can be believed" in said.err


def test_a_type_is_corrected(bursar: Bursar, place: Path) -> None:
    write_plan(place / PLAN, task("One"))
    assert "task 1 is architecture; 0 finished attempts" in bursar("learn", "correct", PLAN, "1", "architecture").err


@pytest.mark.usefixtures("history")
def test_only_what_is_meant_is_forgotten(bursar: Bursar) -> None:
    assert "0 observations would be" in bursar("learn", "forget", "--model", "opus").err
    assert "0 observations would be" in bursar("learn", "forget", "--project", "--model", "sonnet").err
    assert "60 observations would be" in bursar("learn", "forget", "--all").err


@pytest.mark.usefixtures("history")
def test_no_row_of_others_ends_the_report(bursar: Bursar, place: Path) -> None:
    row = json.loads(bursar("learn", "export").out.splitlines()[0])
    odd = [{"task_type": "x|y|z"}, {"model": "a|b"}, {"model": ""}, {"task_type": ""}, {"outcome": "interrupted"}]
    rows = [row | each | {"key": f"odd{number}"} for number, each in enumerate(odd)]
    (place / "odd.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    assert "odd.jsonl:1: refused: `task_type` has a `|` in it" in bursar("learn", "import", "odd.jsonl").err
    kinds = json.loads(bursar("learn", "report", "--json").out)["kinds"]
    assert {"a|b", "", "sonnet"} == {each["model"] for each in kinds}
    assert bursar("learn", "report").code == 0


@pytest.mark.usefixtures("history")
def test_to_forget_all_is_to_forget_what_was_refused_and_corrected_too(bursar: Bursar, place: Path) -> None:
    (place / "odd.jsonl").write_text("[]\n{}\n" + bursar("learn", "export").out)
    write_plan(place / PLAN, task("One"))
    bursar("learn", "import", "odd.jsonl")
    bursar("learn", "correct", PLAN, "1", "architecture")
    would = bursar("learn", "forget", "--all").err
    assert would.startswith("60 observations, 2 refused rows of imports and 1 corrected type would be")
    assert (
        "0 observations and 2 refused rows of imports would" in bursar("learn", "forget", "--origin", "odd.jsonl").err
    )
    assert "60 observations, 2 refused" in bursar("learn", "forget", "--all", "--yes").err
    assert "nothing has been learned yet" in bursar("learn", "report").out
    assert "not learned from" not in bursar("learn", "report").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what to do with what was learned"),
        (("reprot",), "did you mean `bursar learn report`?"),
        (("forget",), "say what to forget"),
        (("import", "nowhere"), "nowhere cannot be read"),
        (("import", "nowhere", "--name", "\x1b"), "--name must be printable"),
        (("correct", PLAN, "9", "unknown"), "has no task `9`"),
        (("correct", PLAN, "1", "hard"), "there is no type `hard`"),
        (("correct", "nowhere.md", "1", "unknown"), "nowhere.md is no plan that can be read"),
    ],
)
def test_what_cannot_be_done_is_told(bursar: Bursar, place: Path, arguments: tuple[str, ...], words: str) -> None:
    write_plan(place / PLAN, task("One"))
    said = bursar("learn", *arguments)
    assert said.code == 2
    assert words in said.err


def test_help_names_every_action(bursar: Bursar) -> None:
    said = bursar("learn", "--help")
    assert said.code == 0
    assert all(name in said.out for name in ("report", "export", "import", "correct", "forget"))


def test_savings_without_a_history_say_so(bursar: Bursar) -> None:
    said = bursar("report", "--savings")
    assert said.code == 0
    assert "nothing to compare" in said.out
    assert json.loads(bursar("report", "--savings", "--json").out)["paid"] == 0
    assert bursar("report", "some-run", "--savings").code == 2
