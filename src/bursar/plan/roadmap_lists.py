"""Requirements, success criteria and plans, out of the parts of a phase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from bursar.plan.roadmap_fields import Item, Label, Part
from bursar.plan.roadmap_marks import plain, status_of
from bursar.plan.roadmap_model import PhasePlan, PhaseStatus
from bursar.plan.source import Source

_ID = r"(?:[A-Za-z][A-Za-z0-9]*-)*[A-Z][A-Z0-9]*-[0-9]+(?:\.[0-9]+)*[a-z]?"
_REQUIREMENT = re.compile(rf"[*_`\[~]{{0,4}}(?P<id>{_ID})(?![\w-])")
_RANGE = re.compile(
    r"[*_`]{0,4}(?P<code>(?:[A-Za-z][A-Za-z0-9]*-)*[A-Z][A-Z0-9]*-)(?P<low>[0-9]{1,4})[*_`]{0,4}[ ]*"
    r"(?:~|–|—|\.\.\.?|…|to|through|thru|-(?=[ ]?[A-Z0-9]))[ ]*[*_`]{0,4}(?:(?P=code))?(?P<high>[0-9]{1,4})(?![\w-])"
)
_NONE = re.compile(r"\W*(?:none|nothing|n/?a|tbd|nenhum\w*|nada|无|-|—)?\W*(?:\(.*\))?\W*", re.IGNORECASE | re.DOTALL)
MAX_REQUIREMENTS = 500  # of one phase
_MAX_RANGE = 200
_NUMBERED = re.compile(r"(?:^|\s)[0-9]{1,2}[.)]\s+")
_PLAN = re.compile(
    r"(?P<phase>(?:[A-Z][A-Z0-9]*-)?[0-9]{1,4}(?:\.[0-9]{1,4})*[A-Za-z]?)-(?:PLAN-)?"
    r"(?P<number>(?:FIX-?)?[0-9]{1,3}[A-Za-z]?(?:-?(?!PLAN)[A-Z]{2,6}[0-9]*)?|(?!PLAN)[A-Z]{2,6}[0-9]*)(?:-PLAN(?:-v[0-9]+)?)?(?:\.md)?"
)
_PLAN_NAMED = re.compile(r"(?P<id>[\w.-]{0,120}?)[-_.]?PLAN(?:[-_]v?[0-9]+)?(?:\.md)?")
_PLAN_WORD = re.compile(r"[*_`~\[]{0,4}Plan[ ]+#?(?P<id>[0-9][\w.-]{0,20}?)[*_`~\]]{0,4}(?=[\s:—–(]|$)", re.IGNORECASE)
_PLAN_RANGE = re.compile(r"-[0-9]{1,3}\s*[–—]\s*[0-9]")
_PLAN_INLINE = re.compile(r"(?<![\w.–-])[0-9]{1,4}(?:\.[0-9]{1,4})*[A-Za-z]?-[0-9]{2}[a-z]?(?![\w–-])")


def requirements(parts: Sequence[Part]) -> tuple[str, ...]:
    """What the first part that names any names, one each, without repeats."""
    for part in parts:
        if part.label is not Label.REQUIREMENTS:
            continue
        names = chain(_of_text(part.text), *map(_of_item, part.items[:MAX_REQUIREMENTS]))
        if found := dict.fromkeys(islice(names, MAX_REQUIREMENTS)):
            return tuple(found)
    return ()


def success_criteria(parts: Sequence[Part]) -> tuple[str, ...]:
    """The items of the first list of criteria; where there is only text, that text, taken apart if it is numbered."""
    for part in parts:
        if part.label is not Label.CRITERIA:
            continue
        if part.items:
            return tuple(filter(None, (_unmarked(item.text) for item in _outermost(part.items))))
        texts = [text.strip(" ;") for text in _NUMBERED.split(part.text)] if _NUMBERED.match(part.text) else [part.text]
        if found := tuple(text for text in map(_unmarked, texts) if not _NONE.fullmatch(text)):
            return found
    return ()


def plans(source: Source, parts: Sequence[Part]) -> tuple[PhasePlan, ...]:
    """Every plan that is listed, those below `Plans:` and those whose item begins with a plan's id."""
    found: list[PhasePlan] = []
    for part in parts:
        for item in part.items if part.label is not Label.CRITERIA else ():
            plan = _plan(source, item)
            if plan.id or (part.label is Label.PLANS and item.is_ticked is not None):
                found.append(plan)
    return tuple(_unique(found)) or _inline_plans(source, parts)


def _of_text(text: str) -> Iterator[str]:
    """The requirements in `AUTH-01, AUTH-02 (partly), UI polish`, ranges taken apart."""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if not _NONE.fullmatch(text):
        for piece in re.split(r"[,;，、；]\s*", _without_notes(text)):
            yield from _of_piece(piece)


def _of_piece(piece: str) -> list[str]:
    if match := _RANGE.search(piece):
        low, high = int(match["low"]), int(match["high"])
        if low <= high <= low + _MAX_RANGE:
            width = len(match["low"])
            return [f"{match['code']}{number:0{width}}" for number in range(low, high + 1)]
    parts = re.split(r"\s+(?:\+|&|and)\s+", piece)
    pieces = parts if len(parts) > 1 and any(_REQUIREMENT.match(part) for part in parts) else [piece]
    return [name for name in (plain(part).strip(" .:") for part in pieces) if name and not _NONE.fullmatch(name)]


def _of_item(item: Item) -> Iterable[str]:
    """A bullet's requirement: its id where it begins with one (or is a list of them), else its text."""
    match = _REQUIREMENT.match(item.text)
    if match is None:
        text = plain(item.text)
        return [] if _NONE.fullmatch(text) else [text]
    rest = item.text[match.end() :].lstrip("*_`~] ")
    return _of_text(item.text) if rest[:1] in (",", "~", "–") else [match["id"]]


def _without_notes(text: str) -> str:
    """`text` outside brackets, which hold commas of their own."""
    kept: list[str] = []
    depth = 0
    for piece in re.split(r"([()（）])", text):
        if piece in ("(", "（"):
            depth += 1
        elif piece in (")", "）"):
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(piece)
    return " ".join(kept)


def _outermost(items: Sequence[Item]) -> list[Item]:
    indent = min(item.indent for item in items)
    return [item for item in items if item.indent <= indent + 1]


def _unmarked(text: str) -> str:
    return re.sub(r"^[\W_]*?[✅✓✔☑❌⬜]\ufe0f?\s*", "", text.strip()).strip()


def _plan(source: Source, item: Item) -> PhasePlan:
    identity, text = _split_plan(item.text)
    is_done = status_of(item.text) is PhaseStatus.COMPLETE if item.is_ticked is None else item.is_ticked
    return PhasePlan(id=identity, text=text, is_done=is_done, position=source.position(item.offset))


def _split_plan(text: str) -> tuple[str, str]:
    """`01-02-PLAN.md — text` as id and text; the id is empty where the text begins with none."""
    text = re.sub(r"^[✅✓✔☑⬜]\ufe0f?\s*", "", text)
    if word := _PLAN_WORD.match(text):
        return word["id"], plain(text[word.end() :]).lstrip(":—–- ")
    bare = text.lstrip("*_`~[")
    token = re.split(r"\s|\]\(|[:：]", bare[:200], maxsplit=1)[0].rstrip("*_`~].,;)")
    rest = plain(re.sub(r"^[^\s]*?\]\([^()\s]{0,300}\)", "", bare) if f"{token}](" in bare else bare[len(token) :])
    rest = rest.lstrip("*_`~]:：—–- ")
    if match := _PLAN.fullmatch(token):
        return f"{match['phase']}-{match['number']}", rest
    if match := _PLAN_NAMED.fullmatch(token):
        return match["id"], rest
    return "", plain(text)


def _unique(found: Sequence[PhasePlan]) -> list[PhasePlan]:
    """The plans without those that are listed again."""
    kept: dict[str, PhasePlan] = {}
    for plan in found:
        kept.setdefault(plan.id or f"line {plan.position.line}", plan)
    return list(kept.values())


def _inline_plans(source: Source, parts: Sequence[Part]) -> tuple[PhasePlan, ...]:
    """`**Plans**: 29-01 (models), 29-02 (tests)`; with a range among them it is only a count."""
    for part in parts:
        if part.label is Label.PLANS and not _PLAN_RANGE.search(part.text):
            is_done = re.search(r"\b(?:all )?complete", part.text, re.IGNORECASE) is not None
            ids = dict.fromkeys(_PLAN_INLINE.findall(part.text[:4000]))
            return tuple(PhasePlan(id=name, is_done=is_done, position=source.position(part.offset)) for name in ids)
    return ()
