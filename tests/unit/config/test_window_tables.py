"""`[[window]]` tables: what they mean, which of two holds, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.budget import Level, OnLimit, Threshold, WindowLimit
from bursar.config import KNOWN_AGENTS, WINDOW_AGENTS, load_settings
from bursar.errors import UserError

TABLE = '[[window]]\nagent = "codex"\nwindow = "5h"\nlimit = "80 %"\n'


def limits(root: Path, project: str, own: str = "") -> list[WindowLimit]:
    (root / "bursar.toml").write_text(project)
    user = root / "home" / ".config" / "bursar" / "bursar.toml"
    user.parent.mkdir(parents=True, exist_ok=True)
    user.write_text(own)
    return load_settings(root, {"HOME": str(root / "home")}).windows()


def test_a_whole_table(tmp_path: Path) -> None:
    assert limits(tmp_path, TABLE + 'on_limit = "warn"\nthresholds = [0.5, 0.9]\n') == [
        WindowLimit(
            agent="codex",
            minutes=300,
            percent=80.0,
            on_limit=OnLimit.WARN,
            thresholds=(Threshold(50, Level.INFO), Threshold(90, Level.CRITICAL)),
        )
    ]


def test_the_users_word_goes_before_the_projects_window_by_window(tmp_path: Path) -> None:
    own = TABLE.replace("80 %", "60 %")
    week = TABLE.replace("5h", "7d")
    found = limits(tmp_path, TABLE + week, own)
    assert [(each.minutes, each.percent) for each in found] == [(300, 60.0), (10_080, 80.0)]


def test_agents_of_windows_are_those_that_there_are() -> None:
    assert set(WINDOW_AGENTS) == set(KNOWN_AGENTS)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"codex"',
            '"nobody"',
            "window 1: agent must be one of claude, codex, gemini, opencode, command, not `nobody`",
        ),
        ('"5h"', '"five hours"', "window 1: the window `five hours` is no length of time"),
        ('"80 %"', '"0.8"', "window 1: the limit `0.8` is no share of a window"),
        ('"80 %"', "80", "Expected `str`, got `int`"),
        ('"80 %"', '"80 %"\non_limit = "stop"', "Invalid enum value 'stop'"),
        ('"80 %"', '"80 %"\nthresholds = [0.9, 0.5]', "thresholds must ascend"),
        ('"80 %"', '"80 %"\nthresholds = [0.001]', "is not a share of the limit"),
        ('"80 %"', '"80 %"\nhours = 5', "unknown field `hours`"),
        ('agent = "codex"\n', "", "missing required field `agent`"),
    ],
)
def test_what_is_wrong_is_said_with_the_files_name(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(UserError) as raised:
        limits(tmp_path, TABLE.replace(old, new))
    assert str(tmp_path / "bursar.toml") in raised.value.message
    assert says in raised.value.message
