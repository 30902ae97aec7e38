"""Colour is for terminals, and for those who have not said no."""

from __future__ import annotations

import io

import pytest

from bursar.cli.terminal import wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "no_colour", "wanted"),
    [(Terminal(), None, True), (Terminal(), "", True), (Terminal(), "1", False), (io.StringIO(), None, False)],
)
def test_who_gets_colour(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, no_colour: str | None, wanted: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    if no_colour is not None:
        monkeypatch.setenv("NO_COLOR", no_colour)
    assert wants_colour(stream) is wanted
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(stream), "it knows no colours"
