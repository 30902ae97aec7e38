"""Streams and logs of Codex 0.169.0, Gemini CLI 0.61.0 and OpenCode 1.18.33, recorded against the fake model server.

The bill is known: it is what the recording runs of tests/conformance/test_real_agents.py were checked against.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.events import LineRejected, SessionEnded
from bursar.usage import Usage
from tests.unit.agents.recorded import FIXTURES, metered, play, play_part, put_log, reader_of, stream_of

ONE = {
    "codex": Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50),
    "gemini": Usage(input_tokens=1030, cache_read_tokens=200, output_tokens=50),
    "opencode": Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50),
}
SECOND = {
    "codex": Usage(input_tokens=7, cache_read_tokens=1200, cache_write_5m_tokens=5, output_tokens=777),
    "gemini": Usage(input_tokens=12, cache_read_tokens=1200, output_tokens=777),
    "opencode": Usage(input_tokens=7, cache_read_tokens=1200, cache_write_5m_tokens=5, output_tokens=777),
}

# case → calls of the usual size, calls of the second size, nothing unknown, ends with a statement
CASES: dict[str, tuple[int, int, bool, bool]] = {
    "success-with-tools": (2, 1, True, True),
    "refusal": (1, 0, True, True),
    "refused-once-529": (1, 0, True, True),
    "refused-once-429": (1, 0, True, True),
    "cut-in-a-reply": (1, 0, False, True),
    "int-in-a-reply": (1, 0, False, False),
    "term-in-a-reply": (1, 0, False, False),
    "kill-in-a-tool": (2, 0, True, False),
}
DIFFERENT: dict[tuple[str, str], tuple[int, int, bool, bool]] = {
    ("codex", "refused-once-429"): (0, 0, True, True),  # it gives up
    ("gemini", "cut-in-a-reply"): (0, 0, False, True),  # it gives up
    ("opencode", "cut-in-a-reply"): (1, 0, True, True),  # it asks again without a word
    ("opencode", "kill-in-a-tool"): (1, 0, False, False),  # a step is told of when its tools have answered
}
ALL = [(agent, case) for agent in ONE for case in CASES]
LOGGED = ["codex", "gemini"]


@pytest.mark.parametrize(("agent", "case"), ALL)
def test_recorded(agent: str, case: str, tmp_path: Path) -> None:
    usual, second, is_exact, has_statement = DIFFERENT.get((agent, case), CASES[case])
    reader, stream = reader_of(agent, tmp_path), stream_of(agent, case)
    before, mark, after = stream.partition(b"Reconnecting")  # what is logged when a reply was cut is logged after that
    first = play_part(reader, before + mark + after.partition(b"\n")[0]) if mark else []
    put_log(agent, case, tmp_path)
    meter = metered(first + play(reader, [after.partition(b"\n")[2] if mark else stream]))
    expected = sum([ONE[agent]] * usual + [SECOND[agent]] * second, Usage())
    assert (meter.total, meter.call_count, meter.rejected_lines) == (expected, usual + second + _open(agent, case), 0)
    assert (meter.unknown_call() is None) is is_exact
    assert (meter.ended is not None) is has_statement
    assert not meter.differences


def _open(agent: str, case: str) -> int:
    """Calls that were begun and never reported."""
    return int((agent, case) == ("opencode", "kill-in-a-tool"))


def test_every_recorded_stream_is_in_the_table() -> None:
    found = {(folder.name, path.name.partition(".")[0]) for folder in FIXTURES.iterdir() if folder.name in ONE
             for path in folder.glob("*.jsonl")}  # fmt: skip
    assert found == set(ALL)


@pytest.mark.parametrize("agent", ONE)
@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_any_split_of_the_bytes(agent: str, size: int, tmp_path: Path) -> None:
    put_log(agent, "success-with-tools", tmp_path)
    stream = stream_of(agent, "success-with-tools")
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    whole, split = play(reader_of(agent, tmp_path), [stream]), play(reader_of(agent, tmp_path), chunks)
    assert metered(split).total == metered(whole).total
    assert [event for event in split if isinstance(event, SessionEnded)] == [whole[-1]]


@pytest.mark.parametrize("agent", ONE)
def test_every_line_twice_counts_once(agent: str, tmp_path: Path) -> None:
    log = put_log(agent, "success-with-tools", tmp_path)
    if log is not None:
        log.write_bytes(b"".join(line + line for line in log.read_bytes().splitlines(keepends=True)))
    stream = stream_of(agent, "success-with-tools").splitlines(keepends=True)
    doubled = b"".join(line + line for line in stream)
    # Codex names its session anew with each `thread.started`, so that line stays alone.
    doubled = doubled.replace(stream[0] + stream[0], stream[0]) if agent == "codex" else doubled
    assert metered(play(reader_of(agent, tmp_path), [doubled])).total == ONE[agent] + ONE[agent] + SECOND[agent]


@pytest.mark.parametrize("agent", ONE)
def test_hostile_lines_are_counted_and_change_nothing(agent: str, tmp_path: Path) -> None:
    """16 MiB and more in one line, no JSON, other JSON, bad bytes, at every place of the stream."""
    put_log(agent, "success-with-tools", tmp_path)
    hostile = [b"x" * (17 << 20), b"{", b"[1]", b"\xff\xfe", b'{"type":5}', b'{"type":"item.completed","item":7}']
    lines = stream_of(agent, "success-with-tools").splitlines()
    for place in (0, 1, len(lines)):
        mixed = b"\n".join([*lines[:place], *hostile, *lines[place:]])
        meter = metered(play(reader_of(agent, tmp_path), [mixed]))
        assert meter.total == ONE[agent] + ONE[agent] + SECOND[agent]
        assert meter.rejected_lines >= 5
        assert meter.ended is not None


@pytest.mark.parametrize("agent", ONE)
def test_without_its_last_line_what_was_told_stands(agent: str, tmp_path: Path) -> None:
    put_log(agent, "success-with-tools", tmp_path)
    lines = stream_of(agent, "success-with-tools").splitlines(keepends=True)
    meter = metered(play(reader_of(agent, tmp_path), [b"".join(lines[:-1])]))
    known = ONE[agent] + ONE[agent]
    assert meter.ended is None
    assert meter.total == (known if agent == "opencode" else known + SECOND[agent])


@pytest.mark.parametrize("agent", LOGGED)
def test_without_its_log_the_closing_statement_settles_it(agent: str, tmp_path: Path) -> None:
    meter = metered(play(reader_of(agent, tmp_path), [stream_of(agent, "success-with-tools")]))
    assert meter.total == ONE[agent] + ONE[agent] + SECOND[agent]
    assert (meter.call_count, meter.unknown_call()) == (0, None)


@pytest.mark.parametrize("agent", LOGGED)
def test_a_log_that_comes_late_is_not_counted_on_top(agent: str, tmp_path: Path) -> None:
    """The statement waits until the log accounts for all of it."""
    log = put_log(agent, "success-with-tools", tmp_path)
    assert log is not None
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    reader = reader_of(agent, tmp_path)
    early = play_part(reader, stream_of(agent, "success-with-tools"))
    assert metered(early).ended is None
    log.write_bytes(whole)
    meter = metered([*early, *reader.poll()])
    assert meter.ended is not None
    assert meter.total == ONE[agent] + ONE[agent] + SECOND[agent]
    assert (meter.call_count, reader.finish()) == (3, ())


@pytest.mark.parametrize("agent", LOGGED)
def test_half_a_log_and_a_statement(agent: str, tmp_path: Path) -> None:
    """What the log never told comes from the statement, at the end."""
    log = put_log(agent, "success-with-tools", tmp_path)
    assert log is not None
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    meter = metered(play(reader_of(agent, tmp_path), [stream_of(agent, "success-with-tools")]))
    assert meter.total == ONE[agent] + ONE[agent] + SECOND[agent]


@pytest.mark.parametrize("agent", LOGGED)
def test_a_hostile_log(agent: str, tmp_path: Path) -> None:
    """Lines that are no JSON, and numbers that cannot be true: rejected and counted; the rest still counts."""
    log = put_log(agent, "success-with-tools", tmp_path)
    assert log is not None
    lines = log.read_bytes().splitlines(keepends=True)
    absurd = next(line for line in lines if b'"tokens"' in line or b"token_usage_record" in line)
    absurd = absurd.replace(b"resp_000001", b"resp_x").replace(b'"id":"', b'"id":"x', 1)
    absurd = absurd.replace(b'"input_tokens":1230', b'"input_tokens":-5').replace(b'"input":1230', b'"input":-5')
    log.write_bytes(b"".join([*lines, b"{\n", b"\xff\n", absurd, b"[]\n"]))
    events = play(reader_of(agent, tmp_path), [stream_of(agent, "success-with-tools")])
    assert metered(events).total == ONE[agent] + ONE[agent] + SECOND[agent]
    assert len([event for event in events if isinstance(event, LineRejected)]) >= 3


@pytest.mark.parametrize("agent", LOGGED)
@pytest.mark.parametrize("session", ["", "../../etc/passwd", "*", "01a1fe80", "x" * 5000])
def test_a_session_id_never_leads_astray(agent: str, session: str, tmp_path: Path) -> None:
    put_log(agent, "success-with-tools", tmp_path)
    first = {"codex": b'{"type":"thread.started","thread_id":"%s"}', "gemini": b'{"type":"init","session_id":"%s"}'}
    line = first[agent] % session.encode()
    found = play(reader_of(agent, tmp_path), [line])
    assert metered(found).call_count == (3 if (agent, session) == ("gemini", "01a1fe80") else 0)
