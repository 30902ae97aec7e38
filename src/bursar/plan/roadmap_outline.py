"""Where a roadmap names its phases: headings and check lists, with the lines that belong to each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from bursar.plan.roadmap_lines import Line
from bursar.plan.roadmap_marks import NUMBER, PHASE_WORD, Title, plain, split_title, status_of
from bursar.plan.roadmap_model import PhaseStatus


class Kind(IntEnum):
    """How a phase is named, from the most telling to the least."""

    HEADING = 0
    LIST = 1
    TABLE = 2
    LOOSE = 3  # it may mean something else: `- [x] Phase 2 tested by hand`, `- Phase 2: Crane`


@dataclass(slots=True, kw_only=True)
class Mention:
    """One place that names a phase, and what it says there.

    Attributes:
        status: by the marks at this place; None where it has none.
        planned_plans: `(3/3 plans)`, or a table's column.
        lines: what stands below and belongs to it.
        milestone: the heading or summary of what it stands in.
        milestone_status: what that milestone is marked as.
        depends_text: a table's column.
    """

    kind: Kind
    number: str
    offset: int
    name: str = ""
    status: PhaseStatus | None = None
    planned_plans: int | None = None
    lines: list[Line] = field(default_factory=list)
    milestone: str = ""
    milestone_status: PhaseStatus | None = None
    depends_text: str | None = None
    depends_offset: int = 0


_HEADING = re.compile(
    rf"(?:\[(?P<box>[ xX~]?)\][ \t]*)?(?P<lead>[^\w\n]{{0,12}}){PHASE_WORD}[ \t]*#?(?P<number>{NUMBER})(?P<rest>.*)",
    re.DOTALL,
)
_CLOSING_HASHES = re.compile(r"(?<=[ \t])#+$")
_AFTER_NUMBER = re.compile(
    r"[*_~`\]]{0,6}[ \t]*(?P<bracket>[(\[（][^()\[\]（）]{0,80}[)\]）][ \t]*)?[*_~`]{0,4}[ \t]*"
    r"(?P<separator>[:：.—–|]|-{1,3}(?=[ \t0-9]))?[*_~` \t]*(?P<name>.*)",
    re.DOTALL,
)
_ITEM = re.compile(
    r"(?:[-*+]|[0-9]{1,4}[.)])[ \t]+"
    r"(?:\[(?P<box>[ xX~/✓✔✅-]?)\]|(?P<sign>[^\w\s\[*(`~_<-]\ufe0f?))[ \t]+"
    rf"(?P<open>(?:~~|\*\*|__|\[){{0,4}}){PHASE_WORD}[ \t]*(?P<number>{NUMBER})(?P<rest>.*)",
    re.DOTALL,
)
_BULLET = re.compile(
    rf"(?P<bullet>(?:[-*+]|[0-9]{{1,4}}[.)])[ \t]+)?(?P<open>\*\*|__)?{PHASE_WORD}[ \t]*(?P<number>{NUMBER})"
    r"(?P<rest>(?:\*\*|__)?[ \t]*(?:[:：]|[—–-]{1,2}[ \t]).*)",
    re.DOTALL,
)
_LONGEST = 2_000  # of a line that names a phase, this much is looked at
_LINK_END = re.compile(r"\]\([^()\s]{0,300}\)")
_TEXT_AFTER_NAME = re.compile(r"[ \t]+(?:--|—|–|-|→)[ \t]+|[ \t]*\((?=[0-9]{1,4}/[0-9])|~~")
_BOXES = {"x": PhaseStatus.COMPLETE, "✓": PhaseStatus.COMPLETE, "✔": PhaseStatus.COMPLETE, "✅": PhaseStatus.COMPLETE}
_BOXES |= {"~": PhaseStatus.IN_PROGRESS, "/": PhaseStatus.IN_PROGRESS, "-": PhaseStatus.DROPPED}
_SET_ASIDE = re.compile(
    r"\W{0,6}(?P<word>superseded|removed|dropped|cancell?ed|abandoned|obsolete|deferred|backlog|"
    r"postponed|parked|on hold)(?:[*_).,;:\]]|\s*$|\s+(?:by|in|into|to|until|for|—|-)\s)",
    re.IGNORECASE,
)
_MILESTONE = re.compile(
    r"\bmilestones?\b|\bv[0-9]{1,4}(?:\.[0-9]|\b)|\bM[0-9]{1,3}\b|\bphases?[ ][0-9]|\bfases?[ ][0-9]|\bmarco\b|里程碑|"
    r"\bbacklog\b|\barchived?\b|\brelease\b",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"(?:completed |current |all )?milestones?(?: (?:summary|goal|audit|complete when|overview))?|"
    r"phases?(?: (?:details?|summary))?",
    re.IGNORECASE,
)


def read_heading(line: Line) -> Mention | None:
    """The phase that a heading names; None for any other heading."""
    match = _HEADING.match(_CLOSING_HASHES.sub("", line.text.lstrip("#").lstrip()[:_LONGEST]))
    if match is None:
        return None
    rest = _AFTER_NUMBER.match(match["rest"])
    if rest is None or not _is_title(rest):
        return None
    title = split_title(rest["name"] + (f" {rest['bracket']}" if rest["bracket"] else ""))
    status = _box_status(match["box"]) or status_of(match["lead"]) or title.status
    if _is_struck(match["lead"], match["rest"]):
        status = PhaseStatus.DROPPED
    return Mention(
        kind=Kind.HEADING,
        number=match["number"],
        offset=line.offset,
        name=title.name,
        status=status,
        planned_plans=title.planned_plans,
    )


def read_item(line: Line, following: Sequence[Line]) -> Mention | None:
    """The phase that an item of a check list names; `following` are the lines after it, for names that wrap."""
    match = _ITEM.match(line.text)
    if match is None:
        return None
    rest = _LINK_END.sub("", match["rest"], count=1) if "[" in match["open"] else match["rest"]
    title, tail = _item_title(match["open"], rest, following)
    status = _set_aside(tail) or _item_status(match, title)
    if _is_struck(match["open"], rest) or title.status is PhaseStatus.DROPPED:
        status = PhaseStatus.DROPPED
    return Mention(
        kind=Kind.LOOSE if _is_loose(rest) else Kind.LIST,
        number=match["number"],
        offset=line.offset,
        name=title.name,
        status=status,
        planned_plans=title.planned_plans,
    )


def read_bullet(line: Line) -> Mention | None:
    """The phase that a plain bullet or a bold line names; believed only where nothing else names any."""
    match = _BULLET.match(line.text)
    if match is None or not (match["bullet"] or match["open"]):
        return None
    title, tail = _item_title(match["open"] or "", match["rest"], [])
    status = title.status or _set_aside(tail)
    return Mention(kind=Kind.LOOSE, number=match["number"], offset=line.offset, name=title.name, status=status)


def _is_struck(before: str, rest: str) -> bool:
    """Whether `~~` opens before the word for a phase, or right before its name."""
    after = _AFTER_NUMBER.match(rest[:_LONGEST])
    return "~~" in before or (after is not None and "~~" in rest[: after.start("name")] and after["name"] != "")


def _is_loose(rest: str) -> bool:
    """Whether what follows the number in a list may be prose, or the end of a range."""
    return re.match(r"[ \t]+[^\W_]|-[0-9]", rest) is not None


def _is_title(rest: re.Match[str]) -> bool:
    """Whether what follows the number can be a title: `Phase 20 debugging session` and `Phase 21 (0 bugs)` cannot."""
    if rest["separator"] or not (rest["name"] or rest["bracket"]):
        return True
    if rest["name"]:
        return not (rest["name"][0].isalnum() or rest["name"][0] in "([（_") and not rest["bracket"]
    return not split_title(rest["bracket"]).name


def _item_title(opening: str, rest: str, following: Sequence[Line]) -> tuple[Title, str]:
    """The name of an item and what stands after it."""
    after = _AFTER_NUMBER.match(rest[:_LONGEST])
    text = after["name"] if after else ""
    if "**" in opening and "**" not in rest[: len(rest) - len(text)] and "**" not in text:
        for line in following[:2]:  # a bold name that a formatter has wrapped
            if line.is_after_blank or line.text[0] in "-*+#|<":
                break
            text += " " + line.text
            if "**" in line.text:
                break
    bold, closing, tail = text.partition("**")
    if "**" in opening and closing and "**" not in rest[: len(rest) - len(text)]:
        count = re.match(r"[ \t]*\([0-9]{1,4}/[^()]{0,40}\)", tail)
        return split_title(bold + (count[0] if count else "")), tail[count.end() :] if count else tail
    end = _TEXT_AFTER_NAME.search(text)
    if end is None:
        return split_title(text), ""
    count = re.match(r"[ \t]*\([^()]{0,40}\)", text[end.start() :])
    cut = end.start() + (count.end() if count else 0)
    return split_title(text[:cut]), text[cut:]


def _item_status(match: re.Match[str], title: Title) -> PhaseStatus | None:
    if match["sign"] is not None:
        return status_of(match["sign"]) or title.status
    return _box_status(match["box"]) or title.status or PhaseStatus.PLANNED


def _box_status(box: str | None) -> PhaseStatus | None:
    return _BOXES.get(box.lower()) if box else None


def _set_aside(tail: str) -> PhaseStatus | None:
    """What `- *Superseded*` after a name says; a description may begin with such a word, so little else may follow."""
    match = _SET_ASIDE.match(tail[:80])
    return status_of(match["word"]) if match else None


def milestone_name(heading: str) -> str:
    """`v1.0 MVP` of a heading or summary that is a milestone's; empty for any other."""
    text = plain(re.sub(r"</?[A-Za-z][^<>]{0,80}>", "", heading[:1000]))
    return text if _MILESTONE.search(text) and not _GENERIC.fullmatch(text) else ""
