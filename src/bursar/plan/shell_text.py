"""Just enough of the shell's grammar to tell whole commands from sentences. Nothing is expanded or run."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_COMPOUND = re.compile(r"(?:if|for|while|until|case|function)\b|[({]\s*$|\w+\s*\(\)\s*\{")
_CONTINUES = ("\\", "&&", "|")
_FENCE_OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^`]*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command line; `is_quoted` where any of it stands in quotes or an expansion."""

    text: str
    is_quoted: bool = False


def split_segments(line: str) -> list[list[Word]] | None:
    """The simple commands of a line, split at `&&`, `||`, `|` and `;`; None where quotes or brackets do not close.

    Redirections (`2>&1`, `> out.txt`) are dropped. Brackets of a subshell count as not closed: such lines are for
    people to mark as commands.
    """
    segments: list[list[Word]] = [[]]
    index = 0
    while index < len(line):
        match = _TOKEN.match(line, index)
        if match is None:
            return None
        index = match.end()
        if match["operator"]:
            segments.append([])
        elif match["word"]:
            is_quoted = any(mark in match["word"] for mark in "'\"$\\")
            segments[-1].append(Word(match["word"], is_quoted))
    if len(segments) > 1 and not segments[-1] and line.rstrip().endswith((";", "&")):
        segments.pop()
    return segments if all(segments) else None


_QUOTED = r"'[^']*+'|\"(?:[^\"\\]|\\.)*+\"|\$\((?:[^()'\"]|'[^']*+'|\"(?:[^\"\\]|\\.)*+\")*+\)|\\."
_TOKEN = re.compile(
    r"\s++"
    r"|(?P<redirection>\d?>>?\s*&\d|&?\d?>>?\s*[^\s;&|<>()]++|<\s*[\w./-]++(?=\s|$))"
    r"|(?P<operator>&&|\|\|?|;)"
    rf"|(?P<word>(?:{_QUOTED}|[^\s;&|<>()'\"\\`])++)",
    re.DOTALL,
)


def join_lines(text: str) -> list[str]:
    """The commands of a script, one each, with continued lines joined; blank lines and comments dropped.

    A script with a compound command, a here-document or a quotation over several lines is one command as a whole.
    """
    if _spans_lines(text):
        return [text.strip()]
    commands: list[str] = []
    pending: list[str] = []
    for line in map(str.strip, text.split("\n")):
        if not line or (line.startswith("#") and not pending):
            continue
        pending.append(line.removesuffix("\\").rstrip())
        if not line.endswith(_CONTINUES):
            commands.append(" ".join(pending))
            pending = []
    return [*commands, " ".join(pending)] if pending else commands


def _spans_lines(text: str) -> bool:
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.strip().startswith("#")]
    if len(lines) < 2:
        return False
    return any(_HEREDOC.search(line) or _COMPOUND.match(line) or _is_open(line) for line in lines)


def _is_open(line: str) -> bool:
    """Whether a quotation begins in the line and does not end in it."""
    rest = re.sub(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", "", line)
    return "'" in rest or '"' in rest


@dataclass(frozen=True, slots=True)
class Fence:
    """A code block: its language in lower case, its text, and where it begins and ends in the text around it."""

    language: str
    text: str
    start: int
    after: int


def find_fences(text: str) -> list[Fence]:
    """The closed code blocks of a text; a closing mark is at least as long as the opening one and stands alone."""
    fences: list[Fence] = []
    opening: re.Match[str] | None = None
    opened, offset = 0, 0
    for line in text.split("\n"):
        after = offset + len(line)
        if opening is None:
            opening, opened = _FENCE_OPENING.fullmatch(line), offset
        elif set(mark := line.strip()) == {opening[1][0]} and len(mark) >= len(opening[1]):
            inner = text[opened + len(opening[0]) + 1 : offset]
            fences.append(Fence(opening[2].lower(), inner, opened, after))
            opening = None
        offset = after + 1
    return fences
