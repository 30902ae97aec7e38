"""Which calls in Claude Code's logs ccusage leaves out, and why: for `bursar usage verify`.

Source: ccusage 20.0.24, tried with one record each; docs/usage.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bursar.logs.claude import ClaudeReader
from bursar.logs.files import FolderSearch, LogFile
from bursar.logs.lines import LineBlocks, lines_with
from bursar.logs.places import SOURCES

_USAGE = re.compile(rb'"usage"')
_FIELDS = (
    "id|cwd|model|speed|costUSD|version|sessionId|requestId|isApiErrorMessage|cache_read_input_tokens"
    "|cache_creation_input_tokens"
)
_NULL = re.compile(rb'"(' + _FIELDS.encode() + rb')"\s*:\s*null')
_BROKEN_COUNT = re.compile(rb'_tokens"\s*:\s*\d+(?:\.|[eE])')
_VERSION = re.compile(rb'"version"\s*:\s*"(?!\d+\.\d+\.\d+)')
_EMPTY_SPLIT = re.compile(rb'"cache_creation"\s*:\s*\{\s*\}')


class Dropped(NamedTuple):
    """A call that ccusage does not count, or not as a whole."""

    at: int
    model: str
    reason: str


def find_dropped(environment: Mapping[str, str]) -> Iterator[Dropped]:
    """Every such record; one call may have several. Files that cannot be read are passed over."""
    for root in SOURCES[0].roots(environment):
        for file in FolderSearch(SOURCES[0].suffixes, {}).changed_in(root):
            try:
                with open(file.path, "rb", buffering=0) as opened:
                    for block in LineBlocks(opened).blocks():
                        yield from _dropped_in(file, block)
            except OSError:
                continue


def _dropped_in(file: LogFile, block: memoryview) -> Iterator[Dropped]:
    for line in lines_with(block, _USAGE):
        if (reason := why_dropped(line)) is not None:
            for call in ClaudeReader(file, "").read(memoryview(line)):
                yield Dropped(call[2], call[3], reason)


def why_dropped(line: bytes) -> str | None:
    """Why ccusage does not count a line, or not all of it; None where it does."""
    if b'"usage":{' not in line:
        return "a blank after `usage`"
    if found := _NULL.search(line):
        return f"`{found[1].decode()}` is null somewhere in the line"
    if _BROKEN_COUNT.search(line):
        return "a count is written as a fraction"
    if _VERSION.search(line):
        return "the agent's version is no number"
    if _EMPTY_SPLIT.search(line):
        return "cache writes that are not split count as none"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "a byte is no UTF-8"
    return None
