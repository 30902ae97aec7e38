"""Lines with a marker are found whatever blocks the file is read in."""

from __future__ import annotations

import io

import pytest

from bursar.logs import lines
from bursar.logs.lines import LineFinder

TEXT = b"one\nhas X here\n\nX\nlong " + b"y" * 50 + b"X\nnone\nX begins and X ends X\n"
FOUND = [b"has X here", b"X", b"long " + b"y" * 50 + b"X", b"X begins and X ends X"]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 16, 64, 1000])
@pytest.mark.parametrize("torn", [b"", b"X and", b"no mark"])
def test_every_block_size_finds_the_same(monkeypatch: pytest.MonkeyPatch, block: int, torn: bytes) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    finder = LineFinder(io.BytesIO(TEXT + torn), b"X")
    assert list(finder.lines()) == FOUND
    assert finder.offset == len(TEXT)
    assert finder.torn == (torn if b"X" in torn else b"")


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_two_readings_find_what_one_does(cut: int) -> None:
    first = LineFinder(io.BytesIO(TEXT[:cut]), b"X")
    found = list(first.lines())
    second = LineFinder(io.BytesIO(TEXT), b"X", first.offset)
    assert [*found, *second.lines()] == FOUND


def test_a_line_without_measure_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 8)
    monkeypatch.setattr(lines, "LONGEST_LINE", 20)
    text = b"X1\n" + b"X" * 100 + b"\nX2\nend\n"
    finder = LineFinder(io.BytesIO(text), b"X")
    assert list(finder.lines()) == [b"X1", b"X2"]
    assert finder.offset == len(text)
    endless = LineFinder(io.BytesIO(b"X1\n" + b"X" * 100), b"X")
    assert list(endless.lines()) == [b"X1"]
    assert (endless.offset, endless.torn) == (3, b"")
