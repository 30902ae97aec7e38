"""What is told of an attempt beside its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.events import LineRejected
from bursar.metering import Meter
from bursar.supervision.remarks import describe_rejections, read_last_line


def test_rejections_are_counted_and_the_first_reasons_told_once_each() -> None:
    meter = Meter("m")
    assert list(describe_rejections(meter)) == []
    meter.feed(LineRejected(reason="not JSON"))
    assert list(describe_rejections(meter)) == [
        "1 line or figure of the agent's was not understood, or not believed: not JSON"
    ]
    for number in range(100):
        meter.feed(LineRejected(reason="not JSON"))
        meter.feed(LineRejected(reason=f"absurd {number}"))
    (said,) = describe_rejections(meter)
    assert (
        said == "201 lines or figures of the agent's were not understood, or not believed: not JSON; absurd 0; absurd 1"
    )


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (b"", ""),
        (b"\n \n", ""),
        (b"usage: x\nerror: no\n\n", "error: no"),
        (b"\xff\xfe no text\n", "�� no text"),
        (b"x" * 9000 + b"\nthe end", "the end"),
        (b"y" * 9000, "y" * 300),
        (b"\x1b[31mno \x1b[1;38;5;7mlogin\x1b[0m\n\x1b[0m\n", "no login"),
    ],
)
def test_the_last_line_that_says_anything(tmp_path: Path, content: bytes, last: str) -> None:
    path = tmp_path / "stderr.log"
    path.write_bytes(content)
    assert read_last_line(path) == last
    assert read_last_line(tmp_path / "none") == ""
