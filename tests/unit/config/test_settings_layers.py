"""Settings of the project, the user and the environment: the later goes before the earlier, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.config import load_settings, user_file
from bursar.errors import UserError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config" / "bursar").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    return tmp_path


def write(home: Path, project: str = "", user: str = "") -> dict[str, str]:
    """Both files; the environment to read them with."""
    (home / "project" / "bursar.toml").write_text(project)
    (home / "config" / "bursar" / "bursar.toml").write_text(user)
    return {"XDG_CONFIG_HOME": str(home / "config")}


def test_the_later_goes_before_the_earlier_key_by_key(home: Path) -> None:
    environment = write(
        home,
        '[run]\nagent = "command"\nmax_parallel = 2\n[agents.claude]\nprogram = "p"\nlane = "api"\n',
        '[run]\nmax_parallel = 3\n[agents.claude]\nlane = "subscription"\narguments = ["-x"]\n',
    )
    settings = load_settings(home / "project", environment)
    assert (settings.run.agent, settings.run.max_parallel, settings.run.attempt_minutes) == ("command", 3, 60.0)
    claude = settings.agents["claude"]
    assert (claude.program, claude.lane, claude.arguments) == ("p", "subscription", ["-x"])
    settings = load_settings(home / "project", environment | {"BURSAR_AGENT": "a", "BURSAR_CLAUDE": "q"})
    assert (settings.run.agent, settings.agents["claude"].program) == ("a", "q")


def test_no_file_is_no_setting(home: Path) -> None:
    settings = load_settings(home / "project", {"HOME": str(home / "nobody")})
    assert (settings.run.agent, settings.agents) == ("claude", {})


def test_the_user_file_is_in_home_where_no_absolute_folder_is_named() -> None:
    assert user_file({"HOME": "/h"}) == Path("/h/.config/bursar/bursar.toml")
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path("/h/.config/bursar/bursar.toml")
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/bursar/bursar.toml")


@pytest.mark.parametrize(
    "text",
    ["[runs]\n", "[run]\ncolour = 1\n", "[run]\nmax_parallel = 0\n", '[agents.claude]\nlane = "free"\n', "[run\n"],
)
@pytest.mark.parametrize("where", ["project", "user"])
def test_what_is_wrong_is_said_with_its_file(home: Path, text: str, where: str) -> None:
    environment = write(home, **{where: text})
    with pytest.raises(UserError, match=str(home / ("project" if where == "project" else "config"))):
        load_settings(home / "project", environment)


def test_a_file_that_is_no_text_is_refused(home: Path) -> None:
    environment = write(home)
    (home / "project" / "bursar.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError):
        load_settings(home / "project", environment)


def test_budgets_do_not_disturb_the_other_settings(home: Path) -> None:
    environment = write(home, 'labels = ["team"]\n[[budget]]\nname = "a"\nlimit = "5 USD"\n')
    assert load_settings(home / "project", environment).digest() == ""
