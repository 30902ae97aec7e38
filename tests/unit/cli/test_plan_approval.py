"""A person is asked to approve commands; whoever leaves the question leaves its line, too."""

from __future__ import annotations

import io
import sys

import pytest

from bursar.cli.plan_approval import _ask


class Terminal(io.StringIO):
    """Somebody sits there; `interrupts`: they press ctrl-C."""

    def __init__(self, typed: str = "", *, interrupts: bool = False) -> None:
        super().__init__(typed)
        self._interrupts = interrupts

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as in typeshed itself
        if self._interrupts:
            raise KeyboardInterrupt
        return super().readline()


@pytest.mark.parametrize(
    ("typed", "approves", "end"),
    [("y\n", True, "[y/N] "), ("YES \n", True, "[y/N] "), ("\n", False, "[y/N] "), ("", False, "[y/N] \n")],
)
def test_only_a_yes_is_one(monkeypatch: pytest.MonkeyPatch, typed: str, approves: bool, end: str) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", screen)
    assert _ask("PLAN would use these commands:\n  task 1: true\n") is approves
    assert screen.getvalue().endswith(f"run them? {end}")


def test_ctrl_c_ends_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(interrupts=True))
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(KeyboardInterrupt):
        _ask("these commands:\n")
    assert screen.getvalue() == "these commands:\nrun them? [y/N] \n"
