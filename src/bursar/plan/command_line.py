"""Whether a line can be nothing but a command. When in doubt it says no, and why."""

from __future__ import annotations

import re

from bursar.plan.programs import (
    CHAINED,
    LOCAL_SCRIPT,
    PROGRAMS,
    SCRIPT_RUNNERS,
    SENTENCE_WORDS,
    WRAPPERS,
    Program,
)
from bursar.plan.shell_text import Word, split_segments

_BARE_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*[.,:;!?]*")
_SENTENCE_END = re.compile(r"[\w/()%-]*[\w)%][.,:;!?]")
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=.*", re.DOTALL)
_LOCAL_SCRIPT = re.compile(r"(?:(?:\.{1,2}|~|scripts?|bin|tools|\.venv)/(?:[\w.@+-]+/)*[\w.@+-]+|[\w-]+\.(?:sh|bash))")
_SCRIPT_NAME = re.compile(r"[\w@/-]+(?:[:.][\w@/-]+)*")
_VALUE_OPTION = re.compile(r"-[mkptnfecCPjdHX]|--\w[\w-]*")
_WRAPPER_OPTIONS = frozenset({"--yes", "-y", "--no-install", "--"})


def why_not_command(line: str) -> str | None:
    """Why `line` may be a sentence; None where it is surely a command."""
    segments = split_segments(line)
    if segments is None:
        return "quotes or brackets do not close as a shell's would"
    for position, words in enumerate(segments):
        reason = _why_not_segment(words, is_first=position == 0, is_last=position == len(segments) - 1)
        if reason is not None:
            return reason
    return None


def begins_with_program(line: str) -> bool:
    """Whether a line that is marked as code begins with a known program and says what that should do."""
    segments = split_segments(line)
    words = _without_prefixes(segments[0]) if segments else []
    if not words:
        return False
    return len(words) > 1 and (_program(words[0].text) is not None or words[0].text in CHAINED | {"cd"})


def _program(name: str) -> Program | None:
    known = PROGRAMS.get(name)
    return LOCAL_SCRIPT if known is None and _LOCAL_SCRIPT.fullmatch(name) else known


def _why_not_segment(words: list[Word], *, is_first: bool, is_last: bool) -> str | None:
    words = _without_prefixes(words)
    if not words:
        return "it names no program"
    name, arguments = words[0].text, words[1:]
    if name in CHAINED and not is_first:
        return None
    if name == "cd" and not is_last:
        return None if len(arguments) == 1 else "`cd` takes one folder"
    if arguments and f"{name} {arguments[0].text}" in SCRIPT_RUNNERS:
        return _why_not_script(arguments[1:])
    program = _program(name)
    if program is None:
        return f"`{name}` is no program that is known here"
    return _why_not_arguments(name, program, arguments)


def _without_prefixes(words: list[Word]) -> list[Word]:
    """The words after `!`, `NAME=value`, `timeout 60` and programs that run another (`npx`, `uv run`)."""
    while words:
        taken = _prefix_length(words)
        if taken == 0:
            break
        words = words[taken:]
    return words


def _prefix_length(words: list[Word]) -> int:
    first, pair = words[0].text, " ".join(word.text for word in words[:2])
    if first == "!" or _ASSIGNMENT.fullmatch(first):
        return 1
    if first == "timeout" and len(words) > 2:
        return 2
    taken = WRAPPERS.get(pair) or WRAPPERS.get(first) or 0
    while taken and len(words) > taken and words[taken].text in _WRAPPER_OPTIONS:
        taken += 1
    return taken


def _why_not_script(arguments: list[Word]) -> str | None:
    """`npm run NAME …`: one word is the name, and what follows it may not be a sentence."""
    if not arguments or not _SCRIPT_NAME.fullmatch(arguments[0].text):
        return "it names no script"
    name = arguments[0].text
    if name in SENTENCE_WORDS - {"verify", "clean", "all"}:
        return _sentence_word(name)
    return _why_not_arguments(name, Program(), arguments[1:])


def _why_not_arguments(name: str, program: Program, arguments: list[Word]) -> str | None:
    """Why these arguments read like a sentence; None where they do not."""
    bare_left, operands = program.bare, 0
    for position, word in enumerate(arguments):
        is_value = position > 0 and _VALUE_OPTION.fullmatch(arguments[position - 1].text) is not None
        if word.is_quoted or not _BARE_WORD.fullmatch(word.text):
            if not word.is_quoted and (not word.text.isascii() or _SENTENCE_END.fullmatch(word.text)):
                return _sentence_word(word.text)
            operands += 1
        elif (position == 0 and word.text in program.subcommands) or word.text in program.names:
            continue
        elif _is_of_sentence(word.text):
            return _sentence_word(word.text)
        elif is_value:
            operands += 1
        elif bare_left > 0 and (operands > 0 or program.takes_pattern):
            bare_left -= 1
        else:
            return f"`{word.text}` may be a word of a sentence"
    return f"`{name}` alone says too little" if program.needs_operand and operands == 0 else None


def _is_of_sentence(word: str) -> bool:
    return word.lower() in SENTENCE_WORDS or word.endswith("ly") or not word[-1].isalpha()


def _sentence_word(word: str) -> str:
    return f"`{word}` is a word of a sentence"
