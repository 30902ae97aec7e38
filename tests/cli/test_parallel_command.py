"""`bursar parallel`: what it says, its exit codes, and what it makes of tokens that are left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar, Said

ROADMAP = """\
# Roadmap

### Phase 1: Base
**Depends on**: Nothing
**Requirements**: A-01, A-02

### Phase 2: Server
**Depends on**: Phase 1
**Plans**: 2 plans

### Phase 3: Pages
**Depends on**: Phase 1
**Success Criteria** (what must be TRUE):
  1. Pages are there
  2. They are fast

### Phase 4: Ship
**Depends on**: Phases 2, 3
"""
GROUP = "Phases [2, 3] can run in parallel (Wave 1), Phase [4] depends on them\n"
NO_BUDGET = "no token budget is set; `bursar token init` sets one, `--remaining N` assumes one\n"


@pytest.fixture
def roadmap(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (place / ".git").mkdir()  # the top of a checkout: nothing above it is looked at
    path = place / ".planning/ROADMAP.md"
    path.parent.mkdir()
    path.write_text(ROADMAP)
    return path


def error(message: str, hint: str | None = None, code: int = 2) -> Said:
    return Said(code, "", f"error: {message}\n" + (f"\nhint: {hint}\n" if hint else ""))


def test_analyze_is_json_and_a_sentence(bursar: Bursar, roadmap: Path) -> None:
    said = Said(0, '{"parallelGroups": [[1], [2, 3], [4]], "totalPhases": 4, "maxParallelism": 2}\n', GROUP)
    assert bursar("parallel", "analyze") == bursar("parallel", "analyze", "--json") == said
    assert bursar("parallel", "analyze", str(roadmap)) == said


def test_a_phase_is_run_by_way_of_its_roadmap(bursar: Bursar, roadmap: Path) -> None:
    said = bursar("run", "3")
    assert said == error("there is no plan at 3", "bursar run .planning/ROADMAP.md --phases 3")
    assert bursar("run", "three") == error("there is no plan at three")


def test_analyze_keeps_numbers_that_are_no_numbers(bursar: Bursar, roadmap: Path) -> None:
    roadmap.write_text("### Phase 01: A\n\n### Phase 2.10: B\n**Depends on**: Phase 1\n")
    assert json.loads(bursar("parallel", "analyze").out)["parallelGroups"] == [[1], ["2.10"]]


def test_analyze_has_done_phases_and_check_has_not(bursar: Bursar, roadmap: Path) -> None:
    roadmap.write_text(ROADMAP.replace("Phase 2: Server", "Phase 2: Server ✅"))
    assert json.loads(bursar("parallel", "analyze").out)["totalPhases"] == 4
    assert bursar("parallel", "check") == Said(
        1, "Sequential only: no two of the 3 phases that are left can run in parallel\n", ""
    )


def test_nothing_to_run_side_by_side(bursar: Bursar, roadmap: Path) -> None:
    roadmap.write_text("### Phase 1: A ✅\n")
    assert bursar("parallel", "analyze").err == "No two phases can run in parallel\n"
    assert bursar("parallel", "check") == Said(1, "Sequential only: no phase is left to run\n", "")
    assert bursar("parallel", "simulate") == Said(0, "no phase to simulate\n", "")


def test_check_without_a_budget(bursar: Bursar, roadmap: Path) -> None:
    line = "Token budget: unlimited, need 100k for parallel group -> CAN_PROCEED\n"
    assert bursar("parallel", "check") == Said(0, GROUP + line, NO_BUDGET)
    assert json.loads(bursar("parallel", "check", "--json").out)["tokenBudget"] is None


@pytest.mark.parametrize(
    ("remaining", "code", "sentence", "remark"),
    [
        ("150000", 0, "150k remaining, need 100k for parallel group -> CAN_PROCEED", ""),
        ("100000", 0, "100k remaining, need 100k for parallel group -> CAN_PROCEED", ""),
        ("99999", 1, "99,999 remaining, need 100k for parallel group -> FALLBACK_SEQUENTIAL", ""),
        ("30000", 1, "30k remaining, need 100k for parallel group -> FALLBACK_SEQUENTIAL",
         "warning: 30,000 tokens are less than 50k, the least for one phase: start none\n"),
    ],
)  # fmt: skip
def test_check_with_tokens_that_are_left(
    bursar: Bursar, roadmap: Path, remaining: str, code: int, sentence: str, remark: str
) -> None:
    said = bursar("parallel", "check", "--remaining", remaining)
    assert said == Said(code, f"{GROUP}Token budget: {sentence}\n", remark)


def test_check_as_json(bursar: Bursar, roadmap: Path) -> None:
    said = bursar("parallel", "check", "--remaining", "30000", "--json")
    assert (said.code, json.loads(said.out)) == (
        1,
        {
            "canParallel": False,
            "groups": [
                {"phases": [1], "wave": None, "neededTokens": 50000, "canParallel": False, "verdict": None},
                {"phases": [2, 3], "wave": 1, "neededTokens": 100000, "canParallel": False,
                 "verdict": "FALLBACK_SEQUENTIAL"},
                {"phases": [4], "wave": None, "neededTokens": 50000, "canParallel": False, "verdict": None},
            ],
            "tokenBudget": {"limit": None, "remaining": 30000, "available": 30000, "source": "--remaining"},
        },
    )  # fmt: skip
    assert json.loads(bursar("parallel", "check", "--remaining", "100000", "--json").out)["canParallel"] is True


def test_check_knows_the_session_of_the_project(bursar: Bursar, roadmap: Path) -> None:
    bursar("token", "init")
    bursar("token", "record", "50000", "phase-1")
    assert bursar("parallel", "check") == Said(
        0,
        f"{GROUP}Token budget: 150k remaining, need 100k for parallel group -> CAN_PROCEED\n",
        "139,999 tokens can still be reserved: the budget stops before its limit\n",
    )
    bursar("token", "reserve", "45000", "phase-2")
    said = bursar("parallel", "check", "--json")
    budget = json.loads(said.out)["tokenBudget"]
    assert (said.code, budget["remaining"], budget["available"], budget["limit"]) == (1, 105_000, 94_999, 200_000)
    assert budget["source"].startswith("session-")


def test_check_knows_the_budgets_of_the_settings(bursar: Bursar, roadmap: Path, place: Path, tmp_path: Path) -> None:
    """The one of which least is left decides; those over parts of a run, in USD, or that only warn do not."""
    (place / "bursar.toml").write_text(
        '[[budget]]\nname = "day"\nlimit = "60k tokens"\nperiod = "daily"\n'
        '[[budget]]\nname = "week"\nlimit = "90k tokens"\nperiod = "weekly"\n'
        '[[budget]]\nname = "part"\nlimit = "1k tokens"\nmatch = { phase = "2" }\n'
        '[[budget]]\nname = "money"\nlimit = "1 USD"\n'
        '[[budget]]\nname = "soft"\nlimit = "2k tokens"\non_limit = "warn"\n'
    )
    assert bursar("parallel", "check") == Said(
        1, f"{GROUP}Token budget: 60k remaining, need 100k for parallel group -> FALLBACK_SEQUENTIAL\n", ""
    )
    assert not (tmp_path / "state").exists()
    budget = json.loads(bursar("parallel", "check", "--json").out)["tokenBudget"]
    assert budget == {"limit": 60_000, "remaining": 60_000, "available": 60_000, "source": "day"}
    bursar("token", "init", "opus", "--max-tokens", "20000")
    assert "Token budget: 20k remaining" in bursar("parallel", "check").out
    bursar("token", "init", "opus")
    bursar("token", "record", "20000", "elsewhere")
    assert "Token budget: 40k remaining" in bursar("parallel", "check").out, "it is charged to the day as well"
    (place / "bursar.toml").write_text('[[budget]]\nname = "day"\nlimit = "x"\n')
    assert bursar("parallel", "check").code == 2


def test_check_changes_nothing(bursar: Bursar, roadmap: Path, tmp_path: Path) -> None:
    bursar("parallel", "check")
    assert not (tmp_path / "state").exists()
    snapshot = roadmap.with_name("token_budget.json")
    snapshot.write_text('{"max_tokens": 200000, "current_usage": 170000, "model": "opus"}')
    said = bursar("parallel", "check")
    assert "Token budget: 30k remaining, need 100k for parallel group -> FALLBACK_SEQUENTIAL\n" in said.out
    assert not (tmp_path / "state").exists()
    snapshot.write_text("{}")
    assert bursar("parallel", "check").code == 2


def test_check_without_fallback_blocks(bursar: Bursar, roadmap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_FALLBACK_TO_SEQUENTIAL", "false")
    said = bursar("parallel", "check", "--remaining", "60000")
    assert (said.code, said.out.splitlines()[1]) == (
        1, "Token budget: 60k remaining, need 100k for parallel group -> BLOCKED",
    )  # fmt: skip


def test_check_with_one_worker_is_sequential(bursar: Bursar, roadmap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_MAX_WORKERS", "1")
    said = bursar("parallel", "check", "--remaining", "500000", "--json")
    assert (said.code, said.err) == (1, "warning: MAX_WORKERS is 1: phases run one after the other\n")
    assert json.loads(said.out)["canParallel"] is False


def test_config_says_where_each_value_comes_from(
    bursar: Bursar, roadmap: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = bursar("parallel", "config")
    assert said.out.startswith(
        "MAX_WORKERS                 2       default\n"
        "MIN_TOKEN_BUDGET_PER_PHASE  50000   default\n"
        "FALLBACK_TO_SEQUENTIAL      true    default\n"
        "\nTo set them, write in bursar.toml"
    )
    (place / "bursar.toml").write_text("[parallel]\nmin_token_budget_per_phase = 70000\n")
    monkeypatch.setenv("BURSAR_MAX_WORKERS", "3")
    data = json.loads(bursar("parallel", "config", "--json").out)
    assert data == {
        "MAX_WORKERS": 3,
        "MIN_TOKEN_BUDGET_PER_PHASE": 70000,
        "FALLBACK_TO_SEQUENTIAL": True,
        "sources": {
            "MAX_WORKERS": "BURSAR_MAX_WORKERS",
            "MIN_TOKEN_BUDGET_PER_PHASE": str(place / "bursar.toml"),
            "FALLBACK_TO_SEQUENTIAL": "default",
        },
    }
    assert "need 140k for parallel group" in bursar("parallel", "check").out
    monkeypatch.setenv("BURSAR_MAX_WORKERS", "many")
    assert bursar("parallel", "config") == error("BURSAR_MAX_WORKERS must be a whole number from 1 to 64, not 'many'")


def test_simulate_by_the_roadmap(bursar: Bursar, roadmap: Path) -> None:
    expected = Said(
        0,
        "group 1: phase [1]: 20 min, 12,000 tokens\n"
        "group 2: phases [2, 3]: 20 min, 21,000 tokens\n"
        "group 3: phase [4]: 20 min, 10,000 tokens\n"
        "parallel:   60 min, 43,000 tokens, at most 2 at once\n"
        "sequential: 74 min, 43,000 tokens\n"
        "1.23 times as fast; the tokens are the same\n"
        "assumed: 7 min for each plan that the roadmap lists\n"
        "assumed: 20 min for a phase without plans (1, 3, 4)\n",
        "",
    )
    assert bursar("parallel", "simulate") == bursar("parallel", "simulate", "1:2,3:4") == expected


def test_simulate_groups_that_the_roadmap_does_not_allow(bursar: Bursar, roadmap: Path) -> None:
    said = bursar("parallel", "simulate", "1,2:3,4,9")
    assert said.code == 0
    assert said.out.startswith("group 1: phases [1, 2]: 20 min, 22,000 tokens\ngroup 2: phases [3, 4, 9]: 40 min, ")
    assert said.out.endswith("assumed: 10,000 tokens for a phase that no roadmap describes (9)\n")
    assert said.err == (
        "warning: phase 2 depends on phase 1, which would run with it or after it:"
        " `bursar parallel analyze` tells the groups\n"
        "warning: .planning/ROADMAP.md knows no phase 9: defaults are assumed\n"
    )


def test_simulate_without_any_roadmap(bursar: Bursar, place: Path) -> None:
    (place / ".git").mkdir()
    said = bursar("parallel", "simulate", "1,2:3,4", "--minutes", "7.5", "--tokens", "60000", "--json")
    data = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert data["groups"][0] == {
        "phases": [1, 2], "parallelMinutes": 7.5, "sequentialMinutes": 15.0, "tokens": 120000, "neededTokens": 100000,
    }  # fmt: skip
    assert data["parallel"] == {"minutes": 15.0, "tokens": 240000}
    assert data["sequential"] == {"minutes": 30.0, "tokens": 240000}
    assert (data["speedup"], data["maxWorkers"]) == (2.0, 2)
    assert data["phases"][3] == {"phase": 4, "minutes": 7.5, "minutesBy": "flag", "tokens": 60000, "tokensBy": "flag"}


GROUPS_HINT = 'write them like "1,2:3,4": first 1 and 2, then 3 and 4'


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("simulate", "1,x"), "groups of phases: `x` is no number of a phase", GROUPS_HINT),
        (("simulate", "1::2"), "groups of phases: a phase is missing", GROUPS_HINT),
        (("simulate", "1,2:01"), "groups of phases: phase 1 stands in it twice", GROUPS_HINT),
        (("simulate", "1", "--minutes", "0"),
         "--minutes must be a number over 0 in plain digits, like 20 or 7.5, not '0'", None),
        (("simulate", "1", "--tokens", "9k"), f"--tokens must be a whole number from 0 to {2**63 - 1}, not '9k'", None),
        (("check", "--remaining", "-5"), f"--remaining must be a whole number from 0 to {2**63 - 1}, not '-5'", None),
        (("check", "--remaining", "9k"), f"--remaining must be a whole number from 0 to {2**63 - 1}, not '9k'", None),
        (("execute", "--phases", "9"), ".planning/ROADMAP.md has no phase `9`", "it has 1, 2, 3, 4"),
        (("status",), "no run of a roadmap here yet", "bursar parallel execute"),
        (("status", "x"), "there is no run `x`", "bursar status --all"),
        ((), "the following arguments are required: ACTION", "bursar parallel --help"),
    ],
)  # fmt: skip
def test_wrong_arguments(
    bursar: Bursar, roadmap: Path, arguments: tuple[str, ...], message: str, hint: str | None
) -> None:
    assert bursar("parallel", *arguments) == error(message, hint)


@pytest.mark.parametrize("action", ["analyze", "check", "simulate"])
def test_roadmaps_that_cannot_be_used(bursar: Bursar, place: Path, action: str) -> None:
    (place / ".git").mkdir()
    assert bursar("parallel", action) == error(
        "there is no .planning/ROADMAP.md here or above",
        "cd into its project, or name its file at the end of the command",
    )
    flag = ("--roadmap",) if action == "simulate" else ()
    assert bursar("parallel", action, *flag, "none.md") == error("none.md:1:1: no such file", code=3)
    (place / "loop.md").write_text(
        "### Phase 1: A\n**Depends on**: Phase 2\n\n### Phase 2: B\n**Depends on**: Phase 1\n"
    )
    assert bursar("parallel", action, *flag, "loop.md") == error(
        "loop.md:1:1: phases wait for each other: 1 → 2 → 1", "take one of these out of a `Depends on` line", 3
    )


def test_warnings_about_the_roadmap_are_counted(bursar: Bursar, roadmap: Path) -> None:
    roadmap.write_text(ROADMAP.replace("Phases 2, 3", "Phases 2, 3, 17"))
    said = bursar("parallel", "analyze")
    assert said.err == f"1 warning about .planning/ROADMAP.md: bursar roadmap check .planning/ROADMAP.md\n{GROUP}"
