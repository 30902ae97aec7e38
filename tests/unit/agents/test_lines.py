"""Lines come out whole, however the bytes are split, and memory stays bounded."""

from __future__ import annotations

import pytest

from bursar.agents import LineSplitter


@pytest.mark.parametrize(
    ("chunks", "lines", "rest"),
    [
        ([], [], None),
        ([b""], [], None),
        ([b"a\nb\n"], [b"a", b"b"], None),
        ([b"a", b"b\n", b"c"], [b"ab"], b"c"),
        ([b"\n\n"], [b"", b""], None),
        ([b"a\n", b"\n", b"b"], [b"a", b""], b"b"),
        ([b"a\r\nb"], [b"a\r"], b"b"),
        ([b"12345678", b"9\nok\n"], [b"12345", b"ok"], None),
        ([b"1234\n12345"], [b"1234"], b"12345"),
        ([b"123456", b"78", b"9"], [], b"12345"),
    ],
)
def test_split(chunks: list[bytes], lines: list[bytes], rest: bytes | None) -> None:
    splitter = LineSplitter(limit=4)
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.finish() == rest
    assert splitter.finish() is None


def test_the_rest_of_a_line_that_is_too_long_is_not_kept() -> None:
    splitter = LineSplitter(limit=10)
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
    assert splitter.feed(b"\nnext\n") == [b"x" * 11, b"next"]
