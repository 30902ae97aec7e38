"""The private home of an attempt, and the environment by list: what is in them, what goes back, what stays."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bursar.agents import (
    Agent,
    ClaudeAgent,
    CodexAgent,
    CommandAgent,
    GeminiAgent,
    Launch,
    LaunchRequest,
    OpencodeAgent,
    PrivateHome,
    furnish,
    give_back,
    mirror,
    strip,
)

MAKERS: dict[str, Callable[..., Agent]] = {
    "claude": ClaudeAgent,
    "codex": CodexAgent,
    "gemini": GeminiAgent,
    "opencode": OpencodeAgent,
}
LOGINS = {
    "codex": (".codex/auth.json", ".codex/auth.json"),
    "gemini": (".gemini/oauth_creds.json", ".gemini/oauth_creds.json"),
    "opencode": (".local/share/opencode/auth.json", ".local/share/opencode/auth.json"),
}
LOGS = {
    "claude": ".claude/projects/-w/s.jsonl",
    "codex": ".codex/sessions/2026/11/21/rollout-x.jsonl",
    "gemini": ".gemini/tmp/w/chats/session-x.jsonl",
    "opencode": ".local/share/opencode/opencode.db",
}


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "agent"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def put(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def launch(agent: Agent, place: Path, environment: Mapping[str, str], model: str = "anthropic/x") -> Launch:
    worktree = place / "worktree"
    worktree.mkdir(exist_ok=True)
    request = LaunchRequest(prompt="p", worktree=worktree, model=model, session_id="s", home=place / "attempt" / "home")
    started = agent.launch(request, environment)
    if started.home is not None:
        furnish(started.home)
    return started


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("name", LOGINS)
def test_a_login_is_shared_and_nothing_else_is_there(name: str, program: str, tmp_path: Path) -> None:
    own, place = LOGINS[name]
    user = tmp_path / "user"
    login = put(user / own, '{"token": 1}')
    for other in (".codex/config.toml", ".codex/AGENTS.md", ".gemini/GEMINI.md", ".config/opencode/opencode.json"):
        put(user / other)
    started = launch(MAKERS[name](program), tmp_path, {"HOME": str(user)})
    home = tmp_path / "attempt" / "home"
    assert started.environment["HOME"] == str(home)
    assert (home / place).resolve() == login
    assert files_of(home) == {place, *started.home.written} if started.home else False
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    (home / place).write_text('{"token": 2}')  # written into: the user has it at once
    assert login.read_text() == '{"token": 2}'


def test_claude_has_the_account_and_leaves_its_credentials_where_they_are(program: str, tmp_path: Path) -> None:
    user = tmp_path / "user"
    account = {"oauthAccount": {"emailAddress": "a@b"}, "primaryApiKey": "k", "projects": {"/x": {}}, "history": [1]}
    put(user / ".claude.json", json.dumps(account))
    put(user / ".claude/.credentials.json")
    put(user / ".claude/settings.json", '{"apiKeyHelper": "my-helper", "hooks": {"Stop": []}, "env": {"A": "b"}}')
    put(user / ".claude/CLAUDE.md", "habits")
    started = launch(ClaudeAgent(program), tmp_path, {"HOME": str(user)})
    home = tmp_path / "attempt" / "home"
    assert files_of(home) == {".claude.json", ".claude/settings.json"}
    said = json.loads((home / ".claude.json").read_text())
    assert said == {"hasCompletedOnboarding": True, "oauthAccount": {"emailAddress": "a@b"}, "primaryApiKey": "k"}
    assert json.loads((home / ".claude/settings.json").read_text()) == {"apiKeyHelper": "my-helper"}
    assert stat.S_IMODE((home / ".claude.json").stat().st_mode) == 0o600
    assert started.environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"] == str(user / ".claude")


def test_claude_s_other_places(program: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    put(other / ".credentials.json")
    put(other / ".claude.json", '{"primaryApiKey": "k"}')
    environment = {"HOME": str(tmp_path / "user"), "CLAUDE_CONFIG_DIR": str(other)}
    started = launch(ClaudeAgent(program), tmp_path, environment)
    assert started.environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"] == str(other)
    assert "CLAUDE_CONFIG_DIR" not in started.environment
    assert "primaryApiKey" in (tmp_path / "attempt/home/.claude.json").read_text()


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("content", [None, "", "not json", "[1]", '"x"'])
def test_no_login_or_a_broken_one_is_no_crash(name: str, content: str | None, program: str, tmp_path: Path) -> None:
    user = tmp_path / "user"
    if content is not None:
        for place in (".claude.json", ".claude/settings.json", ".gemini/settings.json"):
            put(user / place, content)
    started = launch(MAKERS[name](program), tmp_path, {"HOME": str(user)})
    assert started.home is not None
    assert not any(path.is_symlink() for path in started.home.folder.rglob("*"))
    assert launch(MAKERS[name](program), tmp_path, {}).home is not None


@pytest.mark.parametrize("name", MAKERS)
def test_without_a_private_home_it_lives_in_the_user_s(name: str, program: str, tmp_path: Path) -> None:
    own = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": "/c", "CODEX_HOME": "/c", "GEMINI_CLI_HOME": "/c",
           "XDG_DATA_HOME": "/c"}  # fmt: skip
    started = launch(MAKERS[name](program, private_home=False), tmp_path, own)
    assert started.home is None
    assert started.environment["HOME"] == str(tmp_path)
    assert "/c" in started.environment.values()
    private = launch(MAKERS[name](program), tmp_path, own)
    assert "/c" not in private.environment.values()


@pytest.mark.parametrize("name", MAKERS)
def test_the_environment_is_by_list(name: str, program: str, tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "LANG": "C",
        "LC_ALL": "C",
        "TERM": "xterm",
        "TMPDIR": "/t",
        "HTTPS_PROXY": "p",
        "TZ": "UTC",
    }
    others = {"GITHUB_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "SSH_AUTH_SOCK": "x", "NPM_TOKEN": "x", "MY_OWN": "x",
              "BURSAR_LEDGER_URL": "x", "NODE_OPTIONS": "x", "LD_PRELOAD": "x", "PYTHONPATH": "x"}  # fmt: skip
    keys = {
        "claude": {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "u"},
        "codex": {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "u"},
        "gemini": {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": "u"},
        "opencode": {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "u"},
    }
    foreign = {key: value for who, own in keys.items() for key, value in own.items() if key not in keys[name]}
    started = launch(MAKERS[name](program), tmp_path, base | others | foreign | keys[name])
    assert started.environment.items() >= (base | keys[name]).items()
    assert not started.environment.keys() & (others.keys() | foreign.keys())
    more = launch(MAKERS[name](program, passed=("MY_OWN", "NPM_*")), tmp_path, base | others)
    assert more.environment.keys() & others.keys() == {"MY_OWN", "NPM_TOKEN"}


def test_a_cloud_that_serves_claude_gets_its_variables(program: str, tmp_path: Path) -> None:
    own = {"AWS_PROFILE": "p", "GOOGLE_APPLICATION_CREDENTIALS": "f"}
    bedrock = launch(ClaudeAgent(program), tmp_path, own | {"CLAUDE_CODE_USE_BEDROCK": "1"}).environment
    assert bedrock.keys() & own.keys() == {"AWS_PROFILE"}
    vertex = launch(ClaudeAgent(program), tmp_path, own | {"CLAUDE_CODE_USE_VERTEX": "1"}).environment
    assert vertex.keys() & own.keys() == {"GOOGLE_APPLICATION_CREDENTIALS"}


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("openai/x", "OPENAI_API_KEY"),
        ("google/x", "GEMINI_API_KEY"),
        ("my-own/x/y", "MY_OWN_KEY"),
        ("amazon-bedrock/x", "AWS_PROFILE"),
    ],
)
def test_opencode_gets_the_keys_of_the_model_s_provider(model: str, key: str, program: str, tmp_path: Path) -> None:
    keys = ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "MY_OWN_KEY", "AWS_PROFILE")
    started = launch(OpencodeAgent(program), tmp_path, dict.fromkeys(keys, "k"), model)
    assert started.environment.keys() & set(keys) == {key}


def test_a_program_of_the_user_s_own_lives_in_their_home(program: str, tmp_path: Path) -> None:
    environment = {"HOME": "/h", "ANTHROPIC_API_KEY": "k", "MY_OWN": "x", "OTHER": "x"}
    started = launch(CommandAgent((program,), passed=("MY_OWN",)), tmp_path, environment)
    assert started.home is None
    assert started.environment.items() >= {"HOME": "/h", "ANTHROPIC_API_KEY": "k", "MY_OWN": "x"}.items()
    assert "OTHER" not in started.environment


def test_repository_settings_are_switched_off(program: str, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    claude = launch(ClaudeAgent(program), tmp_path, home)
    assert "--strict-mcp-config" in claude.argv
    assert claude.argv[claude.argv.index("--setting-sources") + 1] == "user"
    assert "--setting-sources" not in launch(ClaudeAgent(program, repository_settings=True), tmp_path, home).argv
    codex = CodexAgent(program, private_home=False)
    assert any("untrusted" in word for word in launch(codex, tmp_path, home).argv)
    assert not any("trust_level" in word for word in launch(CodexAgent(program), tmp_path, home).argv)
    allowed = launch(CodexAgent(program, repository_settings=True), tmp_path, home)
    assert any('trust_level="trusted"' in word for word in allowed.argv)


def test_gemini_ignores_the_repository_s_variables(program: str, tmp_path: Path) -> None:
    put(tmp_path / "worktree/.gemini/.env", "A=1\n  export B_2 = x\n# C=1\nD: 4\nGEMINI_API_KEY=other\n")
    own = {"HOME": "/h", "GEMINI_API_KEY": "mine", "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    started = launch(GeminiAgent(program), tmp_path, own).environment
    assert {name: started.get(name) for name in ("A", "B_2", "D", "C")} == {"A": "", "B_2": "", "D": "", "C": None}
    assert (started["GEMINI_API_KEY"], started["GEMINI_CLI_TRUST_WORKSPACE"]) == ("mine", "false")
    allowed = launch(GeminiAgent(program, repository_settings=True), tmp_path, own).environment
    assert ("A" in allowed, allowed["GEMINI_CLI_TRUST_WORKSPACE"]) == (False, "true")


@pytest.mark.parametrize(("environment", "way"), [({"GEMINI_API_KEY": "k"}, "gemini-api-key"), ({}, "oauth-personal"),
                                                  ({"GOOGLE_GENAI_USE_VERTEXAI": "1"}, "vertex-ai")])  # fmt: skip
def test_gemini_is_told_how_to_log_in(environment: dict[str, str], way: str, program: str, tmp_path: Path) -> None:
    settings = tmp_path / "attempt/home/.gemini/settings.json"
    launch(GeminiAgent(program), tmp_path, {"HOME": str(tmp_path / "user"), **environment})
    said = json.loads(settings.read_text())
    assert said["security"]["auth"]["selectedType"] == way
    assert said["privacy"]["usageStatisticsEnabled"] is False
    put(tmp_path / "user/.gemini/settings.json", '{"security": {"auth": {"selectedType": "chosen"}}}')
    launch(GeminiAgent(program), tmp_path, {"HOME": str(tmp_path / "user"), **environment})
    assert json.loads(settings.read_text())["security"]["auth"]["selectedType"] == "chosen"


def test_opencode_reads_the_repository_s_instructions_alone(program: str, tmp_path: Path) -> None:
    put(tmp_path / "worktree/CLAUDE.md")
    agents = put(tmp_path / "worktree/AGENTS.md")
    own = {"OPENCODE_CONFIG_CONTENT": '{"model": "a/b", "instructions": ["x.md"]}'}
    started = launch(OpencodeAgent(program), tmp_path, own).environment
    assert started["OPENCODE_DISABLE_PROJECT_CONFIG"] == started["OPENCODE_DISABLE_EXTERNAL_SKILLS"] == "1"
    said = json.loads(started["OPENCODE_CONFIG_CONTENT"])
    assert said == {"model": "a/b", "instructions": ["x.md", str(agents)]}
    allowed = launch(OpencodeAgent(program, repository_settings=True), tmp_path, own).environment
    assert allowed["OPENCODE_CONFIG_CONTENT"] == own["OPENCODE_CONFIG_CONTENT"]
    assert "OPENCODE_DISABLE_PROJECT_CONFIG" not in allowed


def shared(tmp_path: Path, count: int = 1) -> tuple[Path, list[PrivateHome]]:
    """A user's login and homes that share it."""
    own = put(tmp_path / "user/auth.json", "old")
    own.chmod(0o600)
    os.utime(own, ns=(1000, 1000))
    homes = [PrivateHome(folder=tmp_path / f"home{number}", shared={"a/auth.json": own}) for number in range(count)]
    for home in homes:
        furnish(home)
    return own, homes


def replace(home: PrivateHome, content: str, changed: int) -> None:
    """As a CLI does it that writes a file beside and renames it: the link is gone."""
    draft = home.folder / "a/draft"
    draft.write_text(content)
    os.utime(draft, ns=(changed, changed))
    draft.replace(home.folder / "a/auth.json")


def test_a_login_that_replaced_its_link_goes_back(tmp_path: Path) -> None:
    own, (home,) = shared(tmp_path)
    replace(home, "renewed", 2000)
    give_back(home.folder, home.shared)
    assert own.read_text() == "renewed"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert (home.folder / "a/auth.json").resolve() == own
    assert list(own.parent.iterdir()) == [own]


def test_of_two_renewed_logins_the_later_one_wins(tmp_path: Path) -> None:
    own, homes = shared(tmp_path, 2)
    replace(homes[0], "first", 2000)
    replace(homes[1], "second", 3000)
    for home in reversed(homes):
        give_back(home.folder, home.shared)
    assert own.read_text() == "second"
    assert all((home.folder / "a/auth.json").read_text() == "second" for home in homes)


def test_nothing_is_lost_where_giving_back_fails(tmp_path: Path) -> None:
    """The user has logged out, or a file is empty: what the agent has is not thrown away, and nothing is made up."""
    own, (home,) = shared(tmp_path)
    replace(home, "", 2000)
    give_back(home.folder, home.shared)
    assert own.read_text() == "old"
    replace(home, "renewed", 2000)
    own.unlink()
    give_back(home.folder, home.shared)
    assert not own.exists()
    assert (home.folder / "a/auth.json").read_text() == "renewed"
    give_back(tmp_path / "nowhere", home.shared)


def test_a_login_behind_a_link_of_the_agents_is_nobodys(tmp_path: Path) -> None:
    """The folder that it should lie in leads to another one of the user's: nothing there is taken, or taken away."""
    own, (home,) = shared(tmp_path)
    other = put(tmp_path / "user/other/auth.json", "hunter2")
    (home.folder / "a/auth.json").unlink()
    (home.folder / "a").rmdir()
    (home.folder / "a").symlink_to(other.parent)
    give_back(home.folder, home.shared)
    assert (own.read_text(), other.read_text()) == ("old", "hunter2")
    assert not other.is_symlink()


def test_a_pipe_in_the_place_of_a_login_holds_nobody_up(tmp_path: Path) -> None:
    own, (home,) = shared(tmp_path)
    (home.folder / "a/auth.json").unlink()
    os.mkfifo(home.folder / "a/auth.json")
    give_back(home.folder, home.shared)
    assert own.read_text() == "old"


def mirrored(tmp_path: Path) -> tuple[Path, Path, PrivateHome]:
    """A user's login, the one that sandboxed attempts share, and a home with it."""
    own, inner = put(tmp_path / "user/.credentials.json", '"old"'), tmp_path / "logins/claude/login/.credentials.json"
    own.chmod(0o600)
    os.utime(own, ns=(1000, 1000))
    home = PrivateHome(folder=tmp_path / "home", mirrored={str(inner): own})
    furnish(home)
    return own, inner, home


def test_a_login_that_is_mirrored_is_the_users(tmp_path: Path) -> None:
    own, inner, _ = mirrored(tmp_path)
    assert inner.read_text() == '"old"'
    assert (stat.S_IMODE(inner.stat().st_mode), inner.stat().st_mtime_ns) == (0o600, 1000)
    assert own.read_text() == '"old"'


def test_of_a_mirrored_login_the_later_is_both(tmp_path: Path) -> None:
    own, inner, home = mirrored(tmp_path)
    for path, content, written in ((inner, '"renewed"', 2000), (own, '"again"', 3000), (inner, '"third"', 4000)):
        draft = put(path.with_name("draft"), content)
        os.utime(draft, ns=(written, written))
        draft.replace(path)
        mirror(home.mirrored)
        assert (own.read_text(), inner.read_text()) == (content, content)
    assert list(own.parent.iterdir()) == [own]
    assert list(inner.parent.iterdir()) == [inner]


@pytest.mark.parametrize("content", ["", '{"half": ', "x" * (1 << 21)])
def test_what_is_no_whole_login_does_not_reach_the_user(tmp_path: Path, content: str) -> None:
    own, inner, home = mirrored(tmp_path)
    inner.write_text(content)
    mirror(home.mirrored)
    assert own.read_text() == '"old"'


def test_a_mirrored_login_is_not_taken_from_behind_a_link(tmp_path: Path) -> None:
    """An agent may write in the folder: what it links there is not read for it, and not written for it."""
    own, inner, home = mirrored(tmp_path)
    secret = put(tmp_path / "secret/.credentials.json", '"hunter2"')
    inner.unlink()
    inner.symlink_to(secret)
    mirror(home.mirrored)
    assert own.read_text() == '"old"'
    inner.unlink()
    inner.parent.rmdir()
    inner.parent.symlink_to(secret.parent)
    mirror(home.mirrored)
    os.utime(own)
    mirror(home.mirrored)
    assert (own.read_text(), secret.read_text()) == ('"old"', '"hunter2"')


def test_a_user_who_has_logged_out_stays_so(tmp_path: Path) -> None:
    own, inner, home = mirrored(tmp_path)
    own.unlink()
    inner.write_text('"renewed"')
    mirror(home.mirrored)
    assert not own.exists()


@pytest.mark.parametrize("name", MAKERS)
def test_only_logs_stay(name: str, program: str, tmp_path: Path) -> None:
    user = tmp_path / "user"
    login = put(user / LOGINS[name][0]) if name in LOGINS else put(user / ".claude/.credentials.json")
    started = launch(MAKERS[name](program), tmp_path, {"HOME": str(user)})
    assert started.home is not None
    log = put(started.home.folder / LOGS[name], "log")
    put(started.home.folder / ".cache/a/b")
    put(log.parent.parent.parent / "other") if name != "opencode" else put(log.parent / "storage/x")
    put(started.home.folder / ".bashrc")
    strip(started.home.folder, started.home.logs)
    kept = files_of(started.home.folder)
    assert LOGS[name] in kept
    assert not kept & {".cache/a/b", ".bashrc", ".claude.json", ".gemini/settings.json", LOGINS.get(name, ("", ""))[1]}
    assert login.exists()
    strip(tmp_path / "nowhere", ("x",))
