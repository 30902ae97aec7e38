"""After a failure a task goes to the next larger tier, as its settings say: what it is told, what it costs, and when
not.
"""

from __future__ import annotations

from pathlib import Path

from bursar.testing.script import Rule, Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import MODELS, plan, settings, shell, task, trouble, write

TASK = "# Task 1:"
GOOD = (write("it.txt", "good\n"),)
BAD = (write("it.txt", "bad\n"),)
VERIFY = "grep -q good it.txt"
SMALL, MEDIUM, LARGE = "haiku", "sonnet", "opus"


def escalating(attempts: int = 3, more: str = "") -> str:
    return settings() + f"[routing]\nattempts = {attempts}\n{more}"


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
    assert f"goes to {MODELS['medium']}, one tier up: verify command failed" in ended.err
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


def test_an_agents_failure_goes_one_tier_up(make_project: MakeProject) -> None:
    project = make_project(one_task(), by_model(haiku=(trouble("exit=3"), *GOOD), sonnet=GOOD), escalating())
    ended = project.run()
    assert ended.code == 0, ended.err
    assert "one tier up: the agent ended with exit code 3" in ended.err


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


def test_tiers_with_one_model_are_one_tier(make_project: MakeProject) -> None:
    models = {"small": "claude-haiku-4-5", "medium": "claude-haiku-4-5", "large": "claude-opus-4-5"}
    toml = settings(models) + "[routing]\nattempts = 3\n"
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
    toml = settings() + "[routing]\ndowngrade = true\n"
    project = make_project(one_task('estimated-complexity="9"'), by_model(sonnet=GOOD, opus=GOOD), toml)
    ended = project.run("--budget", "1.6 USD")
    assert ended.code == 0, ended.err
    assert models_of(project.calls) == [MODELS["medium"]]
    assert f"goes to {MODELS['medium']}, one tier down" in ended.err


def test_a_task_that_is_denied_for_dollars_goes_one_tier_down(make_project: MakeProject) -> None:
    """Its estimate fits the budget at the medium model's price only; without the setting it is not started."""
    text = one_task('estimated-complexity="9"', metrics="<estimated-tokens>20000-50000</estimated-tokens>")
    for more, models in (("downgrade = true\n", [MODELS["medium"]]), ("", [])):
        toml = settings() + f"[routing]\n{more}"
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
