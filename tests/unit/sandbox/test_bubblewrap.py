"""The words before a command that runs in a sandbox: later mounts lie upon earlier ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.errors import UserError
from bursar.sandbox import Network, Sandbox, tool_folders


def sandbox(home: Path) -> Sandbox:
    return Sandbox(program="/usr/bin/bwrap", network=Network.ON, home=home, readable=(home / "shown",))


def mounts(words: list[str]) -> list[tuple[str, str]]:
    """Kind and place of each mount, in order."""
    kinds = {"--tmpfs", "--ro-bind", "--bind"}
    return [(word, words[place + 1]) for place, word in enumerate(words) if word in kinds]


def test_what_is_shown_comes_after_what_is_hidden(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "home" / "state" / "work"
    for path in (folder / ".git", home / "shown", home / "login"):
        path.mkdir(parents=True)
    words = sandbox(home).prefix(folder, has_network=True, writable=[home / "login"], sealed=[folder / ".git"])
    placed = mounts(words)
    order = [
        ("--tmpfs", str(home)),
        ("--ro-bind", str(home / "shown")),
        ("--bind", str(home / "login")),
        ("--bind", str(folder)),
        ("--ro-bind", str(folder / ".git")),
    ]
    assert [each for each in placed if each in order] == order
    assert words[-3:] == ["--chdir", str(folder), "--"]
    assert "--unshare-net" not in words
    assert "--unshare-net" in sandbox(home).prefix(folder, has_network=False)


def test_what_does_not_exist_is_left_out_and_links_are_resolved(tmp_path: Path) -> None:
    home, real = tmp_path / "home", tmp_path / "real"
    home.mkdir()
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    words = sandbox(home).prefix(tmp_path / "link", has_network=True, readable=[tmp_path / "none"])
    assert str(tmp_path / "none") not in words
    assert str(tmp_path / "link") not in words
    assert words[-2] == str(real)


@pytest.mark.parametrize("folder", [".", ".."])
def test_a_folder_around_the_home_hides_nothing(tmp_path: Path, folder: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(UserError, match="your home is in it"):
        sandbox(home).prefix(home / folder, has_network=True)


def test_programs_in_the_home_bring_their_libraries_and_no_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for place in (".local/bin", ".local/lib", ".local/share/keys", "venv/bin", "venv/lib", "bin", "lib"):
        (home / place).mkdir(parents=True)
    (home / "venv" / "pyvenv.cfg").touch()
    package = home / "node" / "lib" / "node_modules" / "agent"
    (package / "dist").mkdir(parents=True)
    (package / "dist" / "cli.js").touch()
    (home / ".local" / "bin" / "agent").symlink_to(package / "dist" / "cli.js")
    path = f"{home}/venv/bin:{home}/bin::relative:{home}"
    found = tool_folders(str(home / ".local" / "bin" / "agent"), {"PATH": path}, home)
    assert {str(each.relative_to(home)) for each in found} == {
        *(".local/bin", ".local/lib", "venv/bin", "venv/lib", "venv/pyvenv.cfg", "bin"),
        "node/lib/node_modules/agent",
    }
