"""What a phase waits for, from the words at `Depends on`: every wording people use, and a doubt where it is unclear."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bursar.plan.roadmap_known import Known, number_key, sort_key
from bursar.plan.roadmap_marks import plain
from bursar.plan.roadmap_model import normal_number
from bursar.plan.roadmap_wordings import (
    AGAINST,
    ANY_NUMBER,
    BARE_NUMBER,
    BRACKETS,
    DONE_WORDS,
    EARLIER,
    EVERY,
    EXCEPT,
    FIRST,
    FOLLOWING,
    FOR,
    IN_BRACKETS,
    NOT_BEFORE,
    NOTHING,
    ONE_EARLIER,
    OPTIONAL,
    PHASE_WORD,
    PLAN_WORD,
    PLURAL,
    RANGE_SIGNS,
    SENTENCE_END,
    SLUG,
    UNDECIDED,
    WEAK,
)

MAX_TEXT = 2_000  # the longest line of any kind that was seen has 1,857
MAX_NUMBERS = 300  # that one text may name, repeats counted
MAX_RANGE = 100  # phases; a range that is longer names only its ends and what the roadmap has between them
_HEAD = 400  # where words for several phases are looked for


@dataclass(slots=True)
class Named:
    """What a text names: numbers of phases in the author's order, known or not, and what is unclear about it.

    Attributes:
        read: how many numbers were read, repeats counted.
    """

    numbers: dict[str, None] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    read: int = 0

    @property
    def is_open(self) -> bool:
        """Whether more may be read: a text that names very many phases is cut off."""
        return self.read < MAX_NUMBERS


def read_dependencies(text: str, own: str, known: Known) -> Named:
    """What the text at a phase's `Depends on` names; `own` is that phase's number."""
    named = Named()
    value = _prepared(text)
    if len(text) > MAX_TEXT:
        named.doubts.append(f"the text is longer than {MAX_TEXT} characters; the rest is not read")
    if UNDECIDED.match(value):
        named.doubts.append("it is not yet said what this waits for; nothing is waited for")
        return named
    if NOTHING.match(value):
        return named
    outside = _without_brackets(value)
    reader = _Reader(own, known, is_first=True)
    if not _read_listed(value, outside, named, reader):
        for position, clause in enumerate(SENTENCE_END.split(outside)):
            _read_clause(clause, named, replace(reader, is_first=position == 0))
    if not named.numbers:
        _read_without_words(outside, named, reader)
    if not named.numbers and not named.doubts and not AGAINST.match(outside):
        named.doubts.append("it names no phase; nothing is waited for")
    if named.numbers and (OPTIONAL.search(value) or WEAK.search(outside)):
        named.doubts.append("it may be optional; it is waited for all the same")
    return named


@dataclass(frozen=True, slots=True)
class _Reader:
    own: str
    known: Known
    is_first: bool


def _prepared(text: str) -> str:
    """The text on one line without marks, cut where the next label begins."""
    return plain(re.sub(r"\[([^\[\]]{1,200})\]\[[^\[\]]{0,80}\]", r"\1", text[:MAX_TEXT])).replace("*", "").strip(" _")


def _without_brackets(text: str) -> str:
    """The text outside brackets; what follows a bracket that is never closed is dropped with it."""
    kept: list[str] = []
    depth, after = 0, 0
    for match in BRACKETS.finditer(text):
        if match[0] in "(（":
            if depth == 0:
                kept.append(text[after : match.start()])
            depth += 1
        elif depth:
            depth -= 1
            after = match.end()
    if depth == 0:
        kept.append(text[after:])
    return " ".join(" ".join(kept).split())


def _read_listed(value: str, outside: str, named: Named, reader: _Reader) -> bool:
    """Read `All checking phases (2-5)` as what the brackets list; whether they list any."""
    inside = IN_BRACKETS.search(value) if EVERY.search(outside[:_HEAD]) and not FIRST.search(outside) else None
    match = BARE_NUMBER.match(inside["list"]) if inside else None
    if inside is None or match is None:
        return False
    _read_group(inside["list"], match, named.numbers, named, reader)
    return True


def _read_clause(clause: str, named: Named, reader: _Reader) -> None:
    """Add the phases that one sentence asks for; those it only mentions are said where that is not plain."""
    head = clause[:_HEAD]
    every = EVERY.search(head)
    if every and EARLIER.search(head):
        _add_earlier(named, reader)
    elif every is None and ONE_EARLIER.search(head):
        _add_one_earlier(named, reader)
    left_out = [number for match in EXCEPT.finditer(clause) for number in ANY_NUMBER.findall(match["list"])]
    clause = EXCEPT.sub(" ", clause) if left_out else clause
    end = 0
    while named.is_open and (match := FIRST.search(clause, end)):
        before = clause[end : match.start()]
        numbers: dict[str, None] = {}
        end = _read_group(clause, match, numbers, named, reader)
        if _is_against(before):
            continue
        if not reader.is_first and before.strip(" ,:") and not FOR.search(before):
            named.doubts.append(f"phase {', '.join(numbers)} is only mentioned further on; it is not waited for")
            continue
        named.numbers.update(numbers)
    for number in left_out:
        named.numbers.pop(reader.known.normal(number), None)


def _read_group(clause: str, match: re.Match[str], numbers: dict[str, None], named: Named, reader: _Reader) -> int:
    """Add `Phase 1`, `Phases 1-3`, `Phase 2, 3 and Phase 4`, …; where it ends."""
    is_plural = PLURAL.match(match["word"]) is not None
    last, end = match["number"], match.end()
    _add(last, numbers, named, reader)
    while following := FOLLOWING.match(clause, end):
        how, number = following["how"].strip().lower(), following["number"]
        if how == "-" and not is_plural and re.match("0[0-9]", number) and following["how"] == "-":
            named.doubts.append(f"`{last}-{number}` is taken for a plan of phase {normal_number(last)}")
        elif how in RANGE_SIGNS:
            _add_range(last, number, numbers, named, reader)
        else:
            if how.endswith("or"):
                named.doubts.append("one of several phases would do; all of them are waited for")
            _add(number, numbers, named, reader)
        last, end = number, following.end()
        if not named.is_open:
            named.doubts.append(f"it names more than {MAX_NUMBERS} phases; the rest is not read")
            break
    return end


def _is_against(before: str) -> bool:
    """Whether the words before a phase say that it is not waited for, such as `in parallel with`."""
    before = NOT_BEFORE.sub("after", before)
    against = None
    for match in AGAINST.finditer(before):
        against = match
    return against is not None and not FOR.search(before, against.end())


def _read_without_words(outside: str, named: Named, reader: _Reader) -> None:
    """Read `1, 2`, `01-02`, `03-login`, the name of a phase, or `All phases`."""
    if EVERY.search(outside[:_HEAD]):
        named.doubts.append("it is read as all earlier phases")
        _add_earlier(named, reader)
        return
    clause = PLAN_WORD.sub("", re.split(r"\.\s|;\s(?!#?[0-9])|\s[—–-]{1,2}\s", outside, maxsplit=1)[0])
    match = BARE_NUMBER.match(clause)
    if match is None:
        _read_names(clause, named, reader)
        return
    numbers: dict[str, None] = {}
    doubts = len(named.doubts)
    end = _read_group(clause, match, numbers, named, reader)
    is_slug = SLUG.match(clause, end) and number_key(match["number"]) in reader.known.numbers
    if is_slug or DONE_WORDS.fullmatch(clause, end):
        named.numbers.update(numbers)
    else:
        del named.doubts[doubts:]


def _read_names(clause: str, named: Named, reader: _Reader) -> None:
    """Add the phases that are called by their names: `Login`, `Login and Billing`."""
    names = [clause, *re.split(r"\s*[,;+&/]\s*|\s+and\s+", clause, maxsplit=50)]
    for name in names:
        if number := reader.known.names.get(PHASE_WORD.sub("", name.strip(" .")).lower()):
            _add(number, named.numbers, named, reader)


def _add(number: str, numbers: dict[str, None], named: Named, reader: _Reader) -> None:
    numbers[reader.known.normal(number)] = None
    named.read += 1


def _add_range(first: str, last: str, numbers: dict[str, None], named: Named, reader: _Reader) -> None:
    """Add what lies between `first`, which is in already, and `last`, and `last` itself.

    A range of whole numbers means whole numbers: decimals between them are left out, which is said.
    """
    low, high = sort_key(first), sort_key(last)
    between = [number for number in reader.known.between(low, high) if number != reader.own][:MAX_RANGE]
    if low >= high:
        named.doubts.append(f"`{first}-{last}` is no range; both ends are waited for")
    elif not (first.isdigit() and last.isdigit()):
        for number in between:
            _add(number, numbers, named, reader)
    else:
        few = int(last) - int(first) <= MAX_RANGE
        whole = map(str, range(int(first) + 1, int(last))) if few else filter(str.isdigit, between)
        for number in whole:
            _add(number, numbers, named, reader)
        _doubt_decimals(first, last, [number for number in between if not number.isdigit()], named)
    _add(last, numbers, named, reader)
    numbers.pop(reader.own, None)


def _doubt_decimals(first: str, last: str, left_out: Sequence[str], named: Named) -> None:
    if left_out:
        some = ", ".join(left_out[:5]) + (", …" if len(left_out) > 5 else "")
        named.doubts.append(f"between {first} and {last} there is also phase {some}, which is not waited for")


def _add_earlier(named: Named, reader: _Reader) -> None:
    named.numbers.update(dict.fromkeys(reader.known.before(sort_key(reader.own))))


def _add_one_earlier(named: Named, reader: _Reader) -> None:
    earlier = reader.known.before(sort_key(reader.own))
    if earlier:
        named.numbers[earlier[-1]] = None
