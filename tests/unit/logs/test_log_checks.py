"""Logs that were damaged at random are read like any others: nothing is raised, and nothing impossible is counted."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.unit.logs.log_checks import check
from tests.unit.logs.transcripts import encode, line, usage

FIXTURES = Path(__file__).parents[1] / "agents" / "fixtures"
ROUNDS = 60


def seeds() -> list[bytes]:
    """A log of each kind, none of them long."""
    inner = {"message": line()["message"], "requestId": "r", "timestamp": "2026-11-18T10:00:00Z"}
    odd = line("m2", "r2", usage=usage(input_tokens=5.0), isSidechain=True)
    progress = {"type": "progress", "timestamp": "2026-11-18T10:00:00Z", "data": {"message": inner}}
    message = {
        "role": "assistant", "modelID": "m", "cost": 0.25, "time": {"created": 1_795_000_000_000},
        "tokens": {"input": 7, "output": 3, "reasoning": 1, "cache": {"read": 2, "write": 4}},
    }  # fmt: skip
    recorded = [
        (FIXTURES / agent / "refused-once-429.log.jsonl").read_bytes()[:20_000] for agent in ("codex", "gemini")
    ]
    return [encode(line(), line(), odd, progress), json.dumps(message).encode(), *recorded]


@pytest.mark.parametrize("number", range(len(seeds())))
def test_damaged_logs(number: int) -> None:
    dice, data = random.Random(number), seeds()[number]
    print(f"seed {number}")
    check(data)
    for _ in range(ROUNDS):
        damaged = bytearray(data)
        for _ in range(dice.randrange(1, 6)):
            start = dice.randrange(len(damaged))
            end = min(len(damaged), start + dice.randrange(1, 30))
            piece = dice.choice(
                [b"", dice.randbytes(3), b"null", b"{}", b"\n", b"1e999", b"-1", b"[", bytes(damaged[start:end] * 2)]
            )
            damaged[start:end] = piece
        check(bytes(damaged))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"[" * 100_000,
        b'{"message":{"usage":' * 50_000,
        b'{"timestamp":"9999-12-31T23:59:59.999Z","message":{"id":"m","usage":{"input_tokens":1}}}',
        b'{"timestamp":"0001-01-01T00:00:00Z","message":{"id":"m","usage":{"input_tokens":1}}}',
        b'{"timestamp":"9999-12-31T23:59:59-23:59","message":{"id":"\\ud800","usage":{"input_tokens":1}}}',
        b'{"id":"\\ud800","type":"gemini","timestamp":1e308,"tokens":{"input":1}}',
    ],
)
def test_hostile_logs(data: bytes) -> None:
    check(data)
