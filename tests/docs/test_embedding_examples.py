"""The examples that embed the meter and the router run, and say what their text promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STREAMS = ROOT / "tests" / "unit" / "agents" / "streams" / "claude"


def run(name: str, *arguments: str, stdin: bytes = b"") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name), *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_a_program_can_embed_the_meter() -> None:
    *calls, total, lost = run("embed_meter.py", "--sample")
    assert calls == ["msg_1: 24,001 tokens more", "msg_1: 899 tokens more", "msg_2: 24,001 tokens more"]
    assert re.fullmatch(r"48,901 tokens in 2 calls, 0\.\d+ USD", total)
    assert lost == "and up to 31,999 tokens that were never reported"


def test_it_meters_what_an_agent_has_said() -> None:
    stream = (STREAMS / "cut-in-a-reply.jsonl").read_bytes().rstrip(b"\n")  # the last line without its end
    assert "1,280 tokens in 1 calls" in run("embed_meter.py", stdin=stream)[-2]
    assert run("embed_meter.py") == ["0 tokens in 0 calls, 0.00 USD"]


def test_a_program_can_embed_the_router_and_goes_on_with_what_it_has_learned(tmp_path: Path) -> None:
    first, second = (run("embed_router.py", str(tmp_path)) for _ in range(2))
    made = re.fullmatch(r"knew 0 attempts, made (\d+): (\d+) of 30 tasks are done", first[0])
    assert made is not None
    assert second[0].startswith(f"knew {made[1]} attempts, ")
    assert int(made[2]) > 20
    assert re.fullmatch(r"the small model's next attempt: 0\.\d\d USD, 0\.\d\d to 0\.\d\d", second[1])


@pytest.mark.parametrize("name", ["embed_budget", "embed_meter", "embed_router"])
def test_the_page_on_embedding_has_it(name: str) -> None:
    assert f"examples/{name}.py" in (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
