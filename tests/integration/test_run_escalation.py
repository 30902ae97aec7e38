"""After a failure a task goes to the next larger tier, as its settings say: what it is told, what it costs, and when
not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.clock import SystemClock
from bursar.history import Observation, open_history
from bursar.ledger import open_ledger
from bursar.money import NANO_PER_USD
from bursar.paths import HISTORY_FILE, LEDGER_FILE
from bursar.testing.script import Rule, Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, MODELS, Project, parallel, plan, settings, shell, task, trouble, write

TASK = "# Task 1:"
GOOD = (write("it.txt", "good\n"),)
BAD = (write("it.txt", "bad\n"),)
VERIFY = "grep -q good it.txt"
SMALL, MEDIUM, LARGE = "haiku", "sonnet", "opus"


def escalating(attempts: int = 3, more: str = "") -> str:
    return settings(routing=f"attempts = {attempts}\n{more}")


def by_model(**steps: tuple[Step, ...]) -> Script:
    return Script(rules=tuple(Rule(marker=TASK, model=model, steps=each) for model, each in steps.items()))


def one_task(attributes: str = 'estimated-complexity="2"', metrics: str = "") -> str:
    return plan(task("It", attributes, files="it.txt", verify=VERIFY, metrics=metrics))


def models_of(project_calls: tuple[object, ...]) -> list[str]:
    """Which models were asked, each once, in the order of their first call."""
    return list(dict.fromkeys(str(getattr(call, "model", "")) for call in project_calls))


def test_a_failed_verify_goes_one_tier_up_until_it_passes(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=BAD, opus=GOOD), escalating())
    ended = project.run()
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"], MODELS["large"]]
    lines = ended.err.splitlines()
    failed, moved = (next(line for line in lines if mark in line) for mark in ("✗ 1", "↻ 1"))
    assert " · failed: verify command failed (exit code 1): " in failed
    assert moved.endswith(f"It · goes to {MODELS['medium']}, one tier up"), "why stands in the line above"
    assert project.subjects[0] == "feat(08-02): It"
    assert (project.repo / "it.txt").read_text() == "good\n"
    assert project.bill == ended.metered
    project.assert_tidy()


def test_the_next_attempt_is_told_the_verdict_and_the_change_and_not_the_conversation(
    make_project: MakeProject,
) -> None:
    said = "I am sure that this is what was wanted."
    failing = (write("it.txt", "bad\n"), Step(text=said))
    verify = "grep good it.txt || (echo no good in it.txt; exit 1)"
    text = plan(task("It", 'estimated-complexity="2"', files="it.txt", verify=verify))
    project = make_project(text, by_model(haiku=failing, sonnet=GOOD), escalating())
    assert project.run().code == 0
    first, second = (prompt.read_text() for prompt in sorted(project.state.glob("runs/*/attempts/1-*/prompt*")))
    assert "What went wrong before" not in first
    assert "no good in it.txt" in second
    assert "+bad" in second
    assert MODELS["small"] in second
    assert said not in second


def test_what_went_wrong_is_told_by_a_later_conductor_too(make_project: MakeProject) -> None:
    """The second attempt is cut off: the third goes on with its changes, and is told what the first one failed at."""
    begun = (write("it.txt", "begun\n"), Step(text="x", wait_for="gate"))
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=begun), escalating())
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    assert project.bursar("stop").code == 0
    assert run.end().code == 5
    project.server.script = by_model(sonnet=GOOD)
    again = project.bursar("resume", "--trust")
    assert again.code == 0, again.err
    (path,) = project.state.glob("runs/*/attempts/1-3/prompt.md")
    prompt = path.read_text()
    assert "claude-haiku-4-5 has tried this task before you and failed: verify command failed" in prompt
    assert "+bad" in prompt
    assert "## What is there already\nAn earlier attempt" in prompt
    project.assert_tidy()


def test_by_default_a_failed_task_goes_up_the_tiers_and_each_step_is_told_with_what_it_cost(
    make_project: MakeProject,
) -> None:
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=BAD, opus=GOOD), settings(routing=""))
    ended = project.run()
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"], MODELS["large"]]
    attempts = project.report["tasks"][0]["attempts"]
    assert [each["state"] for each in attempts] == ["failed", "failed", "succeeded"]
    assert all(each["cost_nano_usd"] > 0 for each in attempts)
    lines = ended.err.splitlines()
    told = [(line, lines[at - 1]) for at, line in enumerate(lines) if "one tier up" in line]
    for (_, before), attempt in zip(told, attempts[:2], strict=True):
        assert f"✗ 1  It · {attempt['metered_tokens']:,} tokens · " in before
    lost = sum(each["metered_tokens"] for each in attempts[:2])
    assert f"of that in 2 failed attempts: {lost:,} tokens, " in ended.out


def test_a_tasks_own_budget_binds_all_of_its_attempts(make_project: MakeProject) -> None:
    """Two failed attempts take 2 calls each; the third is stopped after its first, or its second that is in flight."""
    budget = f"<token-budget>{4 * CALL_TOKENS + 1}</token-budget>"
    slow = (shell("echo 0"), Step(text="x", wait_for="never"), *GOOD)
    project = make_project(one_task(metrics=budget), by_model(haiku=BAD, sonnet=BAD, opus=slow), settings(routing=""))
    ended = project.run()
    assert ended.code == 4, ended.err
    assert project.states == {"1": "stopped"}
    assert [each["state"] for each in project.report["tasks"][0]["attempts"]] == ["failed", "failed", "stopped"]
    assert project.bill <= 6 * CALL_TOKENS


def test_an_agents_failure_goes_one_tier_up(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=(trouble("exit=3"), *GOOD), sonnet=GOOD), escalating())
    ended = project.run()
    assert ended.code == 0, ended.err
    assert "failed: the agent ended with exit code 3" in ended.err
    assert "one tier up" in ended.err


def test_the_largest_tier_is_the_last(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=BAD, opus=BAD), escalating(attempts=9))
    ended = project.run()
    assert ended.code == 1
    assert project.states == {"1": "failed"}
    assert len(models_of(project.calls)) == 3
    assert project.bill == ended.metered
    run = project.report["run"]
    assert f"bursar/{run}/1/3" in project.git("branch", "--format=%(refname:short)").splitlines()


def test_no_more_attempts_than_the_settings_allow(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=BAD, opus=GOOD), escalating(attempts=2))
    assert project.run().code == 1
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"]]


def test_a_later_run_goes_on_above_the_tier_that_failed(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=BAD, sonnet=BAD, opus=GOOD), escalating(attempts=2))
    assert project.run().code == 1
    assert project.run().code == 0
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"], MODELS["large"]]


def test_a_model_that_the_plan_names_in_full_stays(make_project: MakeProject) -> None:
    project = make_project(one_task('model="claude-haiku-4-5"'), by_model(haiku=BAD, sonnet=GOOD), escalating())
    assert project.run().code == 1
    assert models_of(project.calls) == [MODELS["small"]]


def test_a_model_that_the_plan_names_in_full_is_left_where_the_settings_let_it(make_project: MakeProject) -> None:
    toml = settings(routing="escalate_named = true")
    project = make_project(one_task('model="claude-haiku-4-5"'), by_model(haiku=BAD, sonnet=GOOD), toml)
    ended = project.run()
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"]]
    assert "one tier up" in ended.err


def test_a_familys_name_in_the_plan_is_a_tier_to_begin_with(make_project: MakeProject) -> None:
    project = make_project(one_task('model="sonnet"'), by_model(sonnet=BAD, opus=GOOD), settings(routing=""))
    assert project.run().code == 0
    assert models_of(project.calls) == [MODELS["medium"], MODELS["large"]]


def test_tiers_with_one_model_are_one_tier(make_project: MakeProject) -> None:
    models = {"small": "claude-haiku-4-5", "medium": "claude-haiku-4-5", "large": "claude-opus-4-5"}
    toml = settings(models, routing="attempts = 3")
    project = make_project(one_task(), by_model(haiku=BAD, opus=GOOD), toml)
    assert project.run().code == 0
    assert models_of(project.calls) == ["claude-haiku-4-5", "claude-opus-4-5"]


def test_a_cap_sends_the_task_up_and_other_limits_do_not(make_project: MakeProject) -> None:
    """The small model goes round and round; what it may use is used up, and the next one has its own."""
    rounds = tuple(shell(f"echo {number}") for number in range(12))
    capped = escalating(more='attempt_cap = "5k tokens"\n')
    project = make_project(one_task(), by_model(haiku=rounds, sonnet=GOOD), capped)
    ended = project.run()
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["small"], MODELS["medium"]]
    assert project.bill == project.charged
    limited = make_project(one_task(), by_model(haiku=rounds, sonnet=GOOD), escalating())
    assert limited.run("--budget", "5k tokens").code == 4
    assert models_of(limited.calls) == [MODELS["small"]]


def test_a_task_that_would_take_too_much_of_what_remains_begins_one_tier_down(make_project: MakeProject) -> None:
    """50,000 tokens of the large model are more than 15 % of 1.60 USD at list price, of the medium one less."""
    toml = settings(routing="downgrade = true")
    project = make_project(one_task('estimated-complexity="9"'), by_model(sonnet=GOOD, opus=GOOD), toml)
    ended = project.run("--budget", "1.6 USD")
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["medium"]]
    assert f"goes to {MODELS['medium']}, one tier down" in ended.err


def test_a_task_that_is_denied_for_dollars_goes_one_tier_down(make_project: MakeProject) -> None:
    """Its estimate fits the budget at the medium model's price only; without the setting it is not started."""
    text = one_task('estimated-complexity="9"', metrics="<estimated-tokens>20000-50000</estimated-tokens>")
    for more, models in (("downgrade = true\n", [MODELS["medium"]]), ("", [])):
        toml = settings(routing=more)
        project = make_project(text, by_model(sonnet=GOOD, opus=GOOD), toml)
        ended = project.run("--budget", "0.25 USD")
        assert (ended.code == 0) == bool(models), ended.err
        assert models_of(project.calls) == models


def test_a_rate_limit_hands_the_task_to_another_agent(make_project: MakeProject, tmp_path: Path) -> None:
    """The other agent is a Claude Code that is not there: that it was asked for is what is seen."""
    toml = escalating(more='failover = ["claude"]\n') + '[agents.claude]\nprogram = "/nonexistent/claude"\n'
    answers = Script(rules=(Rule(marker=TASK, steps=(Step(status=429, text="rate_limit_error"),)),))
    project = make_project(one_task(), answers, toml)
    ended = project.run()
    assert ended.code == 1
    assert "goes to agent claude: command is rate limited" in ended.err
    assert "/nonexistent/claude" in ended.err


def test_another_agent_is_billed_as_its_own_settings_say(make_project: MakeProject) -> None:
    """Dollars of the subscription that it takes over from are not real, its own are: they count."""
    toml = escalating(more='failover = ["claude"]\n').replace(
        "[agents.command]\n", '[agents.command]\nlane = "subscription"\n'
    )
    toml += '[agents.claude]\nprogram = "/nonexistent/claude"\nlane = "api"\n'
    answers = Script(rules=(Rule(marker=TASK, steps=(Step(status=429, text="rate_limit_error"),)),))
    project = make_project(one_task(), answers, toml)
    assert project.run().code == 1
    held = open_ledger(project.state / LEDGER_FILE, SystemClock()).reservations({})
    assert {(each.labels["agent"], each.labels["lane"]) for each in held} == {
        ("command", "subscription"),
        ("claude", "api"),
    }


def remember(project: Project, model: str, outcome: str, cents: float, count: int) -> None:
    """The history knows of attempts of that model."""
    history = open_history(project.state / HISTORY_FILE)
    history.record_all(
        [
            Observation(
                key=f"earlier/{model}-{outcome}-{number}/1", at="2026-01-01T00:00:00+00:00", project="other",
                plan_id="01-01", task="1", subagent="", complexity=None, agent="command", model=model, outcome=outcome,
                tokens=1000, nano_usd=round(cents * NANO_PER_USD / 100), calls=2, wall_seconds=1.0,
            )
            for number in range(count)
        ]
    )  # fmt: skip
    history.close()


AUTO = settings(routing='value = "2 USD"')
LEARNED = settings(routing='policy = "learned"\nvalue = "2 USD"')


@pytest.mark.parametrize(
    ("toml", "count", "model"),
    [
        (AUTO, 5, MODELS["small"]),
        (AUTO, 20, MODELS["medium"]),
        (LEARNED, 5, MODELS["medium"]),
        (settings(routing='policy = "rules"'), 20, MODELS["small"]),
    ],
    ids=["little is known", "enough is known", "learned always", "rules always"],
)
def test_what_was_learned_chooses_once_enough_is_known_unless_the_settings_say_who(
    make_project: MakeProject, toml: str, count: int, model: str
) -> None:
    """The rules would begin with the small model, which has only ever failed."""
    project = make_project(one_task(), by_model(haiku=GOOD, sonnet=GOOD, opus=GOOD), toml)
    project.state.mkdir()
    remember(project, MODELS["small"], "failed", 50, count)
    remember(project, MODELS["medium"], "succeeded", 10, count)
    remember(project, MODELS["large"], "succeeded", 90, 1)
    ended = project.run()
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [model]
    assert ("routes learned from" in ended.err) is (model == MODELS["medium"])


def test_what_was_learned_says_when_no_attempt_is_worth_its_price(make_project: MakeProject) -> None:
    """The medium model fails; the large one has cost more than the task is worth."""
    project = make_project(one_task(), by_model(sonnet=BAD, opus=GOOD), LEARNED)
    project.state.mkdir()
    remember(project, MODELS["small"], "failed", 150, 20)
    remember(project, MODELS["medium"], "succeeded", 10, 20)
    remember(project, MODELS["large"], "failed", 900, 20)
    assert project.run().code == 1
    assert models_of(project.calls) == [MODELS["medium"]]


def test_where_money_is_short_every_task_gets_a_cheap_try_before_one_gets_a_second(make_project: MakeProject) -> None:
    """Three cheap attempts can be paid for, or one of them and a dear one: task 1 fails, and 2 and 3 are done."""
    names = ("One", "Two", "Three")
    tasks = [parallel(name, files=f"{name}.txt", verify=f"grep -q good {name}.txt") for name in names]
    rules = [
        Rule(marker=f"# Task {at}:", model=model, steps=(write(f"{name}.txt", text),))
        for at, name in enumerate(names, 1)
        for model, text in (("haiku", "bad\n" if at == 1 else "good\n"), ("sonnet", "good\n"), ("opus", "good\n"))
    ]
    project = make_project(plan(*tasks), Script(rules=tuple(rules)), settings(run="max_parallel = 1", routing=""))
    project.state.mkdir()
    for model, outcome, cents, count in (
        (MODELS["small"], "succeeded", 0.26, 12),
        (MODELS["small"], "failed", 0.26, 8),
        (MODELS["medium"], "succeeded", 0.78, 12),
    ):
        remember(project, model, outcome, cents, count)
    ended = project.run("--budget", "0.011 USD")
    assert ended.code == 4, ended.err
    assert project.states == {"1": "stopped", "2": "merged", "3": "merged"}, ended.err
    report = project.report
    assert [[each["model"] for each in task["attempts"]] for task in report["tasks"]] == [[MODELS["small"]]] * 3
    project.assert_tidy()


def test_what_an_attempt_of_the_run_came_to_chooses_the_next_tasks_route(make_project: MakeProject) -> None:
    """29 attempts are known, so the rules begin; with the first one of the run what was learned takes over."""
    tasks = [task(name, 'estimated-complexity="2"', files="it.txt") for name in ("One", "Two")]
    rules = tuple(Rule(marker=f"# Task {at}:", steps=(write("it.txt", f"{at}\n"),)) for at in (1, 2))
    project = make_project(plan(*tasks), Script(rules=rules), AUTO)
    project.state.mkdir()
    remember(project, MODELS["small"], "failed", 50, 15)
    remember(project, MODELS["medium"], "succeeded", 10, 14)
    ended = project.run()
    assert ended.code == 0, ended.err
    models = [task["attempts"][0]["model"] for task in project.report["tasks"]]
    assert models == [MODELS["small"], MODELS["medium"]]
