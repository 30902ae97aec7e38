"""Which calls in Claude Code's logs ccusage leaves out, or prices otherwise, and why: for `bursar usage verify`.

Source: ccusage 20.0.24, tried with one record each; docs/usage.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
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
_FAST = re.compile(rb'"speed"\s*:\s*"fast"')
_TIER = re.compile(rb'"service_tier"\s*:\s*"(?!standard")([^"\\]{1,40})"')
_EMPTY_SPLIT = re.compile(rb'"cache_creation"\s*:\s*\{(?:[^{}:]*:\s*0\s*,?)*\s*\}')
_SOME_WRITES = re.compile(rb'"cache_creation_input_tokens"\s*:\s*[1-9]')
_COST = re.compile(rb'"costUSD"\s*:\s*\d')
_TIME = re.compile(rb'"timestamp"\s*:\s*"(?!\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|[+-]\d\d:\d\d)")')
_EMPTY = re.compile(rb'"(id|requestId|sessionId|model)"\s*:\s*""')
_NEEDED = tuple((name, re.compile(rf'"{name}"\s*:\s*\d'.encode())) for name in ("input_tokens", "output_tokens"))


class Dropped(NamedTuple):
    """A call that ccusage does not count, or not as a whole, or at another price."""

    at: int
    model: str
    reason: str


def find_dropped(environment: Mapping[str, str]) -> Iterator[Dropped]:
    """Every such record; one call may have several. Files that cannot be read are passed over."""
    return _find(environment, why_dropped)


def find_tiers(environment: Mapping[str, str]) -> Iterator[Dropped]:
    """Every record of a service tier that ccusage does not price as one."""
    return _find(environment, why_priced_otherwise)


def find_refused(environment: Mapping[str, str]) -> Iterator[Dropped]:
    """Every record that bursar itself does not count, because it tells of no call that can have been."""
    for file, line in _lines(environment):
        reader = ClaudeReader(file, "")
        if not reader.read(memoryview(line)) and reader.refused:
            try:
                value = json.loads(line)
                at, model = datetime.fromisoformat(value["timestamp"]), str(value["message"]["model"])
                yield Dropped(round(at.timestamp() * 1000), model, "a count or a time that no call can have")
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue  # nobody could say where it would belong


def find_repeated(environment: Mapping[str, str]) -> Iterator[Dropped]:
    """Every record that ccusage counts although it repeats one: it knows repeats by message and request together."""
    seen: set[str] = set()
    for file, line in _lines(environment):
        if b'"requestId"' not in line:
            for message, _, at, model, *_ in ClaudeReader(file, "").read(memoryview(line)):
                if message in seen:
                    yield Dropped(at, model, "a record without `requestId` is never a repeat to it")
                seen.update([message] if message else [])


def _find(environment: Mapping[str, str], why: Callable[[bytes], str | None]) -> Iterator[Dropped]:
    for file, line in _lines(environment):
        if (reason := why(line)) is not None:
            for call in ClaudeReader(file, "").read(memoryview(line)):
                yield Dropped(call[2], call[3], reason)


def _lines(environment: Mapping[str, str]) -> Iterator[tuple[LogFile, bytes]]:
    """Every line that may tell of a call, and its file."""
    for root in SOURCES[0].roots(environment):
        for file in FolderSearch(SOURCES[0].suffixes, {}).changed_in(root):
            try:
                with open(file.path, "rb", buffering=0) as opened:
                    lines = LineBlocks(opened)
                    for block in lines.blocks():
                        yield from ((file, line) for line in lines_with(block, _USAGE))
                    yield from ((file, line) for line in lines_with(memoryview(lines.torn), _USAGE))
            except OSError:
                continue


def why_priced_otherwise(line: bytes) -> str | None:
    """Why a line's call has another price; None where it has not."""
    if _FAST.search(line):
        return "`speed: fast`: ccusage takes a multiple of the usual price, bursar what you state for that service tier"
    if found := _TIER.search(line):
        return f"service tier `{found[1].decode(errors='replace')}`: ccusage takes the usual price"
    if _COST.search(line):
        return "the log itself states a cost (`costUSD`), which ccusage takes"
    return None


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
    if _TIME.search(line):
        return "a time in a form that it does not read"
    if found := _EMPTY.search(line):
        return f"`{found[1].decode()}` is empty"
    for name, needed in _NEEDED:
        if not needed.search(line):
            return f"`{name}` is missing"
    if _EMPTY_SPLIT.search(line) and _SOME_WRITES.search(line):
        return "cache writes that are not split count as none"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "a byte is no UTF-8"
    return None
