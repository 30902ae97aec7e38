"""What a phase waits for, from the words at `Depends on`: every wording people use, and a doubt where it is unclear."""

from __future__ import annotations

import re
import string
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bursar.plan.roadmap_marks import NUMBER, plain
from bursar.plan.roadmap_model import normal_number

MAX_TEXT = 2_000  # the longest line of any kind that was seen has 1,857
MAX_NUMBERS = 500  # that one text may name, repeats counted
SortKey = tuple[str, tuple[int, ...], str]
_LETTERS = string.ascii_letters
MAX_RANGE = 100  # phases; a range that is longer names only its ends and what the roadmap has between them
_WORD = r"(?:phases?|fases?|faser(?:na)?|阶段|階段|단계)"
_UNITS = r"(?![ ]*(?:plans?|tasks?|weeks?|days?|hours?|tests?|files?|sprints?|requirements?|waves?|steps?|items?|%))"
_GROUP = re.compile(rf"(?<!\w)(?P<word>{_WORD})[ ]*#?(?P<number>{NUMBER})", re.IGNORECASE)
_NEXT = re.compile(
    r"[ ]*(?P<how>,[ ]*(?:and|e|y|och|und|et|or|&|\+)[ ]|,|、|，|;(?=[ ]*#?[0-9])|"
    r"(?:and|e|y|och|und|et|or|plus)[ ]|&|\+|/|和|与|及|–|—|--?|~|\.\.|"
    r"(?:to|through|thru|until|bis|till|a|até|hasta)[ ]|至|到)"
    rf"[ ]*(?:{_WORD}[ ]*)?#?(?P<number>{NUMBER}){_UNITS}(?!/[0-9])",
    re.IGNORECASE,
)
_RANGE_SIGNS = frozenset(
    {"–", "—", "-", "--", "~", "..", "to", "through", "thru", "until", "bis", "till", "a", "até", "hasta"}
)
_RANGE_SIGNS |= {"至", "到"}
_NOTHING = re.compile(
    r"\W*(?:(?:nothing|none|nada|nenhum\w*|ningun[oa]?|n/?a|inga|inget|ingen|keine?|nichts|rien|aucune?|null|nil)\b"
    r"(?!\s+(?:beyond|except|besides|other than)\b)|no (?:dependenc|prior|previous|phases?\b|prereq)|"
    r"first phase\b|无|無|没有|없음|$)",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"\W*(?:tbd|to be (?:decided|determined|defined)|unknown|todo|\?)", re.IGNORECASE)
_CLAUSE_END = re.compile(r"(?<=[\w)])[.;](?:\s+|$)|\s—\s|。|；")
_AGAINST = re.compile(
    r"parallel|paralel|independ|unabhängig|oberoende|\bnot\b(?!\s+(?:before|until))|\bwithout\b|(?<!not )\bbefore\b|"
    r"\balongside\b|\bconcurrent|\boverlap|\bblocks?\b|\bunlocks?\b|\benables?\b|并行|独立",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\b(?:after|once|needs?|requires?|depends?|until|before|upon|following|also|plus|and|após|depois|precisa|efter|kräver|nach)\b|依赖",
    re.IGNORECASE,
)
_UNCLEAR = re.compile(
    r"\b(?:optional(?:ly)?|opcional|if needed|nice to have|soft|recommended|preferably|ideally)\b", re.IGNORECASE
)
_EXCEPT = re.compile(
    r"\b(?:except|excluding|without|but not|minus|exceto|utom|außer)\s+(?:for\s+)?"
    rf"(?P<list>(?:{_WORD}\s*)?#?{NUMBER}(?:\s*(?:,|and|or|&|\+)\s*(?:{_WORD}\s*)?#?{NUMBER}){{0,20}})",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"\b(?:all|every|each|todas as|todas las|alla|alle)\b[\w ]{{0,30}}?\b{_WORD}|所有.{{0,6}}阶段", re.IGNORECASE
)
_EARLIER = re.compile(
    r"\b(?:previous|prior|earlier|preceding|above|anterior(?:es)?|tidigare|föregående|vorherig\w*)\b|之前|前",
    re.IGNORECASE,
)
_ONE_EARLIER = re.compile(
    rf"\b(?:the |a |la )?(?:previous|prior|preceding)\s+{_WORD}\b(?!\w)|\bfase anterior\b|前一阶段|上一阶段",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"phases|fases|faser", re.IGNORECASE)
_A_NUMBER = re.compile(NUMBER)
_BARE = re.compile(rf"(?P<word>)#?(?P<number>{NUMBER})")
_SLUG = re.compile(r"-[A-Za-z][\w-]*\s*(?:[,;].*)?$", re.DOTALL)
_IN_BRACKETS = re.compile(rf"[(（]\s*(?:{_WORD}\s*)?(?P<list>#?{NUMBER}[^()（）]*)[)）]", re.IGNORECASE)
_DONE_WORDS = re.compile(
    r"\s*(?:(?:is |are |must be )?(?:completed?|done|shipped|finished|merged|完成))?\s*[.]?\s*", re.IGNORECASE
)
_HEAD = 400  # where words for several phases are looked for
_BRACKETS = re.compile(r"[()（）]")


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


class Known:
    """The phases of a roadmap, by number, by name and in the order of their numbers."""

    def __init__(self, phases: Sequence[tuple[str, str]]) -> None:
        """`phases` are numbers and names, numbers as the roadmap's phases bear them."""
        self.numbers: dict[str, str] = {number_key(number): number for number, _ in reversed(phases)}
        self._borne = frozenset(number for number, _ in phases)
        counted = Counter(name.lower() for _, name in phases)
        self.names: dict[str, str] = {
            name.lower(): number for number, name in phases if name and counted[name.lower()] == 1
        }
        self._sorted = sorted((number for number, _ in phases), key=sort_key)
        self._keys = [sort_key(number) for number in self._sorted]

    def normal(self, number: str) -> str:
        """The number as its phase bears it; normalised where there is no such phase."""
        return self.numbers.get(number_key(number)) or normal_number(number)

    def before(self, key: SortKey) -> Sequence[str]:
        """The phases with a lower number, the lowest first."""
        return self._sorted[: bisect_left(self._keys, key)]

    def between(self, low: SortKey, high: SortKey) -> Sequence[str]:
        """The phases with a number between the two, ends left out."""
        return self._sorted[bisect_right(self._keys, low) : bisect_left(self._keys, high)]

    def nearest(self, number: str, own: str) -> str | None:
        """The phase other than `own` with the nearest number; None where there is no other."""
        place = bisect_left(self._keys, sort_key(number))
        close = [other for other in self._sorted[max(0, place - 2) : place + 2] if other != own]
        whole = sort_key(number)[1][0]
        return min(close, key=lambda other: abs(sort_key(other)[1][0] - whole), default=None)

    @property
    def first(self) -> str:
        """The lowest number; there is one wherever a phase has been read."""
        return self._sorted[0]

    def __contains__(self, number: str) -> bool:
        """Whether a phase bears this very number."""
        return number in self._borne


def number_key(number: str) -> str:
    """What two spellings of one number share: `06` and `6`, `12a` and `12A`."""
    return normal_number(number).upper()


def sort_key(number: str) -> SortKey:
    """The order of numbers: `2` < `2.1` < `2.1.1` < `3` < `12` < `12A`; codes by their number, after plain numbers."""
    code, _, bare = number.rpartition("-")
    parts = bare.rstrip(_LETTERS).split(".")
    return (code.upper(), tuple(int(part or 0) for part in parts), bare[len(bare.rstrip(_LETTERS)) :].upper())


def read_dependencies(text: str, own: str, known: Known) -> Named:
    """What the text at a phase's `Depends on` names; `own` is that phase's number."""
    named = Named()
    value = _prepared(text)
    if len(text) > MAX_TEXT:
        named.doubts.append(f"the text is longer than {MAX_TEXT} characters; the rest is not read")
    if _UNKNOWN.match(value):
        named.doubts.append("it is not yet said what this waits for; nothing is waited for")
        return named
    if _NOTHING.match(value):
        return named
    outside = _without_brackets(value)
    for position, clause in enumerate(_CLAUSE_END.split(outside)):
        _read_clause(clause, named, _Reader(own, known, is_first=position == 0))
    if not named.numbers:
        _read_without_words(value, outside, named, _Reader(own, known, is_first=True))
    if not named.numbers and not named.doubts:
        named.doubts.append("it names no phase; nothing is waited for")
    if _UNCLEAR.search(value) and named.numbers:
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
    for match in _BRACKETS.finditer(text):
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


def _read_clause(clause: str, named: Named, reader: _Reader) -> None:
    """Add the phases that one sentence asks for; those it only mentions are said where that is not plain."""
    head = clause[:_HEAD]
    every = _ALL.search(head)
    if every and _EARLIER.search(head):
        _add_earlier(named, reader)
    elif every is None and _ONE_EARLIER.search(head):
        _add_one_earlier(named, reader)
    left_out = [number for match in _EXCEPT.finditer(clause) for number in _A_NUMBER.findall(match["list"])]
    clause = _EXCEPT.sub(" ", clause) if left_out else clause
    end = 0
    while named.is_open and (match := _GROUP.search(clause, end)):
        before = clause[end : match.start()]
        numbers: dict[str, None] = {}
        end = _read_group(clause, match, numbers, named, reader)
        if _is_against(before):
            continue
        if not reader.is_first and before.strip(" ,:") and not _FOR.search(before):
            named.doubts.append(f"phase {', '.join(numbers)} is only mentioned further on; it is not waited for")
            continue
        named.numbers.update(numbers)
    for number in left_out:
        named.numbers.pop(reader.known.normal(number), None)


def _read_group(clause: str, match: re.Match[str], numbers: dict[str, None], named: Named, reader: _Reader) -> int:
    """Add `Phase 1`, `Phases 1-3`, `Phase 2, 3 and Phase 4`, …; where it ends."""
    is_plural = _PLURAL.match(match["word"]) is not None
    last, end = match["number"], match.end()
    _add(last, numbers, named, reader)
    while following := _NEXT.match(clause, end):
        how, number = following["how"].strip().lower(), following["number"]
        if how == "-" and not is_plural and re.match("0[0-9]", number) and following["how"] == "-":
            named.doubts.append(f"`{last}-{number}` is taken for a plan of phase {normal_number(last)}")
        elif how in _RANGE_SIGNS:
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
    against = None
    for match in _AGAINST.finditer(before):
        against = match
    return against is not None and not _FOR.search(before, against.end())


def _read_without_words(value: str, outside: str, named: Named, reader: _Reader) -> None:
    """Read `1, 2`, `01-02`, `03-login`, the name of a phase, or `All checks (2-5)`."""
    if _ALL.search(outside[:_HEAD]):
        _read_all(value, named, reader)
        return
    clause = re.split(r"[.;]\s|\s[—–-]{1,2}\s", outside, maxsplit=1)[0]
    match = _BARE.match(clause)
    if match is None:
        _read_names(clause, named, reader)
        return
    numbers: dict[str, None] = {}
    doubts = len(named.doubts)
    end = _read_group(clause, match, numbers, named, reader)
    is_slug = _SLUG.match(clause, end) and number_key(match["number"]) in reader.known.numbers
    if is_slug or _DONE_WORDS.fullmatch(clause, end):
        named.numbers.update(numbers)
    else:
        del named.doubts[doubts:]


def _read_names(clause: str, named: Named, reader: _Reader) -> None:
    """Add the phases that are called by their names: `Login`, `Login and Billing`."""
    names = [clause, *re.split(r"\s*[,;+&/]\s*|\s+and\s+", clause, maxsplit=50)]
    for name in names:
        if number := reader.known.names.get(name.strip(" .").lower()):
            _add(number, named.numbers, named, reader)


def _read_all(value: str, named: Named, reader: _Reader) -> None:
    """Read `All checks (2-5)` as what stands in the brackets, else as every earlier phase, which is said."""
    inside = _IN_BRACKETS.search(value)
    match = _BARE.match(inside["list"]) if inside else None
    if inside is not None and match is not None:
        _read_group(inside["list"], match, named.numbers, named, reader)
        return
    named.doubts.append("it is read as all earlier phases")
    _add_earlier(named, reader)


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
