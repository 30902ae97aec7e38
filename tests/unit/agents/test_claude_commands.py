"""The files of commands that prompts begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.agents import ClaudeAgent, LaunchRequest, read_command


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/analyze src", (".claude/commands/analyze.md", b"one")),
        ("/db:check", (".claude/commands/db/check.md", b"two")),
        ("/other", None),
        ("/../secret", None),
        ("/analyze/x", None),
        ("analyze", None),
        ("/db", None),
        ("", None),
    ],
)
def test_files_of_commands(tmp_path: Path, text: str, found: tuple[str, bytes] | None) -> None:
    (tmp_path / "commands" / "db").mkdir(parents=True)
    (tmp_path / "commands" / "analyze.md").write_bytes(b"one")
    (tmp_path / "commands" / "db" / "check.md").write_bytes(b"two")
    (tmp_path / "secret.md").write_bytes(b"three")
    assert read_command(tmp_path, text) == found


def test_a_private_home_has_the_command_that_the_prompt_begins_with(tmp_path: Path) -> None:
    """What the request brings along, else the user's own; nothing else of theirs."""
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    own = tmp_path / "home" / ".claude" / "commands"
    own.mkdir(parents=True)
    for name in ("analyze", "other"):
        (own / f"{name}.md").write_text("mine")

    def commands(files: dict[str, bytes]) -> dict[str, bytes]:
        rest = {"model": "m", "session_id": "s", "home": tmp_path / "h", "files": files}
        asked = LaunchRequest(prompt="/analyze x", worktree=tmp_path, **rest)  # type: ignore[arg-type]
        home = ClaudeAgent(str(program)).launch(asked, {"HOME": str(tmp_path / "home")}).home
        assert home is not None
        return {place: text for place, text in home.written.items() if "commands" in place}

    assert commands({}) == {".claude/commands/analyze.md": b"mine"}
    assert commands({".claude/commands/analyze.md": b"theirs"}) == {".claude/commands/analyze.md": b"theirs"}
