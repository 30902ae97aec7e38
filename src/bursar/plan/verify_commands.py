"""What of a `<verify>` text can be run, and what is for the agent to read.

Only four forms are commands: `<automated>` elements, fenced code, a text that is one code span, and a single line that
can be nothing but a command. When in doubt it is prose: prose is handed to the agent, a wrong command would be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bursar.plan.command_line import begins_with_program, why_not_command
from bursar.plan.shell_text import Fence, find_fences, join_lines
from bursar.plan.source import decode_entities, shortened

_AUTOMATED = re.compile(r"<automated(?:\s[^<>]*)?>(?P<text>.*?)</automated\s*>", re.DOTALL)
_CODE_SPAN = re.compile(r"(?P<mark>`{1,2})(?!`)(?P<text>[^`\n]+)(?P=mark)")
_SHELL_LANGUAGES = frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session"})
_PLACEHOLDER = re.compile(
    r"(?:missing|todo|tbd|fixme|none|n/?a|manual(?:ly)?|no automated|not applicable|pending|skip(?:ped)?|deferred)\b",
    re.IGNORECASE,
)
_TO_FILL_IN = re.compile(r"<(?:your|paste|insert|the|path|name)\b[^<>\n]*>", re.IGNORECASE)
_PROGRAM_WORD = re.compile(r"(?:[a-z0-9_.~/!\[$({-]|[A-Z_][A-Z0-9_]*=)\S*|Rscript")
_LONGEST = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyText:
    """A `<verify>` text taken apart.

    Attributes:
        commands: what can be run, in order, each a line (or a whole script) for a shell.
        instructions: the rest, for the agent to read.
        reason: why it was read so, in a few words for people.
    """

    commands: tuple[str, ...]
    instructions: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Lines:
    commands: tuple[str, ...]
    refused: tuple[str, ...]


def classify_verify(text: str) -> VerifyText:
    """What of `text` can be run; everything else of it comes back as instructions."""
    text = text.strip()
    if not text:
        return _prose("", "there is no text")
    if "<automated" in text and "</automated" in text:
        return _from_automated(text)
    if fences := find_fences(text):
        return _from_fences(text, fences)
    if span := _CODE_SPAN.fullmatch(text):
        return _from_marked(text, span["text"].strip(), "code span")
    return _from_line(text)


def _prose(text: str, reason: str) -> VerifyText:
    return VerifyText(commands=(), instructions=text, reason=f"prose: {reason}")


def _from_automated(text: str) -> VerifyText:
    """Every line of every `<automated>` element that is not a remark; the text around them stays for the agent."""
    commands: list[str] = []
    # No search past the last closing tag: openings without one would each look for it to the end of the text.
    end = text.index(">", last) + 1 if ">" in text[(last := text.rfind("</automated")) :] else last
    rest = [(_AUTOMATED.sub("", text[:end]) + text[end:]).strip()]
    for match in _AUTOMATED.finditer(text, 0, end):
        lines = _sort_lines(_unescaped(match["text"]))
        commands.extend(lines.commands)
        rest.extend(lines.refused)
    instructions = "\n".join(part for part in rest if part)
    if not commands:
        return _prose(instructions, "`<automated>` holds no command")
    return VerifyText(commands=tuple(commands), instructions=instructions, reason="`<automated>`")


def _unescaped(text: str) -> str:
    """The text with its entities decoded where it is escaped: where one stands outside quotes, of no use to a shell.

    Within quotes only (`grep -c "&lt;b&gt;" page.html`) an entity may be what is looked for.
    """
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return decode_entities(text) if decode_entities(unquoted) != unquoted else text


def _sort_lines(text: str) -> _Lines:
    fences = find_fences(text)
    lines = [_unmarked(line) for line in join_lines(fences[0].text if fences else text)]
    commands = tuple(line for line in lines if _may_be_command(line))
    return _Lines(commands, tuple(line for line in lines if not _may_be_command(line)))


def _from_fences(text: str, fences: list[Fence]) -> VerifyText:
    """The lines of the only code block, where its language is the shell's, or every line is surely a command."""
    fence = fences[0]
    if len(fences) > 1:
        return _prose(text, "there are several code blocks")
    if fence.language and fence.language not in _SHELL_LANGUAGES:
        return _prose(text, f"the code block is {shortened(fence.language)}, not shell")
    lines = [_unmarked(line) for line in join_lines(fence.text)]
    is_command = _may_be_command if fence.language else _is_known_command
    refused = next((line for line in lines if not is_command(line)), None)
    if refused is not None:
        return _prose(text, f"in the code block, `{shortened(refused)}` is no command")
    if not lines:
        return _prose(text, "the code block is empty")
    outside = (text[: fence.start] + text[fence.after :]).strip()
    return VerifyText(commands=tuple(lines), instructions=outside, reason="code block")


def _from_marked(text: str, command: str, reason: str) -> VerifyText:
    if _is_known_command(_unmarked(command)):
        return VerifyText(commands=(_unmarked(command),), instructions="", reason=reason)
    return _prose(text, "the code span does not begin with a program that is known here")


def _from_line(text: str) -> VerifyText:
    """A single line (it may be continued with `\\`) that can be nothing but a command."""
    lines = join_lines(text) if len(text) <= _LONGEST else []
    if len(lines) != 1 or "\n" in lines[0]:
        return _prose(text, "there are several lines")
    if "`" in text or "…" in text:
        return _prose(text, "code is quoted within a sentence")
    reason = why_not_command(lines[0])
    if reason is not None:
        return _prose(text, reason)
    return VerifyText(commands=(lines[0],), instructions="", reason="single command")


def _unmarked(line: str) -> str:
    """`line` without a prompt, a bullet before code or back-quotes around it."""
    line = re.sub(r"^[-*][ \t]+(?=`)", "", line.strip())
    span = _CODE_SPAN.fullmatch(line)
    return re.sub(r"^[$%>][ \t]+", "", (span["text"] if span else line).strip())


def _may_be_command(line: str) -> bool:
    """Whether a line that its author marked as a command may be run: no remark, and it begins like a program."""
    first = line.split(maxsplit=1)[0] if line.split() else ""
    if _PLACEHOLDER.match(line) or _TO_FILL_IN.search(line):
        return False
    return _PROGRAM_WORD.fullmatch(first) is not None and not first.endswith((":", ","))


def _is_known_command(line: str) -> bool:
    """Whether code that is not marked as shell is a command all the same."""
    return _may_be_command(line) and (begins_with_program(line) or why_not_command(line) is None)
