"""`bursar.toml` and the environment: what is taken, and what is refused with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.config import AgentSettings, RoutingTable, RunTable, Settings, build_agent, load_settings
from bursar.errors import UserError

GOOD = """
[run]
agent = "command"
max_parallel = 3
default_hold = "20k tokens"
attempt_minutes = 5
[agents.command]
argv = ["my-agent", "{prompt}"]
models = { small = "m-1" }
[agents.claude]
nested = true
"""


def load(folder: Path, text: str | bytes, **environment: str) -> Settings:
    content = text.encode() if isinstance(text, str) else text
    (folder / "bursar.toml").write_bytes(content)
    return load_settings(folder, environment)


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()
    assert load(tmp_path, "") == Settings()


def test_what_the_file_says(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert settings.run == RunTable(agent="command", max_parallel=3, default_hold="20k tokens", attempt_minutes=5.0)
    assert settings.agents["command"].models == {"small": "m-1"}
    assert settings.agents["claude"].nested


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD, BURSAR_AGENT="claude", BURSAR_CLAUDE="/opt/claude")
    assert settings.run.agent == "claude"
    assert settings.agents["claude"] == AgentSettings(program="/opt/claude", nested=True)
    assert load(tmp_path, GOOD, BURSAR_AGENT="", BURSAR_CLAUDE="") == load(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\nparallel = 3", "parallel"),
        ("[runs]", "runs"),
        ("[agents.claude]\nprogramm = 'x'", "programm"),
        ("[run]\nmax_parallel = 0", "from 1 to 64"),
        ("[run]\nmax_parallel = 65", "from 1 to 64"),
        ("[run]\nmax_parallel = '5'", "Expected `int`"),
        ("[run]\nmax_parallel = true", "Expected `int`"),
        ("[run]\nattempt_minutes = 0", "more than 0"),
        ("[run]\nattempt_minutes = nan", "more than 0"),
        ("[run]\nattempt_minutes = inf", "at most a week"),
        ("[run]\nverify_minutes = -1", "verify_minutes"),
        ("[agents.claude.models]\nhuge = 'x'", "small, medium and large, not huge"),
        ("[agents]\nclaude = 1", "Expected `object`"),
        ("[run", "Expected ']'"),
        ("[run]\nagent = 'a'\nagent = 'b'", "Cannot overwrite"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a = '\x00'", "line 1"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(UserError) as refused:
        load(tmp_path, text)
    assert str(tmp_path / "bursar.toml") in refused.value.message
    assert words in refused.value.message


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bursar.toml").mkdir()
    with pytest.raises(UserError, match=r"bursar\.toml"):
        load_settings(tmp_path, {})


def test_the_digest_changes_with_every_program_and_with_nothing_else(tmp_path: Path) -> None:
    assert load(tmp_path, "[run]\nmax_parallel = 3").digest() == ""
    one = load(tmp_path, GOOD)
    assert one.digest() == load(tmp_path, GOOD.replace("max_parallel = 3", "max_parallel = 4")).digest()
    others = [GOOD.replace("my-agent", "other"), GOOD.replace("{prompt}", "x"), GOOD.replace("m-1", "m-2")]
    assert len({one.digest(), *(load(tmp_path, other).digest() for other in others)}) == 4


def test_what_would_be_run_is_listed_for_people(tmp_path: Path) -> None:
    text = '[agents.command]\nargv = ["a b", "$(x)"]\n[agents.claude]\nprogram = "/opt/c"\narguments = ["--x"]'
    assert load(tmp_path, text).programs() == ["agent claude: /opt/c --x", "agent command: 'a b' '$(x)'"]


def test_liberties_are_named_to_whoever_approves(tmp_path: Path) -> None:
    text = '[agents.codex]\nrepository_settings = true\nprivate_home = false\nenv = ["NPM_TOKEN", "AWS_*"]'
    (line,) = load(tmp_path, text).programs()
    assert line == (
        "agent codex: codex (the repository's settings for it take effect; it lives in your home;"
        " it gets NPM_TOKEN, AWS_* of your environment)"
    )
    assert load(tmp_path, text).digest() != load(tmp_path, "[agents.codex]").digest()


def test_agents_are_built_by_name() -> None:
    assert build_agent(Settings()).name == "claude"
    command = Settings(run=RunTable(agent="command"), agents={"command": AgentSettings(argv=["x"])})
    assert build_agent(command).name == "command"


@pytest.mark.parametrize("agent", ["", "Claude", "gpt"])
def test_an_agent_that_nobody_knows_is_refused(agent: str) -> None:
    with pytest.raises(UserError, match="there is no agent"):
        build_agent(Settings(run=RunTable(agent=agent)))


def test_the_command_agent_needs_a_program() -> None:
    with pytest.raises(UserError, match="needs a program"):
        build_agent(Settings(run=RunTable(agent="command")))


@pytest.mark.parametrize(("text", "usd"), [("5 USD", 5.0), ("0.25 USD", 0.25), ("5k tokens", None)])
def test_what_a_finished_task_is_worth_is_said_in_usd(text: str, usd: float | None) -> None:
    table = RoutingTable(value=text)
    if usd is not None:
        assert table.value_usd() == usd
        return
    with pytest.raises(UserError, match=r"routing\.value must be in USD, not 5k tokens"):
        table.value_usd()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[run]\nagnt = 'claude'", "did you mean `agent`?"),
        ("[budgets]", "did you mean `budget`?"),
        ("[sandbox]\nzzz = 1", "known are enabled, network, readable, writable"),
        ("[[price]]\nmodle = 'x'", "did you mean `model`?"),
        ("[[price]]\nmodel = 'x'\n[[price.long_context]]\nabov = '2k tokens'", "did you mean `above`?"),
        ("[routing]\npolicy = 'best'", "one of auto, learned, rules"),
        ("[agents.claude]\nlane = 'free'", "one of api, subscription, unknown"),
        ("[[window]]\nagent = 'codex'\nwindow = '5h'\nlimit = '80%'\non_limit = 'stop'", "one of block, warn"),
        ("[agents.claud]\nprogram = 'x'", "known agents: claude, codex, gemini, opencode, command"),
        ("[run]\nagent = 5", None),
    ],
)
def test_what_is_not_known_is_told_with_what_is(tmp_path: Path, text: str, hint: str | None) -> None:
    with pytest.raises(UserError) as refused:
        load(tmp_path, text)
    assert refused.value.hint == hint
    assert str(tmp_path / "bursar.toml") in refused.value.message


@pytest.mark.parametrize("key", ["run.default_hold", "routing.value", "routing.attempt_cap"])
def test_an_amount_without_a_unit_is_told_with_its_key(tmp_path: Path, key: str) -> None:
    table, _, name = key.partition(".")
    with pytest.raises(UserError, match=rf"bursar\.toml: {key}: the limit `5` has no unit"):
        load(tmp_path, f"[{table}]\n{name} = '5'")
