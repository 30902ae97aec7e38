"""Others' words do not steer the terminal that they are shown on."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator

import pytest

from bursar.cli.terminal import HarmlessTerminal, guard_terminal, show_all, width_of, write_whole


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm -rf ~ \x1b[2K\r\x1b[1A; true", r"rm -rf ~ \x1b[2K\r\x1b[1A; true"),
        ("a\x1b[8mhidden", r"a\x1b[8mhidden"),
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("a\u202eb\u200bc\u2028d", r"a\u202eb\u200bc\u2028d"),
        ("a\x9b2Jb\x7f\x08", r"a\x9b2Jb\x7f\x08"),
        ("\x1b", r"\x1b"),
        ("\x1b[31", r"\x1b[31"),
        ("\x1b[1;8mx", r"\x1b[1;8mx"),
    ],
)
def test_what_would_be_obeyed_or_not_shown_is_escaped(text: str, shown: str) -> None:
    assert show_all(text) == shown


@pytest.mark.parametrize(
    "text", ["a\tb\nc\n", "\x1b[31m✗\x1b[0m 1", "prix\xa0: 3\u202f000\u3000円", "👩\u200d💻 ünï", ""]
)
def test_what_is_text_or_our_own_style_stays(text: str) -> None:
    assert show_all(text) == text


def test_a_terminal_is_guarded_once_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, file = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr(sys, "stderr", terminal)
    guard_terminal()
    guard_terminal()
    assert sys.stdout is file
    assert isinstance(sys.stderr, HarmlessTerminal)
    sys.stderr.write("a\x1b[2J\n")
    sys.stderr.writelines(["b\r", "c"])
    sys.stderr.flush()
    assert terminal.getvalue() == "a\\x1b[2J\nb\\rc"
    assert sys.stderr.isatty()


@pytest.fixture
def narrow() -> Iterator[Terminal]:
    """A terminal of 40 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 40, 0, 0))
    terminal = Terminal()
    setattr(terminal, "fileno", lambda: theirs)  # noqa: B010 — mypy lets no method be replaced
    yield terminal
    os.close(ours)
    os.close(theirs)


WIDE = "warning: this is said in more words than a line of it has room for\n"


def test_lines_are_folded_between_words(narrow: Terminal) -> None:
    assert HarmlessTerminal(narrow).write(WIDE) == len(WIDE), "what was asked for is written"
    assert narrow.getvalue() == "warning: this is said in more words than\n  a line of it has room for\n"


def test_what_is_no_terminal_is_as_wide_as_it_is() -> None:
    terminal = Terminal()
    HarmlessTerminal(terminal).write(WIDE)
    assert terminal.getvalue() == WIDE
    assert width_of(io.StringIO()) is None


def test_what_is_to_be_copied_is_whole_and_still_harmless(narrow: Terminal) -> None:
    write_whole(HarmlessTerminal(narrow), WIDE + "\x1b[2K")  # type: ignore[arg-type]  # as `sys.stdout` is
    assert narrow.getvalue() == WIDE + "\\x1b[2K"
    file = io.StringIO()
    write_whole(file, "\x1b[2K" + WIDE)
    assert file.getvalue() == "\x1b[2K" + WIDE


def test_json_that_is_written_bit_by_bit_is_whole(narrow: Terminal) -> None:
    value = {"words": ["a sentence that is far wider than forty columns are", "b"], "n": 1}
    json.dump(value, HarmlessTerminal(narrow), indent=2)
    assert json.loads(narrow.getvalue()) == value
