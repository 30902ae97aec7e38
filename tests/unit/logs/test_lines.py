"""Lines with a marker are found whatever blocks the file is read in."""

from __future__ import annotations

import io
import re

import pytest

from bursar.logs import lines
from bursar.logs.lines import LineBlocks, lines_with

TEXT = b"one\nhas X here\n\nX\nlong " + b"y" * 50 + b"X\nnone\nX begins and X ends X\n"
FOUND = [b"has X here", b"X", b"long " + b"y" * 50 + b"X", b"X begins and X ends X"]


def found(blocks: LineBlocks) -> list[bytes]:
    return [line for block in blocks.blocks() for line in lines_with(block, re.compile(b"X"))]


def opened(data: bytes, offset: int = 0) -> LineBlocks:
    return LineBlocks(io.BytesIO(data), offset)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 16, 64, 1000])
@pytest.mark.parametrize("torn", [b"", b"X and", b"no mark"])
def test_every_block_size_finds_the_same(monkeypatch: pytest.MonkeyPatch, block: int, torn: bytes) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    blocks = opened(TEXT + torn)
    assert found(blocks) == FOUND
    assert (blocks.offset, blocks.torn) == (len(TEXT), torn)


@pytest.mark.parametrize("block", [1, 5, 64, 1000])
def test_blocks_are_whole_lines_and_all_of_them(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    given = [bytes(each) for each in opened(TEXT + b"rest").blocks()]
    assert b"".join(given) == TEXT
    assert all(each.endswith(b"\n") for each in given)


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_two_readings_find_what_one_does(cut: int) -> None:
    first = opened(TEXT[:cut])
    before = found(first)
    assert [*before, *found(opened(TEXT, first.offset))] == FOUND


def test_a_line_without_measure_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 8)
    monkeypatch.setattr(lines, "LONGEST_LINE", 20)
    text = b"X1\n" + b"X" * 100 + b"\nX2\nend\n"
    blocks = opened(text)
    assert found(blocks) == [b"X1", b"X2"]
    assert (blocks.offset, blocks.too_long) == (len(text), 1)
    endless = opened(b"X1\n" + b"X" * 100)
    assert found(endless) == [b"X1"]
    assert (endless.offset, endless.torn) == (3, b"")
