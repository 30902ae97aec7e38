"""The labelled parts of one phase: goal, dependencies, requirements, success criteria, plans, status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from bursar.plan.roadmap_lines import Line


class Label(StrEnum):
    """What a label announces; `OTHER` is any label that is of no interest here."""

    GOAL = "goal"
    DEPENDS = "depends"
    NEEDS = "needs"
    REQUIREMENTS = "requirements"
    CRITERIA = "criteria"
    PLANS = "plans"
    STATUS = "status"
    OTHER = "other"


_LABELS = {
    Label.DEPENDS: r"depends(?: (?:up)?on)?|dependency|dependencies|depende d[eoa]s?|dependências|dependencias|"
    r"beror på|abhängig(?:keiten| von)|hängt ab von|dépend de|依赖|依賴|의존(?:성)?",
    Label.NEEDS: r"prerequisites?|blocked by|requires phases?|pré-requisitos?",
    Label.GOAL: r"goal|objective|objetivo|meta|mål|ziel|目标|目標|목표",
    Label.REQUIREMENTS: r"(?:covered |mapped )?(?:requirements?|reqs?|req\.? ?ids?)(?: (?:covered|mapped|addressed))?|"
    r"requisitos|krav|anforderungen|需求|요구사항",
    Label.CRITERIA: r"(?:success|acceptance|exit) criteri(?:a|on)|crit[ée]rios? de (?:sucesso|éxito|aceite)|"
    r"framgångskriterier|erfolgskriterien|成功标准|成功標準|验收标准|성공 기준",
    Label.PLANS: r"plans?|planos?|planes|planer|pläne",
    Label.STATUS: r"status|state|estado|状态|狀態|상태",
}
_KNOWN = {label: re.compile(words, re.IGNORECASE) for label, words in _LABELS.items()}
_ANY = "|".join(_LABELS.values())
_NOTE = r"(?:[ \t]*[(（][^()（）]{0,80}[)）])?"
_BOLD = re.compile(
    rf"(?:\*\*|__)[ \t]*(?P<label>[^\W_][^*_:：]{{0,60}}?){_NOTE}[ \t]*"
    rf"(?:[:：][ \t]*(?:\*\*|__)|(?:\*\*|__){_NOTE}[ \t]*[:：])"
)
_PLAIN = re.compile(
    rf"(?:[-*+][ \t]+)?[*_]{{0,3}}(?P<label>{_ANY}){_NOTE}[*_]{{0,3}}{_NOTE}[ \t]*(?:[:：][*_]{{0,3}})", re.IGNORECASE
)
_WITHOUT_COLON = (
    re.compile(
        rf"(?:[-*+][ \t]+)?(?:\*\*|__)(?P<label>{_LABELS[Label.DEPENDS]})(?:\*\*|__)(?=[ \t]+\S)", re.IGNORECASE
    ),
    re.compile(r"(?:[-*+][ \t]+)?(?P<label>Depends on)(?=[ \t]+[*_\[]{0,3}phases?[ ])", re.IGNORECASE),
)
_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,4}[.)])[ \t]+(?:\[(?P<box>[ xX~/-]?)\][ \t]*)?(?P<text>.*)", re.DOTALL)
_NO_TEXT = re.compile(r"[>|<]|-{3,}$|={3,}$|\*{3,}$")
_MAX_JOINED = 8_000
_MAX_LABELS = 40  # in one line


@dataclass(slots=True)
class Item:
    """One item of a list: its text with wrapped lines, whether its box is ticked (None without one), and its place."""

    text: str
    is_ticked: bool | None
    offset: int
    indent: int


@dataclass(slots=True)
class Part:
    """What stands at one label: the text beside it, with wrapped lines, and the items of the list below it."""

    label: Label
    text: str
    offset: int
    items: list[Item] = field(default_factory=list)


def read_parts(lines: Sequence[Line]) -> list[Part]:
    """Every labelled part of a phase's lines in order; items below no label come as a part of their own."""
    parts: list[Part] = []
    is_open = False
    for line in lines:
        if line.text[0] == "#":
            parts.append(Part(_label_of(line.text.strip("#*_: \t")), "", line.offset))
            is_open = True
            continue
        found = _labels(line)
        before = line.text[: found[0].start()].strip() if found else line.text
        if before and not before.strip("-*+ "):
            before = ""
        if before:
            is_open = _continue(parts, is_open, line, before)
        for index, match in enumerate(found):
            end = found[index + 1].start() if index + 1 < len(found) else len(line.text)
            text = line.text[match.end() : end]
            offset = line.offset + match.end() + len(text) - len(text.lstrip())
            parts.append(Part(_label_of(match["label"]), text.strip()[:_MAX_JOINED], offset))
            is_open = True
    return parts


def _labels(line: Line) -> list[re.Match[str]]:
    """The labels in a line: in bold anywhere, otherwise at its beginning."""
    text = line.text
    if ":" not in text and "：" not in text:
        return _label_without_colon(text)
    found: list[re.Match[str]] = []
    if "**" in text or "__" in text:
        is_item = _ITEM.match(text) is not None
        for match in islice(_BOLD.finditer(text), _MAX_LABELS):
            is_known = _label_of(match["label"]) is not Label.OTHER
            is_at_start = match.start() == 0 or (is_known and not text[: match.start()].strip("-*+ "))
            if is_at_start or (is_known and not is_item) or (found and not is_item):
                found.append(match)
    if not found or found[0].start() > 0:
        plain = _PLAIN.match(text)
        if plain is not None and not (found and found[0].start() < plain.end()):
            found.insert(0, plain)
    return found or _label_without_colon(text)


def _label_without_colon(text: str) -> list[re.Match[str]]:
    """`**Depends on** Phase 1` and `Depends on Phase 1` at the beginning of a line."""
    if "epend" not in text:
        return []
    match = _WITHOUT_COLON[0].match(text) or _WITHOUT_COLON[1].match(text)
    return [match] if match else []


def _label_of(text: str) -> Label:
    bare = re.sub(_NOTE + "$", "", text[:100]).strip()
    return next((label for label, words in _KNOWN.items() if words.fullmatch(bare)), Label.OTHER)


def _continue(parts: list[Part], is_open: bool, line: Line, text: str) -> bool:
    """Add a line without a label to the part it belongs to; whether that part is still open."""
    item = _ITEM.fullmatch(text)
    if item is not None:
        if not parts or not (is_open or parts[-1].label in (Label.OTHER, Label.STATUS)):
            parts.append(Part(Label.OTHER, "", line.offset))
        part = parts[-1]
        if part.label in (Label.DEPENDS, Label.NEEDS, Label.GOAL) and part.text:
            parts.append(part := Part(Label.OTHER, "", line.offset))
        box = item["box"]
        ticked = None if box is None else box.lower() == "x"
        part.items.append(Item(item["text"].strip(), ticked, line.offset, line.indent))
        return True
    if not is_open or _NO_TEXT.match(text):
        return is_open and bool(parts) and parts[-1].label is Label.PLANS
    part = parts[-1]
    if line.is_after_blank and (part.text or part.items):
        return part.label is Label.PLANS
    if part.items:
        if line.indent >= part.items[-1].indent and not line.is_after_blank and not text.startswith("**"):
            part.items[-1].text = _joined(part.items[-1].text, text)
        return True
    part.text = _joined(part.text, text[:_MAX_JOINED])
    return True


def _joined(text: str, following: str) -> str:
    """Both on one line; a text that is very long already stays as it is, so that joining stays linear."""
    return f"{text} {following}".strip() if len(text) < _MAX_JOINED else text
