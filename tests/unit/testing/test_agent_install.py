"""Where the real CLI cannot be had, the reason is said; nothing raises, nothing is downloaded here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.testing.agent_install import PINNED, install_agent

VERSION = PINNED["claude"].version


def put(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_no_node(tmp_path: Path, path: Path) -> None:
    assert install_agent("claude", tmp_path / "cache") == "Node is not installed"


@pytest.mark.parametrize(
    ("says", "reason"),
    [("echo v18.1.0", "Node v18.1.0 is older than 20"), ("exit 1", "Node (no version) is older than 20")],
)
def test_old_node(tmp_path: Path, path: Path, says: str, reason: str) -> None:
    put(path, "node", says)
    put(path, "npm", "exit 1")
    assert install_agent("claude", tmp_path / "cache") == reason


def test_npm_fails(tmp_path: Path, path: Path) -> None:
    put(path, "node", "echo v22.0.0")
    put(path, "npm", "echo 'first' >&2; echo 'no network' >&2; exit 1")
    assert install_agent("claude", tmp_path / "cache") == "npm could not install @anthropic-ai/claude-code: no network"


def test_npm_installs_another_version(tmp_path: Path, path: Path) -> None:
    put(path, "node", "echo v22.0.0")
    program = tmp_path / "cache" / "claude" / VERSION / "node_modules" / ".bin"
    put(path, "npm", "exit 0")
    put(program, "claude", "echo '2.1.197 (Claude Code)'")
    assert (
        install_agent("claude", tmp_path / "cache")
        == f"npm installed @anthropic-ai/claude-code 2.1.197 instead of {VERSION}"
    )


def test_already_there(tmp_path: Path, path: Path) -> None:
    program = tmp_path / "cache" / "claude" / VERSION / "node_modules" / ".bin"
    put(program, "claude", f"echo '{VERSION} (Claude Code)'")
    assert install_agent("claude", tmp_path / "cache") == program / "claude"


def test_each_cli_has_a_folder_of_its_own(tmp_path: Path, path: Path) -> None:
    for name, cli in PINNED.items():
        program = tmp_path / "cache" / name / cli.version / "node_modules" / ".bin"
        put(program, name, f"echo '{name}-cli {cli.version}'")
        assert install_agent(name, tmp_path / "cache") == program / name
