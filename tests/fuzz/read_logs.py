"""Feeds the readers of agents' logs whatever reaches new code in them (`make fuzz`): nothing may be raised.

python -m tests.fuzz.read_logs [FILE] [-max_total_time=60] [-seed=1]       options of libFuzzer; FILE is tried alone

A finding is written to `crash-…` in the working directory; the seed is printed. Not part of `make test`: what it has
found becomes a test of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bursar.logs"]):
    from tests.unit.logs.log_checks import check

from tests.unit.logs.test_log_checks import seeds

TOKENS = [
    '"usage":{', '"message":', '"timestamp":"2026-11-18T10:00:00Z"', '"input_tokens":', '"cache_creation":{',
    '"token_count"', '"token_usage_record"', '"session_meta"', '"turn_context"', '"forked_from_id":', '"tokens":{',
    '"$set":{', '"messages":[', '"type":"gemini"', '"role":"assistant"', "null", "5.0", "1e400", '"data":{',
]  # fmt: skip


def main() -> None:
    """Fuzzes from recorded logs on."""
    with tempfile.TemporaryDirectory(prefix="bursar-fuzz-") as folder:
        for number, seed in enumerate(seeds()):
            (Path(folder) / f"{number}.jsonl").write_bytes(seed)
        words = Path(folder) / "tokens"
        words.write_text("".join('"' + token.replace('"', '\\"') + '"\n' for token in TOKENS))
        alone = any(not argument.startswith("-") for argument in sys.argv[1:])
        more = [] if alone else [folder, f"-dict={words}"]
        atheris.Setup([*sys.argv, *more], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
