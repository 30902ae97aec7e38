"""Edits of a text as a unified diff, which `patch` and `git apply` take."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bursar.plan.original import Edit, apply_edits

_CONTEXT = 3
_NO_LINE_END = "\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines from `first` up to `after` (from 0, as they were) that give way to `lines`."""

    first: int
    after: int
    lines: tuple[str, ...]


def render_diff(text: str, edits: Sequence[Edit], path: str) -> str:
    """The edits of `text` as a unified diff with three lines of context; empty where there are none."""
    if not edits:
        return ""
    lines = _lines(text)
    pieces = [f"--- {path}\n", f"+++ {path}\n"]
    shift = 0
    for hunk in _hunks(_changes(text, edits)):
        first, after = max(0, hunk[0].first - _CONTEXT), min(len(lines), hunk[-1].after + _CONTEXT)
        more = sum(len(change.lines) - (change.after - change.first) for change in hunk)
        sizes = _place(first, after - first), _place(first + shift, after - first + more)
        pieces += [f"@@ -{sizes[0]} +{sizes[1]} @@\n", *_hunk_lines(lines, hunk, first, after)]
        shift += more
    return "".join(pieces)


def _lines(text: str) -> list[str]:
    """The lines with their `\\n`; the last may have none."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _changes(text: str, edits: Sequence[Edit]) -> list[_Change]:
    """What happens to whole lines, in order; edits of one line are one change."""
    lines = _lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    last = len(lines) if text.endswith("\n") or not lines else len(lines) - 1  # what is added at the end belongs there
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in sorted(edits, key=lambda edit: edit.start):
        first = min(bisect_right(starts, edit.start) - 1, last)
        is_whole = edit.start == edit.end == starts[first] and (edit.text.endswith("\n") or first == len(lines))
        after = first if is_whole else bisect_right(starts, max(edit.start, edit.end - 1), hi=len(starts) - 1)
        if groups and first < groups[-1][1]:
            groups[-1] = (groups[-1][0], max(groups[-1][1], after), [*groups[-1][2], edit])
        else:
            groups.append((first, after, [edit]))
    return [_change(text, starts, *group) for group in groups]


def _change(text: str, starts: Sequence[int], first: int, after: int, edits: Sequence[Edit]) -> _Change:
    start = starts[first]
    moved = [replace(edit, start=edit.start - start, end=edit.end - start) for edit in edits]
    return _Change(first, after, tuple(_lines(apply_edits(text[start : starts[after]], moved))))


def _hunks(changes: Sequence[_Change]) -> list[list[_Change]]:
    """Changes whose context would touch stand in one hunk."""
    hunks: list[list[_Change]] = []
    for change in changes:
        if hunks and change.first - hunks[-1][-1].after <= 2 * _CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    return hunks


def _place(first: int, count: int) -> str:
    """A range of lines as diffs have it: counted from 1, and by the line before where it is empty."""
    start = first + 1 if count else first
    return f"{start}" if count == 1 else f"{start},{count}"


def _hunk_lines(lines: Sequence[str], hunk: Sequence[_Change], first: int, after: int) -> list[str]:
    found: list[str] = []
    cursor = first
    for change in hunk:
        found += [f" {line}" for line in lines[cursor : change.first]]
        found += [f"-{line}" for line in lines[change.first : change.after]]
        found += [f"+{line}" for line in change.lines]
        cursor = change.after
    found += [f" {line}" for line in lines[cursor:after]]
    return [line if line.endswith("\n") else line + _NO_LINE_END for line in found]
