"""Runs under budgets of the settings and of flags: what they stop, what they only say, and that all are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bursar.clock import SystemClock
from bursar.journal import open_journal
from bursar.testing.script import Step
from bursar.usage import Usage
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    MODELS,
    PLAN,
    Project,
    parallel,
    plan,
    script,
    settings,
    shell,
    slug,
    task,
    usage,
    write,
)
from tests.unit.logs.transcripts import encode, line

CALL = 10_000
MONTH_WITH_LOGS = '\n[[budget]]\nname = "month"\nlimit = "60k tokens"\nperiod = "monthly"\ninclude_logs = true\n'
DAILY = '\n[[budget]]\nname = "daily"\nlimit = "35k tokens"\nperiod = "daily"\n'


def two_calls(name: str) -> list[Step]:
    """A task of two calls, which add up to 20,000 tokens or 0.084 USD."""
    return [write(f"{slug(name)}.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]


def endless() -> list[Step]:
    """A task whose first call uses 20,000 tokens and asks for a command that never ends."""
    return [shell("exec sleep 600", usage=usage(2 * CALL))]


def two_tasks(make_project: MakeProject, toml: str = "", *, hangs: bool = False) -> Project:
    answers = script({1: two_calls("One"), 2: endless() if hangs else two_calls("Two")})
    return make_project(plan(task("One"), task("Two")), answers, settings() + toml)


def budgets(project: Project) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in project.report["budgets"]}


def test_a_budget_of_the_settings_stops_a_run(make_project: MakeProject) -> None:
    project = two_tasks(make_project, DAILY, hangs=True)
    ended = project.run()
    assert ended.code == 4
    assert ended.err.splitlines()[0].endswith(" · budget daily")
    assert "budget daily reached its limit of 35,000 tokens" in ended.out
    assert project.states["1"] == "merged"
    assert project.states["2"] == "stopped"
    daily = budgets(project)["daily"]
    assert (daily["limit"], daily["spent"], daily["on_limit"], daily["period"]) == (35_000, 40_000, "block", "daily")
    (listed,) = [each for each in json.loads(project.bursar("budget", "list", "--json").out) if each["name"] == "daily"]
    assert (listed["spent"], listed["reserved"], listed["available"]) == (40_000, 0, 0)

    again = project.run()  # nothing is left of the day: not one call more
    assert (again.code, project.bill) == (4, 40_000)
    assert "budget daily has no room for it" in again.err
    project.assert_tidy()


def test_budgets_of_a_day_hold_over_runs(make_project: MakeProject) -> None:
    project = two_tasks(make_project, DAILY.replace("35k", "50k"))
    assert project.run().code == 0
    other = PLAN.replace("08-02", "08-03")
    project.commit({other: plan(task("Three")).replace("plan: 02", "plan: 03")}, "another plan")
    project.server.script = script({1: endless()})
    ended = project.bursar("run", other, "--trust", "--budget", "1M tokens")
    assert ended.code == 4
    assert "daily" in ended.err
    assert {"daily"} < set(budgets(project))


def test_a_budget_that_warns_says_so_and_goes_on(make_project: MakeProject) -> None:
    project = two_tasks(make_project, DAILY + 'on_limit = "warn"\n')
    ended = project.run("--budget", "100k tokens")
    assert ended.code == 0
    assert "critical: budget `daily` is past its limit of 35,000 tokens by " in ended.err
    assert "budget daily was passed by 5,000 tokens" in ended.out
    shown = budgets(project)
    assert [name.split("-")[0] for name in shown] == ["run", "daily"]
    assert {each["spent"] for each in shown.values()} == {40_000}
    assert "daily" in {each["budget"] for each in project.report["alerts"]}
    fired = json.loads(project.bursar("budget", "alerts", "--json").out)
    assert {each["budget"] for each in fired} == {"daily"}
    assert set(fired[0]) == {"budget", "threshold", "level", "at"}
    project.assert_tidy()


def test_a_selector_counts_only_its_own(make_project: MakeProject) -> None:
    toml = (
        '\n[[budget]]\nname = "second"\nlimit = "1M tokens"\nmatch = { task = "2" }\n'
        '\n[[budget]]\nname = "elsewhere"\nlimit = "1 tokens"\nmatch = { phase = "other" }\n'
        '\n[[budget]]\nname = "sonnet"\nlimit = "1M tokens"\nmatch = { model = "claude-sonnet-4-5" }\n'
        '\n[[budget]]\nname = "here"\nlimit = "9 USD"\nmatch = { phase = "08-features" }\n'
    )
    project = two_tasks(make_project, toml)
    assert project.run().code == 0
    spent = {name: each["spent"] for name, each in budgets(project).items()}
    assert spent == {"second": 20_000, "sonnet": 40_000, "here": 4 * 42_000_000}
    project.assert_tidy()


def test_dollars_of_a_subscription_charge_nothing_and_it_is_said(make_project: MakeProject) -> None:
    toml = settings().replace("[agents.command]\n", '[agents.command]\nlane = "subscription"\n')
    answers = script({1: two_calls("One")})
    project = make_project(plan(task("One")), answers, toml + '\n[[budget]]\nname = "money"\nlimit = "0.01 USD"\n')
    ended = project.run()
    assert ended.code == 0, ended.err
    assert "1 operation on a subscription: their dollars are not real" in ended.out
    money = budgets(project)["money"]
    assert (money["spent"], money["subscription_operations"]) == (0, 1)
    api = make_project(
        plan(task("One")), script({1: endless()}), settings() + '\n[[budget]]\nname = "money"\nlimit = "0.01 USD"\n'
    )
    assert api.run().code == 4


def test_flags_warn_by_default(make_project: MakeProject) -> None:
    project = two_tasks(make_project)
    ended = project.run("--overall-token-budget", "15000", "--overall-cost-budget", "0.05")
    assert ended.code == 0
    run = project.report["run"]
    shown = budgets(project)
    assert {name: (each["limit"], each["on_limit"]) for name, each in shown.items()} == {
        f"run-{run}/overall-tokens": (15_000, "warn"),
        f"run-{run}/overall-cost": (50_000_000, "warn"),
    }
    assert f"budget `run-{run}/overall-tokens` is past its limit of 15,000 tokens" in ended.err
    assert f"budget `run-{run}/overall-cost` is past its limit of 0.05 USD" in ended.err
    project.assert_tidy()


def test_flags_block_where_they_are_told_to(make_project: MakeProject) -> None:
    project = two_tasks(make_project, hangs=True)
    ended = project.run("--overall-token-budget", "35k", "--budget-enforcement-mode", "block")
    assert ended.code == 4
    assert f"budget run-{project.report['run']}/overall-tokens reached its limit of 35,000 tokens" in ended.out
    assert project.bill == 4 * CALL
    project.server.script = script({2: two_calls("Two")})
    again = project.bursar("resume", "--trust", "--overall-token-budget", "100k")
    assert again.code == 0, again.err
    project.assert_tidy()


def test_a_limit_that_is_raised_blocks_as_the_old_one_did(make_project: MakeProject) -> None:
    """It did not: the flag without its mode made a budget that blocked into one that only warned."""
    project = two_tasks(make_project, hangs=True)
    assert project.run("--overall-token-budget", "35k", "--budget-enforcement-mode", "block").code == 4
    raised = project.bursar("resume", "--trust", "--overall-token-budget", "55k")
    assert raised.code == 4, raised.err
    assert [each["on_limit"] for each in project.report["budgets"]] == ["block"]
    project.server.script = script({2: two_calls("Two")})
    warned = project.bursar("resume", "--trust", "--overall-token-budget=56k", "--budget-enforcement-mode", "warn")
    assert warned.code == 0, warned.err
    project.assert_tidy()


@pytest.mark.parametrize(("mode", "code"), [("warn", 0), ("block", 4)])
def test_a_budget_of_a_command_is_about_its_tasks_alone(make_project: MakeProject, mode: str, code: int) -> None:
    tested = parallel("One").replace("Write what is due for One.", "/test what is due for One, with care")
    answers = script({1: two_calls("One") if code == 0 else endless(), 2: two_calls("Two")})
    project = make_project(plan(tested, parallel("Two")), answers)
    ended = project.run(
        "--command-budget", "/test=5000", "--command-budget=/other=1", "--budget-enforcement-mode", mode
    )
    assert ended.code == code
    assert project.states["2"] == "merged"
    assert project.states["1"] == ("merged" if code == 0 else "stopped")
    name = f"run-{project.report['run']}/command/test"
    spent = budgets(project)[name]["spent"]
    assert spent == project.report["tasks"][0]["metered_tokens"] + project.report["tasks"][0]["unknown_outcome_tokens"]
    assert f"budget `{name}` is past its limit of 5,000 tokens" in ended.err
    assert "warning: no task's action begins with /other, so its budget limits nothing\n" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--overall-token-budget", "0"], "--overall-token-budget: the limit `0 tokens` allows nothing"),
        (["--overall-token-budget", "3.9e5"], "--overall-token-budget: the limit `3.9e5` "),
        (["--overall-token-budget", "1_000"], "--overall-token-budget: the limit `1_000` "),
        (["--overall-token-budget", "NaN"], "--overall-token-budget: the limit `NaN` "),
        (["--overall-token-budget=-5"], "--overall-token-budget: the limit `-5` "),
        (["--overall-token-budget", "5 USD"], "--overall-token-budget: the limit `5 USD` is not in tokens"),
        (["--overall-cost-budget", "5k"], "--overall-cost-budget: the limit `5k USD` has `k`"),
        (["--overall-cost-budget", "5 tokens"], "--overall-cost-budget: the limit `5 tokens` is not in USD"),
        (["--command-budget", "/test"], "--command-budget takes /NAME=N, not '/test'"),
        (["--command-budget", "test=5"], "--command-budget takes /NAME=N, not 'test=5'"),
        (["--command-budget", "/=5"], "--command-budget takes /NAME=N, not '/=5'"),
        (["--command-budget", "/te st=5"], "--command-budget takes /NAME=N, not '/te st=5'"),
        (["--budget-enforcement-mode", "block"], "--budget-enforcement-mode is about the limits of other flags"),
        (["--command-budget", "/a=5", "--command-budget", "/a=6"], "--command-budget stands there twice for command/a"),
        (["--budget-enforcement-mode", "ask"], "argument --budget-enforcement-mode: invalid choice: 'ask'"),
    ],
)
def test_wrong_flags_change_nothing(make_project: MakeProject, arguments: list[str], words: str) -> None:
    project = make_project(plan(task("One")), script({}))
    ended = project.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {words}")
    assert not project.state.exists()


def test_wrong_settings_change_nothing(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({}), settings() + '\n[[budget]]\nname = "a"\nlimit = "5"\n')
    ended = project.run("--budget", "1M tokens")
    assert (ended.code, ended.out) == (2, "")
    assert "budget `a`: `limit`: the limit `5` has no unit" in ended.err
    assert not project.state.exists()


@pytest.mark.parametrize(("counts", "limit", "spent"), [("output", "3.5k", 4_000), ("fresh", "35k", 40_000)])
def test_a_budget_of_some_tokens_does_not_stop_the_others(
    make_project: MakeProject, counts: str, limit: str, spent: int
) -> None:
    """Calls of 100,000 tokens each; 90,000 are read from the cache, 9,000 are fresh input, 1,000 output."""
    call = Usage(input_tokens=9_000, cache_read_tokens=90_000, output_tokens=1_000)
    steps = [*[shell("true", usage=call) for _ in range(3)], shell("exec sleep 600", usage=call)]
    toml = f'\n[[budget]]\nname = "some"\nlimit = "{limit} tokens"\ncounts = "{counts}"\n'
    project = make_project(plan(task("One")), script({1: steps}), settings() + toml)
    ended = project.run()
    assert ended.code == 4, ended.err
    assert project.bill == ended.metered == 400_000
    assert budgets(project)["some"]["spent"] == spent
    assert "budget some reached its limit of" in project.note("1")
    project.assert_tidy()


def test_an_unknown_price_under_a_budget_in_usd(make_project: MakeProject) -> None:
    """It is refused by name, unless the budget allows it; then it is granted, and shown as left out."""
    unpriced = settings({**MODELS, "medium": "my-own-model"})
    money = '\n[[budget]]\nname = "money"\nlimit = "0.01 USD"\n'
    refused = make_project(plan(task("One")), script({}), unpriced + money)
    ended = refused.run()
    assert (ended.code, refused.bill) == (4, 0)
    assert "not started: budget money refuses a cost that is unknown" in ended.err

    answers = script({1: two_calls("One")})
    allowed = make_project(plan(task("One")), answers, unpriced + money + "allow_unknown_price = true\n")
    ended = allowed.run("--budget", "1M tokens")
    assert ended.code == 0, ended.err
    assert "(without 1 operation of unknown cost)" in ended.out
    shown = budgets(allowed)["money"]
    assert (shown["spent"], shown["unpriced_operations"]) == (0, 1)
    allowed.assert_tidy()


def test_a_price_by_the_users_word_counts(make_project: MakeProject) -> None:
    """A model that no list knows is metered in dollars, to the nano-USD."""
    toml = settings({**MODELS, "medium": "my-own-model"}) + '\n[[budget]]\nname = "money"\nlimit = "9 USD"\n'
    toml += '\n[[price]]\nmodel = "my-own-model"\nlike = "claude-sonnet-4-5"\noutput = "100 USD"\n'
    project = make_project(plan(task("One")), script({1: two_calls("One")}), toml)
    ended = project.run("--budget", "1M tokens")
    assert ended.code == 0, ended.err
    shown = budgets(project)["money"]
    assert (shown["spent"], shown["unpriced_operations"]) == (254_000_000, 0)  # 18,000 in at 3, 2,000 out at 100
    project.assert_tidy()


def test_a_budget_that_includes_logs_counts_what_a_person_did(make_project: MakeProject) -> None:
    """30,000 of 60,000 tokens are used by hand; what bursar used itself is in an agent's log, too, and counts once."""
    project = two_tasks(make_project, MONTH_WITH_LOGS, hangs=True)
    write_log(project, "by-hand", {"by-hand": 30_000})
    ended = project.run()
    assert (ended.code, project.states["1"], project.states["2"]) == (4, "merged", "stopped")
    spent = budgets(project)["month"]["spent"]
    assert spent == 30_000 + project.bill

    journal = open_journal(project.state / "journal.db")
    sessions = journal.session_ids()
    journal.close()
    assert len(sessions) == 2
    write_log(project, "bursars-own", dict.fromkeys(sessions, 20_000))
    write_log(project, "more-by-hand", {"more": 5_000})
    billed = project.bill
    again = project.run()
    assert (again.code, project.bill) == (4, billed)
    assert "budget month has no room for it" in again.err
    assert budgets(project)["month"]["spent"] == spent + 5_000
    project.assert_tidy()


def write_log(project: Project, name: str, tokens: Mapping[str, int]) -> None:
    """A transcript of Claude Code in the user's home, with one call in each session."""
    now = SystemClock().now().isoformat(timespec="milliseconds")
    lines = [
        line(session, "r", now, sessionId=session, cwd=str(project.repo), usage={"input_tokens": count})
        for session, count in tokens.items()
    ]
    path = project.folder / "home" / ".claude" / "projects" / "-repo" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(*lines))


def fast_run(make_project: MakeProject, toml: str = "") -> Project:
    """A task of two calls, one of them served fast."""
    steps = [write("one.txt", usage=usage(CALL), speed="fast"), Step(text="done", usage=usage(CALL))]
    return make_project(plan(task("One")), script({1: steps}), settings() + toml)


def test_a_fast_call_costs_what_is_stated_for_it(make_project: MakeProject) -> None:
    usual = fast_run(make_project)
    ended = usual.run()
    assert ended.code == 0
    assert "no price of claude-sonnet-4-5 is known for the service tier `fast`" in ended.out
    assert usual.report["tasks"][0]["attempts"][0]["remarks"] != []
    model = MODELS["medium"]
    dear = f'\n[[price]]\nmodel = "{model}"\nservice_tier = "fast"\ninput = "18 USD"\noutput = "90 USD"\n'
    stated = fast_run(make_project, dear + 'cache_read = "1.8 USD"\ncache_write_5m = "22.5 USD"\n')
    ended = stated.run()
    assert "service tier" not in ended.out
    assert (
        stated.report["cost_nano_usd"] == 7 * usual.report["cost_nano_usd"] // 2
    )  # one of two costs six times as much
