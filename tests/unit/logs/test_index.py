"""Each call counts once, whatever repeats it, and whenever and in whatever pieces it is read."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bursar.logs import UsageRow, add_up, claude, ingesting, open_index, prices, update_index
from bursar.logs.adding import Adder
from bursar.logs.claude import read
from bursar.logs.files import FolderSearch
from bursar.pricing import COUNTERS, ModelRates, Rate
from tests.unit.logs.test_bundles import check_sums
from tests.unit.logs.transcripts import FlatPrices, Transcripts, encode, line, usage

CALL = 1280
"""Tokens of one call as `line` makes it."""


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "state" / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


def vars_of(row: UsageRow) -> tuple[object, ...]:
    return (row.label, row.project, row.first_at, row.last_at, row.totals.calls, row.totals.total_tokens)


def test_repeats_count_once(logs: Transcripts) -> None:
    logs.write(encode(line(), line(at="2026-11-18T10:00:01Z"), line("msg_2", "req_2")))
    logs.write(encode(line()), "-w-shop/copy.jsonl")
    logs.read()
    assert logs.totals() == (2, 2 * CALL, 2 * CALL)


def test_two_requests_with_one_message_are_two_calls(logs: Transcripts) -> None:
    logs.write(encode(line("m", "r1"), line("m", "r2")))
    logs.read()
    assert logs.totals()[0] == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_larger_record_counts(logs: Transcripts, order: tuple[int, int], at_once: bool) -> None:
    records = [line(usage=usage(output_tokens=1)), line(usage=usage(output_tokens=777))]
    first, second = (records[number] for number in order)
    path = logs.write(encode(first))
    if not at_once:
        logs.read()
    path.write_bytes(encode(first, second))
    logs.read()
    assert logs.totals() == (1, CALL - 50 + 777, CALL - 50 + 777)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_main_thread_goes_before_a_sub_agents_repeat(
    logs: Transcripts, order: tuple[int, int], at_once: bool
) -> None:
    """A sub-agent's log may repeat a message under another request, and with more tokens."""
    records = [line("m", "r1"), line("m", "r2", isSidechain=True, usage=usage(output_tokens=999))]
    for number in order:
        logs.write(encode(records[number]), f"-w-shop/{order.index(number)}.jsonl")
        if not at_once:
            logs.read()
    logs.read()
    assert logs.totals() == (1, CALL, CALL)


def test_without_a_message_nothing_is_a_repeat(logs: Transcripts) -> None:
    record = line()
    del record["message"]["id"]
    logs.write(encode(record, record))
    logs.read()
    logs.read()
    assert logs.totals()[0] == 2


@pytest.mark.parametrize("seed", range(5))
def test_a_log_that_grows_by_any_bytes_is_read_once(logs: Transcripts, seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    records = [line(f"msg_{n}", f"req_{n}", f"2026-11-18T{n % 24:02}:00:00Z") for n in range(40)]
    data, path = encode(*records), logs.write(b"")
    cuts = sorted(dice.sample(range(len(data)), 12))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        with path.open("ab") as file:
            file.write(data[start:end])
        logs.read()
    assert logs.totals() == (40, 40 * CALL, 40 * CALL)


def test_what_has_not_changed_is_not_opened(logs: Transcripts, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.write(encode(line()))
    logs.read()
    assert logs.last.changed == 1
    monkeypatch.setattr("bursar.logs.claude.read", None)
    assert logs.read() == {}
    assert logs.last.changed == 0


def test_a_rewritten_log_is_read_anew_and_nothing_is_forgotten(logs: Transcripts) -> None:
    path = logs.write(encode(line("a", "a"), line("b", "b")))
    logs.read()
    path.write_bytes(encode(line("c", "c"), line("b", "b"), line("d", "d")))
    logs.read()
    assert logs.totals()[0] == 4
    path.write_bytes(encode(line("e", "e")))  # shorter than what was read
    logs.read()
    assert logs.totals()[0] == 5
    path.unlink()
    logs.read()
    assert logs.totals()[0] == 5


def test_a_log_that_was_moved_and_one_in_its_place(logs: Transcripts) -> None:
    path = logs.write(encode(line("a", "a")))
    logs.read()
    path.rename(path.with_name("s1-old.jsonl"))
    logs.write(encode(line("b", "b")))
    logs.read()
    assert logs.totals()[0] == 2


def test_a_last_line_without_an_end_counts_once(logs: Transcripts) -> None:
    path = logs.write(encode(line("a", "a")) + encode(line("b", "b")).rstrip(b"\n"))
    logs.read()
    assert logs.totals()[0] == 2
    with path.open("ab") as file:
        file.write(b"\n" + encode(line("c", "c")))
    logs.read()
    assert logs.totals()[0] == 3


def test_an_unknown_price_is_counted_and_costs_nothing_known(logs: Transcripts) -> None:
    logs.write(encode(line(), line("m2", "r2", model="unknown-1")))
    logs.read()
    assert logs.totals() == (2, 2 * CALL, CALL)
    assert sum(row.totals.unpriced for row in logs.rows()) == 1


def test_files_that_cannot_be_read_are_named_and_the_rest_is_read(logs: Transcripts) -> None:
    logs.write(encode(line()))
    os.mkfifo(logs.root / "-w-shop" / "pipe.jsonl")
    (logs.root / "-w-shop" / "gone.jsonl").symlink_to("/nowhere")
    assert logs.read() == {}
    assert logs.totals()[0] == 1


def test_a_file_that_is_gone_when_it_is_opened(logs: Transcripts, monkeypatch: pytest.MonkeyPatch) -> None:
    path = logs.write(encode(line()))
    real = ingesting.read_logs

    def late(*arguments: Any) -> None:
        path.unlink()
        real(*arguments)

    monkeypatch.setattr(ingesting, "read_logs", late)
    assert logs.read() == {str(path): "No such file or directory"}


def test_a_folder_that_cannot_be_listed_is_named(logs: Transcripts, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.write(encode(line()))
    closed = logs.write(encode(line("m2", "r2")), "-w-closed/s.jsonl").parent
    real = os.scandir

    def scandir(folder: str) -> Any:
        if folder == str(closed):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert logs.read() == {str(closed): "Permission denied"}
    assert logs.totals()[0] == 1


def test_names_that_are_no_utf8_are_named_and_halves_of_characters_are_counted(logs: Transcripts) -> None:
    path = logs.write(encode(line()))
    odd = os.fsencode(path.parent) + b"/caf\xe9.jsonl"
    with open(odd, "wb") as file:
        file.write(encode(line("b", "b")))
    half = encode(line("HALF", "c", sessionId="HALF", model="HALF", cwd="HALF")).replace(b"HALF", b"\\ud800")
    logs.write(half, "-w-shop/half.jsonl")
    assert logs.read() == {os.fsdecode(odd): "its name is not UTF-8"}
    assert logs.totals()[0] == 2


def test_workers_read_what_one_process_does(logs: Transcripts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small parts, in processes of their own; one of which dies in the middle."""
    for number in range(40):
        calls = [line(f"m{number % 30}-{call}", "r", isSidechain=number % 3 == 0) for call in range(9)]
        logs.write(encode(*calls), f"-w-shop/s{number:02}.jsonl")
    alone = Transcripts(tmp_path, open_index(tmp_path / "alone" / "usage.db"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    alone.read()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr(ingesting, "_WORTH_WORKERS", 0)
    monkeypatch.setattr(ingesting, "_PART_BYTES", 5000)
    monkeypatch.setattr(ingesting, "_TRANSACTION_BYTES", 30000)
    parent, counted = os.getpid(), [0]

    def read_or_die(*arguments: Any) -> Any:
        counted[0] += 1
        if os.getpid() != parent and counted[0] == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(*arguments)

    monkeypatch.setattr(claude, "read", read_or_die)
    logs.read()
    assert logs.totals() == alone.totals() == (270, 270 * CALL, 270 * CALL)
    assert [vars_of(row) for row in logs.rows()] == [vars_of(row) for row in alone.rows()]
    alone.index.close()


def test_a_process_with_threads_is_not_forked(logs: Transcripts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        logs.write(encode(line(f"m{number}", "r")), f"-w-shop/s{number}.jsonl")
    for name, value in (("_WORTH_WORKERS", 0), ("_PART_BYTES", 1)):
        monkeypatch.setattr(ingesting, name, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "fork", None)
    thread = threading.Thread(target=logs.read)
    thread.start()
    thread.join()
    assert logs.totals()[0] == 3


def test_another_process_that_was_quicker_has_counted_it(logs: Transcripts, tmp_path: Path) -> None:
    """Two at once read the same lines; one without an id counts once all the same."""
    record = line()
    del record["message"]["id"]
    logs.write(encode(record))
    file = FolderSearch((".jsonl",), {}).changed_in(str(logs.root))[0]
    new = read(file, None)
    logs.read()
    other = open_index(tmp_path / "state" / "usage.db")
    with Adder(other, FlatPrices()).adding() as adding:
        adding.add_file("claude", new)
    other.close()
    assert logs.totals()[0] == 1


def test_a_message_with_hundreds_of_requests_is_read_in_no_time(logs: Transcripts) -> None:
    """Nobody's log; each request counts once, however often it is read."""
    for name in ("s1", "s2"):
        logs.write(encode(*(line("m", f"r{number}") for number in range(500))), f"-w-shop/{name}.jsonl")
    logs.read()
    assert logs.totals()[0] == 500


def test_two_messages_with_one_number_are_two(logs: Transcripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursar.logs.call_id.crc32", lambda _: 7)
    logs.write(encode(line("a", "r"), line("b", "r"), line("a", "r")))
    logs.read()
    logs.write(encode(line("b", "r"), line("c", "r")), "-w-shop/s2.jsonl")
    logs.read()
    assert logs.totals()[0] == 3


def test_a_line_that_cannot_be_is_counted_and_named(logs: Transcripts) -> None:
    bad = [line("x", "x", at="yesterday"), line("y", "y", usage=usage(output_tokens=-5))]
    path = logs.write(encode(line(), *bad) + b'{"usage": torn\n' + encode(line("b", "b")))
    logs.read()
    assert logs.last.refused == {str(path): 3}
    assert logs.totals()[0] == 2


def test_another_process_finds_what_was_read(logs: Transcripts, tmp_path: Path) -> None:
    logs.write(encode(line("a", "a"), line("b", "b", isSidechain=True)))
    logs.read()
    again = Transcripts(tmp_path, open_index(tmp_path / "state" / "usage.db"))
    again.write(encode(line("b", "b"), line("c", "c")), "-w-shop/s2.jsonl")
    again.read()
    assert again.totals() == (3, 3 * CALL, 3 * CALL)
    again.index.close()


def test_a_price_that_becomes_known_is_that_of_earlier_calls(
    logs: Transcripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of which the price library knows nothing until its next release."""
    logs.write(encode(line(), line("m2", "r2", model="claude-novel-9")))
    update_index(logs.index, logs.environment)
    before = add_up(row.totals for row in logs.rows())
    assert (before.calls, before.unpriced) == (2, 1)
    rates = ModelRates(
        model="claude-novel-9", match=["equals", "claude-novel-9"], rates=dict.fromkeys(COUNTERS, Rate(7))
    )
    monkeypatch.setattr(prices, "price_history", lambda *_: [(date.min, rates)])
    logs.write(encode(line("m3", "r3")), "-w-shop/s2.jsonl")
    update_index(logs.index, logs.environment)  # the same release: what nobody knew is not asked again
    assert add_up(row.totals for row in logs.rows()).unpriced == 1
    monkeypatch.setattr(prices, "data_stamp", lambda: "another release")
    logs.write(encode(line("m4", "r4")), "-w-shop/s3.jsonl")
    update_index(logs.index, logs.environment)
    after = add_up(row.totals for row in logs.rows())
    assert (after.calls, after.unpriced) == (4, 0)
    assert before.nano_usd < after.nano_usd < 3 * before.nano_usd
    check_sums(logs)


def test_a_folder_within_another_is_read_once(logs: Transcripts) -> None:
    record = line()
    del record["message"]["id"]
    logs.write(encode(record), "projects/s1.jsonl")
    logs.environment["CLAUDE_CONFIG_DIR"] = f"{logs.root.parent},{logs.root}"
    logs.read()
    assert (logs.totals()[0], logs.last.changed) == (1, 1)


def test_a_folder_that_is_called_like_a_log_is_a_folder(logs: Transcripts) -> None:
    logs.write(encode(line("a")), "-w-shop.jsonl/s1.jsonl")
    for _ in range(2):
        assert logs.read() == {}
        assert (logs.totals()[0], logs.last.files) == (1, 1)


def test_an_editors_mark_before_the_first_line_is_no_part_of_it(logs: Transcripts) -> None:
    logs.write(b"\xef\xbb\xbf" + encode(line("a"), line("b")))
    logs.read()
    assert (logs.totals()[0], logs.last.refused) == (2, {})
