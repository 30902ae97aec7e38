"""What marks say of a phase: `✅`, `(Complete)`, `— SHIPPED 2026-01-02`; and its name without them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bursar.plan.roadmap_model import PhaseStatus

MAX_TITLE = 500  # nobody names a phase so; what is longer is cut, so that no search for marks is long
# Atomic: `11.1 Name` is never read as 11 and `.1 Name`.
DIGITS = r"[0-9]{1,9}(?:\.[0-9]{1,6}){0,5}[A-Za-z]?"
NUMBER = rf"(?>(?:[A-Z][A-Z0-9]{{0,15}}-)?{DIGITS})(?![0-9A-Za-z_])"
PHASE_WORD = r"(?:[Pp]hase|PHASE|[Ff]ase|FASE|阶段|階段|단계)"

_WORDS = {
    PhaseStatus.DROPPED: r"superseded|dropped|removed|cancel?led|abandoned|skipped|obsolete|merged into|"
    r"won'?t do|cancelad[oa]|废弃|取消",
    PhaseStatus.PARKED: r"deferred|backlog|postponed|parked|paused|on hold|icebox|someday|adiad[oa]|"
    r"uppskjuten|推迟|暂停",
    PhaseStatus.IN_PROGRESS: r"in[ -]progress|wip|ongoing|active|started|executing|partial(?:ly)?|current|underway|"
    r"em andamento|em progresso|en progreso|en curso|pågår|pågående|进行中|진행",
    PhaseStatus.PLANNED: r"planned|planning|not (?:yet )?[a-z]{4,12}|pending|to[ -]?do|"
    r"upcoming|next|ready(?: (?:to|for) [a-z]{2,12})?|queued|tbd|blocked|"
    r"future|incomplete|proposed|pendente|planejad[oa]|não iniciad[oa]|pendiente|planerad|未开始|计划|待|대기",
    PhaseStatus.COMPLETE: r"completed?|done|shipped|finished|fixed|merged|delivered|released|verified|implemented|"
    r"closed|archived|executed|conclu[ií]d[oa]|complet[oa]|completad[oa]|entregue|klar|färdig|已?完成|완료",
}
_STATUS = re.compile(
    r"(?:" + "|".join(f"(?P<{status.name}>{words})" for status, words in _WORDS.items()) + r")(?![A-Za-z])",
    re.IGNORECASE,
)
_SIGNS = {
    PhaseStatus.COMPLETE: "✅✓✔☑🎉🟢🏁",
    PhaseStatus.IN_PROGRESS: "🚧🔄🏗🟡🔨▶",
    PhaseStatus.PLANNED: "📋⏳⬜◻○◯🔲☐🔜🗓📅",
    PhaseStatus.DROPPED: "❌🗑🚫",
    PhaseStatus.PARKED: "⏸🅿💤",
}
_STATUS_OF_SIGN = {sign: status for status, signs in _SIGNS.items() for sign in signs}
_SIGN = re.compile(r"[\ufe0f\s]*([" + "".join(_STATUS_OF_SIGN) + r"])[\ufe0f\s]*")
_LONGEST_MARK = 60
# Possessive, so that nothing is tried twice.
_STATUS_ALONE = re.compile(
    r"(?:[\s*_~`(\[（–—:-]|\ufe0f|[" + "".join(_STATUS_OF_SIGN) + r"])*+"
    r"(?:(?:" + "|".join(_WORDS.values()) + r")(?![A-Za-z]))?+"
    r"(?:[\s*_~`!;()（）\[\]–—0-9/.,:-]++|\ufe0f|["
    + "".join(_STATUS_OF_SIGN)
    + r"]|(?:on|in|at|since|as|of|by|to|into|until|"
    r"plans?|phases?|milestone|v[0-9]|st|nd|rd|th|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|"
    r"january|february|march|april|august|september|october|november|december)(?![A-Za-z]))*+",
    re.IGNORECASE,
)
_REMARK = re.compile(
    rf"inserted|formerly\b.*|was {PHASE_WORD}.*|(?:[0-9]{{1,4}}\s*/\s*)?[0-9]{{1,4}}\s*plans?\b.*|"
    r"[0-9]{1,4}\s*/\s*[0-9]{1,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|parallel",
    re.IGNORECASE,
)
_BRACKET_AT_END = re.compile(r"[*_]{0,3}[(\[（]([^()\[\]（）]{0,200})[)\]）][*_]{0,3}$")
_SIGN_AT_END = re.compile(
    r"([" + "".join(_STATUS_OF_SIGN) + r"])\ufe0f?(?P<word>\s*[*_]{0,2}(?P<text>[^\W\d_][\w -]{0,40})?[*_]{0,2})$"
)
_WORD_AFTER_DASH = re.compile(r"(?:^|\s+)(?:--|—|–|-|\|)\s+[*_]{0,3}(?P<text>[^—–|]{1,60})$")
_DECORATION = " \t*_~`([（-—–:"
_HASH_AT_END = re.compile(r"\s[`(\[]?[0-9a-f]{7,40}[`)\]]?$")


@dataclass(frozen=True, slots=True)
class Title:
    """A title taken apart: the name without marks, what the marks say, and how many plans they count."""

    name: str
    status: PhaseStatus | None = None
    planned_plans: int | None = None


def status_of(text: str) -> PhaseStatus | None:
    """What a text that begins with a sign or a word of state says; None where it begins otherwise."""
    head = text[:80].lstrip(_DECORATION)
    sign = _SIGN.match(head)
    if sign:
        word = _STATUS.match(head, sign.end())
        return _of_word(word) if word else _STATUS_OF_SIGN[sign[1]]
    word = _STATUS.match(head)
    return _of_word(word) if word else None


def status_of_sign(text: str) -> PhaseStatus | None:
    """What a text that begins with a sign says; None where it begins with a word."""
    return status_of(text) if _SIGN.match(text[:20].lstrip(_DECORATION)) else None


def is_status_only(text: str) -> bool:
    """Whether a mark or a table's cell is a state, with a date and the like: `Complete`, `✅ Done (2026-01-02)`.

    `Complete rewrite` is none: it may be a part of a name.
    """
    return len(text) <= _LONGEST_MARK and _STATUS_ALONE.fullmatch(text) is not None and status_of(text) is not None


def split_title(text: str) -> Title:
    """`Desktop App (INSERTED) ✅ COMPLETE` as name and state; a bracket that is no mark stays in the name."""
    text = text[:MAX_TITLE].strip()
    struck = text.startswith("~~") and "~~" in text[2:]
    status: PhaseStatus | None = None
    planned: int | None = None
    for _ in range(8):  # marks stand in any order, a few at most
        cut = _cut_mark(text)
        if cut is None:
            break
        text = cut.name
        status = status or cut.status
        planned = cut.planned_plans if planned is None else planned
    return Title(plain(text), PhaseStatus.DROPPED if struck else status, planned)


def plain(text: str) -> str:
    """`text` on one line, without bold, strike-through, links and code marks."""
    text = re.sub(r"\[([^\[\]]{1,200})\]\([^()\s]{0,300}\)", r"\1", text)
    return " ".join(re.sub(r"\*\*|~~|__|`", "", text).split()).strip("* ")


def planned_count(text: str) -> int | None:
    """`3 plans`, `2/3 plans`, `3/3`, `5 — 17-01–17-05`: how many are planned."""
    match = re.match(r"\W{0,3}(?:[0-9]{1,4}\s*(?:/|of)\s*)?([0-9]{1,4})(?![\w./])(?!-[0-9])", text[:40])
    return int(match[1]) or None if match else None


def _of_word(match: re.Match[str]) -> PhaseStatus:
    return PhaseStatus[match.lastgroup or "PLANNED"]


def _cut_mark(text: str) -> Title | None:
    """`text` without its last mark; None where it ends in none."""
    text = text.rstrip(" \t#")
    bracket = _BRACKET_AT_END.search(text[-220:])
    if bracket:
        inside = bracket[1].strip()
        if not (is_status_only(inside) or _REMARK.fullmatch(inside) or not inside):
            return None
        planned = planned_count(inside) if re.search(r"plans?\b|^[0-9]+\s*/", inside) else None
        return Title(text[: len(text) - len(bracket[0])].rstrip(), status_of(inside), planned)
    sign = _SIGN_AT_END.search(text[-60:])
    if sign and (sign["text"] is None or is_status_only(sign["text"])):
        return Title(text[: len(text) - len(sign[0])].rstrip(), status_of(sign[0]))
    word = _WORD_AFTER_DASH.search(text[-70:])
    if word and is_status_only(word["text"]):
        return Title(text[: len(text) - len(word[0])].rstrip(), status_of(word["text"]))
    found = _HASH_AT_END.search(text[-50:])
    if found and re.search("[0-9]", found[0]) and re.search("[a-f]", found[0]):
        return Title(text[: len(text) - len(found[0])].rstrip())
    return None
