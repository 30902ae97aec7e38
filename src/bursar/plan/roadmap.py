"""A roadmap file's bytes → a `Roadmap`, with everything said that is not certain in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bursar.plan.model import Problem
from bursar.plan.read import decode, read_bytes
from bursar.plan.roadmap_known import Known, number_key, sort_key
from bursar.plan.roadmap_lines import visible_lines
from bursar.plan.roadmap_mentions import walk
from bursar.plan.roadmap_model import Roadmap, UnreadableRoadmap
from bursar.plan.roadmap_outline import Kind, Mention
from bursar.plan.roadmap_phase import Draft, build_phase, draft_phase
from bursar.plan.source import Source

MAX_PHASES = 1_000
_PARKING = 99  # GSD parks ideas at 999.1, 999.2, …; others at 99


def read_roadmap(path: Path) -> Roadmap | UnreadableRoadmap:
    """The roadmap in the file at `path`; what keeps it from being read comes back as problems, never raised."""
    data = read_bytes(path, "roadmap")
    if isinstance(data, Problem):
        return UnreadableRoadmap(path=path, problems=(data,))
    text = decode(data, path)
    if isinstance(text, Problem):
        return UnreadableRoadmap(path=path, problems=(text,))
    return parse_roadmap(text, path)


def parse_roadmap(text: str, path: Path) -> Roadmap:
    """The roadmap in a text; a text without any phase is one without phases, and a warning."""
    source = Source(text.replace("\r\n", "\n").replace("\r", "\n"), path)
    outline = walk(visible_lines(source))
    mentions = outline.mentions
    if not mentions and outline.bullets:
        mentions = outline.bullets
        source.warn(mentions[0].offset, "phases are read from plain text, as no heading, check list or table names any")
    drafts = [draft_phase(group) for group in _by_number(source, mentions)]
    if not drafts:
        hint = "name phases in headings such as `### Phase 1: Foundation`"
        source.warn(0, "no phase is named in this roadmap", hint=hint)
    known = Known([(draft.number, draft.name) for draft in drafts])
    phases = tuple(build_phase(source, draft, known) for draft in drafts)
    _check_gaps(source, drafts)
    return Roadmap(path=path, phases=phases, title=outline.title, warnings=source.problems())


def _by_number(source: Source, mentions: Sequence[Mention]) -> list[list[Mention]]:
    """The mentions of each phase, phases in the order in which they are first named."""
    groups: dict[str, list[Mention]] = {}
    for mention in mentions:
        key = number_key(mention.number)
        if key not in groups and len(groups) == MAX_PHASES:
            source.error(mention.offset, f"there are more than {MAX_PHASES} phases; the others are not read")
            break
        groups.setdefault(key, []).append(mention)
    for group in groups.values():
        _warn_of_repeats(source, [mention for mention in group if mention.kind is Kind.HEADING])
    return list(groups.values())


def _warn_of_repeats(source: Source, headings: Sequence[Mention]) -> None:
    for mention in headings[1:]:
        first = source.position(headings[0].offset).line
        message = f"phase {mention.number} has a heading already, in line {first}; both are read as one phase"
        source.warn(mention.offset, message)


def _check_gaps(source: Source, drafts: Sequence[Draft]) -> None:
    """A number left out between two phases may be a slip; parking places far beyond the others are none."""
    whole = sorted(
        (sort_key(draft.number)[1][0], draft.offset, draft.number) for draft in drafts if "-" not in draft.number
    )
    for (low, *_), (high, offset, number) in pairwise(whole):
        if low + 1 < high < min(low + 10, _PARKING):
            missing = f"phase {low + 1} is" if low + 2 == high else f"phases {low + 1} to {high - 1} are"
            source.warn(offset, f"{missing} missing before phase {number}")
