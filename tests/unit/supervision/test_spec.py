"""Claims and outcomes on the disk: exactly one claimant, nothing half written, JSON there and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.processes import is_alive
from bursar.supervision import ABANDONED, AttemptSpec, Ending, Outcome, StopRung, claim, read_claim, read_outcome
from bursar.supervision.spec import OUTCOME_FILE, SUPERVISOR_FILE, decode_spec, encode_spec, write_outcome

PROCESSES = 24
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def outcome(**changes: object) -> Outcome:
    values: dict[str, object] = {
        "ending": Ending.EXITED,
        "exit_code": 0,
        "is_error": False,
        "message": "done",
        "denied_permissions": [],
        "metered_tokens": 5,
        "metered_nano_usd": None,
        "unknown_tokens": 0,
        "unknown_nano_usd": 0,
        "calls": 1,
        "wall_seconds": 1.5,
        "session_id": None,
    }
    return msgspec.convert(values | changes, Outcome)


def fork(work: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = work()
    finally:
        os._exit(code)


def test_the_first_claim_stands_and_the_second_is_told(tmp_path: Path) -> None:
    assert read_claim(tmp_path) is None
    assert claim(tmp_path, "1/2/boot") is None
    assert claim(tmp_path, ABANDONED) == "1/2/boot"
    assert claim(tmp_path, "1/2/boot") == "1/2/boot"
    assert read_claim(tmp_path) == "1/2/boot"


def test_a_claim_leaves_no_draft(tmp_path: Path) -> None:
    claim(tmp_path, "one")
    claim(tmp_path, "two")
    assert os.listdir(tmp_path) == [SUPERVISOR_FILE]


def test_of_many_processes_exactly_one_claims_and_none_sees_an_empty_claim(tmp_path: Path) -> None:
    gate, release = os.pipe()

    def race() -> int:
        os.close(release)
        os.read(gate, 1)  # until every process is there
        own = f"process {os.getpid()}"
        winner = claim(tmp_path, own)
        seen = read_claim(tmp_path)
        assert seen == (own if winner is None else winner)
        return 1 if winner is None else 0

    children = [fork(race) for _ in range(PROCESSES)]
    os.close(gate)
    os.close(release)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(codes) == [0] * (PROCESSES - 1) + [1]


def test_there_is_no_outcome_before_one_is_written(tmp_path: Path) -> None:
    assert read_outcome(tmp_path) is None
    write_outcome(tmp_path, outcome(message="first"))
    write_outcome(tmp_path, outcome(message="second"))
    assert read_outcome(tmp_path) == outcome(message="second")
    assert os.listdir(tmp_path) == [OUTCOME_FILE]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"ending": "exited"}', b'{"ending": "elsewhere"}', b"null"]
)
def test_an_outcome_that_nobody_can_read_is_unknown(tmp_path: Path, content: bytes) -> None:
    """Then what was held is charged; a run that cannot be gone on with would be worse."""
    (tmp_path / OUTCOME_FILE).write_bytes(content)
    assert read_outcome(tmp_path) is None


def test_a_claim_that_nobody_can_read_is_nobodys_who_lives(tmp_path: Path) -> None:
    (tmp_path / SUPERVISOR_FILE).write_bytes(b"\xff\xfe")
    claimed = read_claim(tmp_path)
    assert claimed is not None
    assert claimed != ABANDONED
    assert not is_alive(claimed)
    assert claim(tmp_path, "me") == claimed


def test_an_outcome_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_outcome(tmp_path, outcome(message="first"))

    def no_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_disk)
    with pytest.raises(OSError, match="No space"):
        write_outcome(tmp_path, outcome(message="second"))
    assert read_outcome(tmp_path) == outcome(message="first")


@given(
    message=TEXT,
    denied=st.lists(TEXT, max_size=3),
    cost=st.none() | st.integers(0, 2**63),
    code=st.none() | st.integers(-64, 255),
)
def test_an_outcome_survives_json(message: str, denied: list[str], cost: int | None, code: int | None) -> None:
    written = outcome(message=message, denied_permissions=denied, metered_nano_usd=cost, exit_code=code)
    assert msgspec.json.decode(msgspec.json.encode(written), type=Outcome) == written


@given(st.none() | st.binary(max_size=50), st.binary(max_size=20).map(os.fsdecode), st.none() | st.floats(0, 1e6))
def test_a_spec_survives_json_on_one_line(stdin: bytes | None, text: str, limit: float | None) -> None:
    spec = AttemptSpec(
        key="r/1/1",
        directory="/d",
        ledger="/l",
        worktree=text,
        reader="claude",
        argv=[text, "--"],
        environment={"A": text},
        stdin=stdin,
        stop_ladder=[StopRung(signal=2, to_group=False, grace_seconds=0.5)],
        rates='{"models": []}',
        units=["tokens"],
        step_tokens=5,
        step_nano_usd=None,
        limit_seconds=limit,
        output_cap=7,
        model="m",
    )
    line = encode_spec(spec)
    assert b"\n" not in line
    assert decode_spec(line) == spec
