"""Makes Claude Code transcripts of a wanted size: duplicates, side chains, big tool results; nobody's text.

python benchmarks/usage_logs.py FOLDER MEGABYTES [SEED]
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 9, 1, tzinfo=UTC)
MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-sonnet-4-5-20250929")
WORDS = ("tree", "river", "stone", "light", "paper", "field", "north", "glass", "copper", "garden", "letter", "window")


def main() -> None:
    """Writes them and says what was written."""
    folder, megabytes = Path(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    files, size = make_logs(folder, megabytes * 1_000_000, seed)
    print(f"{files} files, {size / 1e6:.1f} MB, seed {seed}")


def make_logs(folder: Path, wanted_bytes: int, seed: int) -> tuple[int, int]:
    """Transcripts under `folder/projects`; how many files, and how many bytes."""
    dice, size, files = random.Random(seed), 0, 0
    while size < wanted_bytes:
        project = folder / "projects" / f"-w-project-{dice.randrange(24)}"
        session = f"{dice.getrandbits(128):032x}"
        size += _write(project / f"{session}.jsonl", _session(dice, session, is_sidechain=False))
        files += 1
        for number in range(dice.choice((0, 0, 0, 1, 2))):
            path = project / session / "subagents" / f"agent-{number}.jsonl"
            size += _write(path, _session(dice, session, is_sidechain=True))
            files += 1
    return files, size


def _write(path: Path, lines: list[dict[str, Any]]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    path.write_bytes(data)
    return len(data)


def _session(dice: random.Random, session: str, *, is_sidechain: bool) -> list[dict[str, Any]]:
    at = START + timedelta(seconds=dice.randrange(75 * 86_400))
    model, lines = dice.choice(MODELS), []
    for _ in range(dice.randrange(3, 80)):
        at += timedelta(seconds=dice.expovariate(1 / 30))
        ids = (f"msg_{dice.getrandbits(96):024x}", f"req_{dice.getrandbits(96):024x}")
        usage = _usage(dice)
        times = [at + timedelta(milliseconds=block) for block in range(dice.choice((1, 1, 2, 3)))]
        lines += [_call(dice, session, each, model, ids, usage, is_sidechain) for each in times]
        lines.append(_result(dice, session, at, is_sidechain))
    return lines


def _usage(dice: random.Random) -> dict[str, Any]:
    short, long = dice.choice(((dice.randrange(9000), 0), (0, dice.randrange(9000)), (0, 0)))
    return {
        "input_tokens": dice.randrange(1, 3000),
        "cache_creation_input_tokens": short + long,
        "cache_read_input_tokens": dice.randrange(150_000),
        "output_tokens": dice.randrange(1, 4000),
        "cache_creation": {"ephemeral_1h_input_tokens": long, "ephemeral_5m_input_tokens": short},
        "service_tier": "standard",
        "speed": "standard",
    }


def _call(
    dice: random.Random,
    session: str,
    at: datetime,
    model: str,
    ids: tuple[str, str],
    usage: dict[str, Any],
    is_sidechain: bool,
) -> dict[str, Any]:
    block = {"type": "tool_use", "id": f"toolu_{dice.getrandbits(64):016x}", "name": "Edit"}
    content = [block | {"input": {"file_path": "/w/a.py", "new_string": _text(dice, dice.randrange(20, 300))}}]
    message = {"id": ids[0], "type": "message", "role": "assistant", "model": model, "content": content}
    common = _common(dice, session, at, is_sidechain)
    return common | {"message": message | {"usage": usage}, "requestId": ids[1], "type": "assistant"}


def _result(dice: random.Random, session: str, at: datetime, is_sidechain: bool) -> dict[str, Any]:
    text = _text(dice, int(dice.lognormvariate(5.5, 1.3)))
    message = {"role": "user", "content": [{"type": "tool_result", "content": text}]}
    return _common(dice, session, at, is_sidechain) | {"message": message, "type": "user", "toolUseResult": text}


def _common(dice: random.Random, session: str, at: datetime, is_sidechain: bool) -> dict[str, Any]:
    return {
        "parentUuid": f"{dice.getrandbits(128):032x}",
        "isSidechain": is_sidechain,
        "uuid": f"{dice.getrandbits(128):032x}",
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "cwd": "/w/project",
        "sessionId": session,
        "version": "2.1.329",
        "gitBranch": "main",
    }


def _text(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words))


if __name__ == "__main__":
    main()
