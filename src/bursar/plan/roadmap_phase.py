"""One phase, out of everything that headings, check lists and tables say of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bursar.plan.dependencies import MAX_HINTS
from bursar.plan.roadmap_dependencies import Named, read_dependencies
from bursar.plan.roadmap_fields import Label, Part, read_parts
from bursar.plan.roadmap_known import Known, number_key, sort_key
from bursar.plan.roadmap_lists import plans, requirements, success_criteria
from bursar.plan.roadmap_marks import plain, planned_count, status_of
from bursar.plan.roadmap_model import Phase, PhasePlan, PhaseStatus, normal_number
from bursar.plan.roadmap_outline import Kind, Mention
from bursar.plan.source import Source, shortened

_PARKING = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A phase before its dependencies are looked up among the others."""

    number: str
    name: str
    offset: int
    mentions: tuple[Mention, ...]
    parts: tuple[Part, ...]


def draft_phase(mentions: Sequence[Mention]) -> Draft:
    """The number, name and place of the phase that `mentions` name, and its labelled parts, headings first."""
    ranked = sorted(mentions, key=lambda mention: mention.kind)
    return Draft(
        number=normal_number(ranked[0].number),
        name=next((mention.name for mention in ranked if mention.name), ""),
        offset=ranked[0].offset if ranked[0].kind is Kind.HEADING else mentions[0].offset,
        mentions=tuple(mentions),
        parts=tuple(part for mention in ranked for part in read_parts(mention.lines)),
    )


def build_phase(source: Source, draft: Draft, known: Known) -> Phase:
    """The phase, its dependencies resolved; what is unclear or unknown in them is warned of."""
    depends_text, offset = _depends_text(draft)
    named = read_dependencies(depends_text or "", draft.number, known)
    if depends_text is not None:
        _warn(source, draft, named, depends_text, offset, known)
    listed = plans(source, draft.parts)
    return Phase(
        number=draft.number,
        name=draft.name,
        status=_status(source, draft, listed),
        goal=_first_text(draft.parts, Label.GOAL),
        depends_on=tuple(number for number in named.numbers if number in known),
        depends_text=depends_text,
        unknown_dependencies=tuple(number for number in named.numbers if number not in known),
        requirements=requirements(draft.parts),
        success_criteria=success_criteria(draft.parts),
        plans=listed,
        planned_plans=_planned(draft),
        milestone=next((mention.milestone for mention in draft.mentions if mention.milestone), ""),
        position=source.position(draft.offset),
    )


def _depends_text(draft: Draft) -> tuple[str | None, int]:
    """What stands at the label, or in a table's column, and where."""
    for label in (Label.DEPENDS, Label.NEEDS):
        for part in draft.parts:
            if part.label is label:
                return plain("; ".join(filter(None, [part.text, *(item.text for item in part.items)]))), part.offset
    for mention in draft.mentions:
        if mention.depends_text is not None:
            return mention.depends_text, mention.depends_offset
    return None, draft.offset


def _warn(source: Source, draft: Draft, named: Named, text: str, offset: int, known: Known) -> None:
    for doubt in dict.fromkeys(named.doubts):
        source.warn(offset, f"phase {draft.number} depends on `{shortened(text)}`: {doubt}")
    for number in named.numbers:
        if number in known:
            continue
        message = f"phase {draft.number} depends on phase {number}, which is no phase of this roadmap"
        hint = _nearest(number, draft.number, known) if source.count < MAX_HINTS else None
        source.warn(offset, message, hint=hint)


def _nearest(number: str, own: str, known: Known) -> str | None:
    """A hint that names the known phase that is nearest: by value, else by spelling."""
    found = known.nearest(number, own)
    if found is None:
        others = [key for key, other in known.numbers.items() if other != own]
        close = difflib.get_close_matches(number_key(number), others, n=1)
        return f"did you mean phase {known.numbers[close[0]]}?" if close else None
    if sort_key(number) < sort_key(known.first):
        return f"it may be of an earlier milestone; here phase {found} is nearest"
    return f"did you mean phase {found}?"


def _first_text(parts: Iterable[Part], label: Label) -> str:
    return next((plain(part.text) for part in parts if part.label is label and part.text), "")


def _planned(draft: Draft) -> int | None:
    counts = [planned_count(part.text) for part in draft.parts if part.label is Label.PLANS]
    counts += [mention.planned_plans for mention in sorted(draft.mentions, key=lambda mention: mention.kind)]
    return next((count for count in counts if count is not None), None)


def _status(source: Source, draft: Draft, listed: Sequence[PhasePlan]) -> PhaseStatus:
    """The status on which headings, boxes, rows and labels agree; the furthest one, with a warning, if they do not.

    A tick is set on purpose, while an empty box may just have been forgotten. What the plans say counts only where
    nobody speaks of the phase itself, and what the milestone says only where the plans do not speak either.
    """
    sure = [mention for mention in draft.mentions if mention.kind is not Kind.LOOSE] or draft.mentions
    said = [(mention.status, mention.offset) for mention in sure if mention.status is not None]
    labels = (part for part in draft.parts if part.label is Label.STATUS)
    said += [(status, part.offset) for part in labels if (status := status_of(part.text)) is not None]
    found = {status for status, _ in said}
    if PhaseStatus.DROPPED in found:
        return PhaseStatus.DROPPED
    if PhaseStatus.COMPLETE in found:
        _warn_of_contradiction(source, draft, said)
        return PhaseStatus.COMPLETE
    if _is_parked(draft, found):
        return PhaseStatus.PARKED
    if not said and any(mention.milestone_status is PhaseStatus.COMPLETE for mention in draft.mentions):
        return PhaseStatus.COMPLETE
    done = sum(plan.is_done for plan in listed)
    if not said and listed and done == len(listed) and done >= (_planned(draft) or 0):
        return PhaseStatus.COMPLETE
    return PhaseStatus.IN_PROGRESS if done or PhaseStatus.IN_PROGRESS in found else PhaseStatus.PLANNED


def _is_parked(draft: Draft, found: set[PhaseStatus]) -> bool:
    is_put_off = any("backlog" in mention.milestone.lower() for mention in draft.mentions)
    return PhaseStatus.PARKED in found or is_put_off or sort_key(draft.number)[1][0] >= _PARKING


def _warn_of_contradiction(source: Source, draft: Draft, said: Sequence[tuple[PhaseStatus, int]]) -> None:
    done = next(offset for status, offset in said if status is PhaseStatus.COMPLETE)
    for status, offset in said:
        if status.is_to_do:
            line = source.position(done).line
            words = status.value.replace("_", " ")
            source.warn(offset, f"phase {draft.number} is {words} here and complete in line {line}; read as complete")
            return
