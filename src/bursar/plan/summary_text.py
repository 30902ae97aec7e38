"""What a SUMMARY or VERIFICATION file says, whoever wrote it: its front matter, and where that is silent its headings.

Real ones come in many shapes, and nothing here is an error: what cannot be found is empty or None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bursar.plan.files import parse_files
from bursar.plan.front_matter import parse_front_matter
from bursar.plan.source import Source

MAX_TEXT = 500  # characters of a decision or an outcome
_HEADING = re.compile(r"^(#{1,6})[ \t]+([^\n]*)", re.MULTILINE)
_FILES_HEADING = re.compile(
    r"(?:key )?files?(?: (?:created|modified|changed))?(?:\W+(?:created|modified|changed))*", re.I
)
_FILES_HEADING_TOO = re.compile(r"(?:created|modified|changed|new) files?", re.IGNORECASE)
_DECISIONS_HEADING = re.compile(r"(?:\w+ ){0,2}decisions(?: made)?", re.IGNORECASE)
_BULLET = re.compile(r"^[ ]{0,3}(?:[-*+]|\d{1,3}[.)])[ \t]+(\S.*)$", re.MULTILINE)
_NO_DECISION = re.compile(r"(?:none|n/?a|nothing|no (?:new |major |significant )?decisions?)\b", re.IGNORECASE)
_LABEL = re.compile(r"\*\*(?:one[- ]liner|outcome|summary)\s*:?\s*\*\*\s*:?\s*", re.IGNORECASE)
_COUNT = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryText:
    """One SUMMARY file.

    Attributes:
        outcome: what was achieved, in a sentence or two; empty where it is not said.
        completed, duration: as written.
        status: as written, in lower case; `complete` where it says nothing, as its presence means done.
        tokens: metered by bursar, None in a file of somebody else's.
        cost_usd: decimal text, None where it is unknown.
    """

    outcome: str
    completed: str | None
    duration: str | None
    status: str
    provides: tuple[str, ...]
    files: tuple[str, ...]
    decisions: tuple[str, ...]
    tokens: int | None
    cost_usd: str | None


@dataclass(frozen=True, slots=True)
class VerificationText:
    """The verdict of a VERIFICATION file, as written; None where it has none."""

    status: str | None
    score: str | None


def parse_summary(text: str) -> SummaryText:
    """What the SUMMARY file with this text says."""
    values, body = _split(text)
    metrics = _mapping(values, "metrics")
    graph = _mapping(values, "dependency_graph", "dependency-graph")
    execution = _mapping(values, "execution")
    return SummaryText(
        outcome=_outcome(values, body),
        completed=_word(values, "completed", "completed_date") or _word(metrics, "completed", "completed_date"),
        duration=_word(values, "duration") or _word(metrics, "duration"),
        status=(_word(values, "status") or "complete").lower(),
        provides=tuple(map(_shortened, _texts(values, "provides") or _texts(graph, "provides"))),
        files=tuple(dict.fromkeys(_files(values, body))),
        decisions=tuple(dict.fromkeys(map(_shortened, _decisions(values, body)))),
        tokens=_count(execution.get("total_subagent_tokens")),
        cost_usd=_word(execution, "cost_usd"),
    )


def parse_verification(text: str) -> VerificationText:
    """What the VERIFICATION file with this text says."""
    values, _ = _split(text)
    status = _word(values, "status")
    return VerificationText(status.lower() if status else None, _word(values, "score"))


def _split(text: str) -> tuple[Mapping[str, object], str]:
    source = Source(text.removeprefix("\ufeff").replace("\r\n", "\n"), Path("SUMMARY.md"))
    front = parse_front_matter(source)
    return front.values, source.text[front.body_offset :]


def _mapping(values: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    return next((value for key in keys if isinstance(value := values.get(key), dict)), {})


def _word(values: Mapping[str, object], *keys: str) -> str | None:
    found = next((value for key in keys if isinstance(value := values.get(key), str) and value.strip()), None)
    return None if found is None else _shortened(found)


def _texts(values: Mapping[str, object], *keys: str) -> tuple[str, ...]:
    """The entries of a list, or the one text, under the first of the keys that has any."""
    for key in keys:
        value = values.get(key)
        entries = value if isinstance(value, list) else [value]
        texts = tuple(text for entry in entries if (text := " ".join(_entry(entry).split())))
        if texts:
            return texts
    return ()


def _entry(entry: object) -> str:
    """`text`, or of `{choice: A, rationale: B}` and `path: note` what comes first, and why."""
    if isinstance(entry, dict):
        texts = [str(value) for value in entry.values() if isinstance(value, str)]
        if not texts or len(entry) == 1:
            return ": ".join([*map(str, entry), *texts])
        reason = next((value for key in ("rationale", "reason") if isinstance(value := entry.get(key), str)), None)
        return texts[0] if reason is None or reason == texts[0] else f"{texts[0]} ({reason})"
    return entry if isinstance(entry, str) else ""


def _files(values: Mapping[str, object], body: str) -> Iterator[str]:
    key_files = _mapping(values, "key-files", "key_files")
    listed = [*_texts(key_files, "created"), *_texts(key_files, "modified")]
    listed += [*_texts(values, "files_created"), *_texts(values, "files_modified")]
    if not listed:
        sections = _sections(body, _FILES_HEADING, _FILES_HEADING_TOO)
        listed = [bullet[1] for section in sections for bullet in _BULLET.finditer(section)]
    for entry in listed:
        yield from parse_files(entry)


def _decisions(values: Mapping[str, object], body: str) -> Iterator[str]:
    listed = _texts(values, "key-decisions", "key_decisions", "decisions")
    if not listed:
        sections = _sections(body, _DECISIONS_HEADING)
        listed = tuple(bullet[1] for section in sections for bullet in _BULLET.finditer(section))
    yield from (entry for entry in listed if not _NO_DECISION.match(entry))


def _sections(body: str, *titles: re.Pattern[str]) -> Iterator[str]:
    """What stands under each heading of such a title, up to the next heading."""
    headings = list(_HEADING.finditer(body))
    ends = [*(heading.start() for heading in headings[1:]), len(body)]
    for heading, end in zip(headings, ends, strict=False):  # without a heading there is one end all the same
        if any(title.fullmatch(heading[2].strip(" \t#")) for title in titles):
            yield body[heading.end() : end]


def _outcome(values: Mapping[str, object], body: str) -> str:
    """The front matter's one-liner, else the first paragraph below the title that is no list, table or label."""
    said = _word(values, "one-liner", "one_liner", "outcome")
    if said:
        return said
    title = _HEADING.search(body)
    for paragraph in re.split(r"\n[ \t]*\n", body[title.end() :] if title else body)[:4]:
        text = " ".join(line.strip().removeprefix("> ") for line in paragraph.strip().split("\n"))
        bare = _LABEL.sub("", text, count=1)
        if bare and not re.match(r"#|\||[-*+] |---|\*\*[^*]{1,30}:\*\*|```|<", bare):
            return _shortened(bare.strip("*_ "))
    return ""


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, str) and _COUNT.fullmatch(value) else None
