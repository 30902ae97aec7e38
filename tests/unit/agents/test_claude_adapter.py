"""How the CLIs are called: arguments, environment, the program, tiers."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.agents import ClaudeAgent, CommandAgent, LaunchRequest, open_reader
from bursar.errors import InternalError, SetupError, UserError

PROMPT = 'Do "it"; $(rm -rf /) {worktree} {model}'


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "claude"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def request(worktree: str = "/w") -> LaunchRequest:
    return LaunchRequest(prompt=PROMPT, worktree=Path(worktree), model="haiku", session_id="s-1")


def value_after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1]


def test_claude_arguments(program: Path) -> None:
    launch = ClaudeAgent(str(program)).launch(request(), {})
    assert launch.argv[0] == str(program)
    assert launch.stdin == PROMPT.encode()
    assert PROMPT not in launch.argv
    assert value_after(launch.argv, "--model") == "haiku"
    assert value_after(launch.argv, "--session-id") == "s-1"
    assert value_after(launch.argv, "--output-format") == "stream-json"
    assert {"-p", "--verbose", "--include-partial-messages", "--strict-mcp-config"} <= set(launch.argv)
    assert "--dangerously-skip-permissions" not in launch.argv


def test_a_conversation_is_gone_on_with_where_there_is_one(program: Path, tmp_path: Path) -> None:
    """By its log in the folder of the workspace; the reader of that process believes no sum that has its past in it."""
    workspace, home = tmp_path / "my.site", tmp_path / "home"
    workspace.mkdir()
    own = {"HOME": str(home), "BURSAR_CONTINUES": "1"}
    asked = LaunchRequest(prompt="x", worktree=workspace, model="haiku", session_id="s-1", continues=True)
    begun = ClaudeAgent(str(program)).launch(asked, own)
    assert value_after(begun.argv, "--session-id") == "s-1"
    assert "BURSAR_CONTINUES" not in begun.environment
    logs = (
        home / ".claude" / "projects" / str(workspace.resolve()).replace("/", "-").replace(".", "-").replace("_", "-")
    )
    logs.mkdir(parents=True)
    (logs / "s-1.jsonl").touch()
    again = ClaudeAgent(str(program)).launch(asked, own)
    assert value_after(again.argv, "--resume") == "s-1"
    assert "--session-id" not in again.argv
    compacts = replace(asked, compacts=True)
    assert (begun.before, again.before) == ((), ())
    launched = ClaudeAgent(str(program)).launch(compacts, own)
    assert (launched.before, launched.argv) == ((b"/compact",), again.argv)
    with pytest.raises(SetupError, match="is told by telemetry alone"):
        ClaudeAgent(str(program), passed=("OTEL_*",)).launch(compacts, own | {"OTEL_LOGS_EXPORTER": "none"})
    statement = b"""{"type": "result", "is_error": false, "usage": {"input_tokens": 5},
        "modelUsage": {"m": {"inputTokens": 500}}}""".replace(b"\n", b"")
    stated = [open_reader("claude", each.environment).feed_line(statement) for each in (begun, again)]
    assert [bool(ended.usage_by_model) for (ended,) in stated] == [True, False]  # type: ignore[union-attr]


def test_permissions_that_a_request_names(program: Path) -> None:
    asked = LaunchRequest(
        prompt="x",
        worktree=Path("/w"),
        model="m",
        session_id="s",
        permission_mode="plan",
        allowed_tools=("Read", "Grep"),
    )
    argv = ClaudeAgent(str(program)).launch(asked, {}).argv
    assert value_after(argv, "--permission-mode") == "plan"
    assert value_after(argv, "--allowedTools") == "Read,Grep"


def test_nested_tools_are_withheld_unless_allowed(program: Path) -> None:
    withheld = value_after(ClaudeAgent(str(program)).launch(request(), {}).argv, "--disallowedTools").split(",")
    assert {"Agent", "Task", "Workflow", "Monitor"} <= set(withheld)
    assert not {"Bash", "Edit", "Write", "Read"} & set(withheld)
    nested = ClaudeAgent(str(program), nested=True).launch(request(), {}).argv
    assert "--disallowedTools" not in nested
    assert "--forward-subagent-text" in nested


def test_extra_arguments_come_last(program: Path) -> None:
    agent = ClaudeAgent(str(program), extra_arguments=("--effort", "low"))
    assert agent.launch(request(), {}).argv[-2:] == ("--effort", "low")


def test_environment_without_the_marks_of_a_session(program: Path) -> None:
    own = {
        "PATH": "/bin",
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": "u",
        "CLAUDE_CONFIG_DIR": "/c",
        "CLAUDE_CODE_USE_BEDROCK": "1",
    }
    marks = dict.fromkeys(
        (
            "CLAUDECODE",
            "CLAUDE_CODE_ENTRYPOINT",
            "CLAUDE_CODE_SESSION_ID",
            "CLAUDE_CODE_CHILD_SESSION",
            "CLAUDE_CODE_MESSAGING_TOKEN",
            "CLAUDE_CODE_SSE_PORT",
            "CLAUDE_PID",
            "AI_AGENT",
        ),
        "1",
    )
    environment = ClaudeAgent(str(program)).launch(request(), own | marks).environment
    assert environment.items() >= own.items()
    assert not environment.keys() & marks.keys()
    assert environment["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] == "1"
    assert environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
    assert environment["DISABLE_AUTOUPDATER"] == "1"


def test_the_output_cap_is_written_in_unless_the_user_has_one(program: Path) -> None:
    agent = ClaudeAgent(str(program))
    assert agent.launch(request(), {}).environment["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "32000"
    own = {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "8000"}
    assert agent.launch(request(), own).environment["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "8000"


@pytest.mark.parametrize(
    ("asked", "handed"),
    [
        ("small", "haiku"),
        ("medium", "sonnet"),
        ("large", "claude-opus-4-6"),
        ("haiku", "haiku"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
    ],
)
def test_models(asked: str, handed: str) -> None:
    assert ClaudeAgent(models={"large": "claude-opus-4-6"}).model_for(asked) == handed


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("--model", "x"), "x"), (("--model=x",), "x"), (("-m", "x"), "x"), (("--model",), "sonnet")],
)
def test_a_model_among_the_users_arguments_is_the_one_that_is_asked(arguments: tuple[str, ...], named: str) -> None:
    """It comes last on the command line: what is held, priced and refused has to be of that one."""
    assert ClaudeAgent(extra_arguments=arguments).model_for("medium") == named


def test_an_alias_is_what_the_users_environment_says() -> None:
    """Proxies of other models are set up so; Claude Code 2.1.330 obeys it."""
    agent = ClaudeAgent(environment={"ANTHROPIC_DEFAULT_SONNET_MODEL": "glm-4.6", "ANTHROPIC_DEFAULT_OPUS_MODEL": ""})
    named = [agent.model_for(each) for each in ("medium", "sonnet", "large", "claude-sonnet-4-5")]
    assert named == ["glm-4.6", "glm-4.6", "opus", "claude-sonnet-4-5"]


@pytest.mark.parametrize("missing", ["/nowhere/claude", "no-such-program-anywhere"])
def test_a_missing_program_says_how_to_get_it(missing: str) -> None:
    with pytest.raises(SetupError) as caught:
        ClaudeAgent(missing).find()
    assert missing in caught.value.message
    assert caught.value.hint == "npm install -g @anthropic-ai/claude-code"


def test_a_file_that_cannot_be_executed_is_no_program(program: Path) -> None:
    program.chmod(0o644)
    with pytest.raises(SetupError):
        ClaudeAgent(str(program)).find()


def test_found_on_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert ClaudeAgent().find() == str(program)


def test_the_ladder_fits_into_four_seconds() -> None:
    ladder = ClaudeAgent().stop_ladder
    assert [(step.signal, step.to_group) for step in ladder] == [(signal.SIGINT, False), (signal.SIGTERM, True)]
    assert sum(step.grace_seconds for step in ladder) <= 4


def test_command_fills_in_within_single_arguments(program: Path) -> None:
    agent = CommandAgent((str(program), "--do={prompt}", "{model}", "{session_id}:{worktree}", "{other}", "{{model}}"))
    launch = agent.launch(request("/a b"), {})
    assert launch.argv == (str(program), f"--do={PROMPT}", "haiku", "s-1:/a b", "{other}", "{haiku}")
    assert launch.stdin is None


def test_command_without_a_place_for_the_prompt_gets_it_on_stdin(program: Path) -> None:
    launch = CommandAgent((str(program), "--model={model}")).launch(request(), {})
    assert launch.argv == (str(program), "--model=haiku")
    assert launch.stdin == PROMPT.encode()


@pytest.mark.parametrize("argv", [(), ("",)])
def test_command_needs_a_program(argv: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        CommandAgent(argv)


def test_command_that_is_not_installed() -> None:
    with pytest.raises(SetupError):
        CommandAgent(("no-such-program-anywhere",)).launch(request(), {})


def test_readers_by_name() -> None:
    assert open_reader("claude").feed_line(b"") == ()
    assert open_reader("command").feed_line(b"") == ()
    with pytest.raises(InternalError):
        open_reader("nobody")
