"""Which two nodes may write one file: near-linear in what all nodes claim, however many of them share a file.

Paths and folders are places in a tree. Patterns are places of their own, through which everything passes that may meet
them; comparing takes time, so it is limited, and a pattern past the limit counts as all of the folder that it lies in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bursar.graph.claims import Claim, Shape, folders_above, may_meet, parse_claim, shape_of
from bursar.graph.model import Node
from bursar.graph.places import Pattern, Place, Visit

MAX_COMPARISONS = 50_000
"""How many claims patterns are compared with, each as often as it is made."""


Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Touch:
    """What a node does at a place that it may write to: it takes the whole, or only passes."""

    place: str
    takes_whole: bool


def find_conflicts(nodes: Sequence[Node]) -> dict[Pair, Pair]:
    """Pairs of nodes of which the second has to wait for the first, among nodes in the order of their ranks.

    Every two nodes with claims that may meet are connected by a chain of such pairs. Each pair comes with the first of
    their claims that meet.
    """
    read = _read_claims(nodes)
    stays = _stays(read)
    found: dict[Pair, Pair] = {}
    last: dict[str, str] = {}  # of claims that meet no others: who made them last
    for rank, (node, own) in enumerate(zip(nodes, read.made, strict=True)):
        taken: set[Place] = set()  # once is enough, by however many patterns that count as the same folder
        for text in own:
            stay = stays.get(text)
            if stay is None:
                if text in last:
                    found.setdefault((last[text], node.key), (text, text))
                last[text] = node.key
            elif not stay.is_simple or stay.place not in taken:
                if stay.is_simple:
                    taken.add(stay.place)
                for before in stay.enter(Visit(node.key, text, rank)):
                    if before.rank != rank:
                        found.setdefault((before.key, node.key), (before.text, text))
    return found


def touched_places(nodes: Sequence[Node]) -> dict[str, tuple[Touch, ...]]:
    """The places that each node touches, once each.

    Two nodes may write one file if and only if one of them takes the whole of a place that the other touches.
    """
    read = _read_claims(nodes)
    folders = {claim.root for claim in read.claims.values() if not claim.is_pattern}
    touches = {text: _touches(claim, folders, read.passes.get(text, ())) for text, claim in read.claims.items()}
    touched: dict[str, tuple[Touch, ...]] = {}
    for node, own in zip(nodes, read.made, strict=True):
        found: dict[str, bool] = {}
        for text in own:
            for touch in touches[text]:
                found[touch.place] = found.get(touch.place, False) or touch.takes_whole
        touched[node.key] = tuple(Touch(place, takes_whole) for place, takes_whole in found.items())
    return touched


def _touches(claim: Claim, folders: set[str], patterns: Sequence[str]) -> list[Touch]:
    """The claim itself, the claimed folders that it lies in, and the patterns that it may meet."""
    above = [folder for folder in folders_above(claim.root) if folder in folders]
    if claim.is_pattern and claim.root in folders:
        above.append(claim.root)
    return [Touch(claim.text, True), *(Touch(place, False) for place in (*above, *patterns))]


@dataclass(frozen=True, slots=True)
class _Claims:
    """What nodes claim.

    Attributes:
        made: the texts of each node's claims, once each.
        claims: by text; a pattern that is not in `exact` stands as the folder that it lies in.
        exact: the patterns that are compared one by one.
        passes: by text, the patterns that a claim may meet; of two patterns, one stands so for both.
    """

    made: Sequence[Sequence[str]]
    claims: Mapping[str, Claim]
    exact: Sequence[str]
    passes: Mapping[str, Sequence[str]]


def _read_claims(nodes: Sequence[Node]) -> _Claims:
    parsed = {file: parse_claim(file) for node in nodes for file in node.files}
    texts = {file: claim.text for file, claim in parsed.items()}
    made = [tuple(dict.fromkeys([texts[file] for file in node.files])) for node in nodes]
    claims = _distinct(parsed.values())
    patterns = [claim for claim in claims.values() if claim.is_pattern]
    under = _claims_under({claim.root for claim in patterns}, claims.values())
    exact = _affordable(patterns, under, made)
    if patterns:
        known = frozenset(exact)
        claims = {
            text: _simple(claim) if claim.is_pattern and text not in known else claim for text, claim in claims.items()
        }
    return _Claims(made, claims, exact, _compare(exact, under, claims) if exact else {})


def _distinct(claims: Iterable[Claim]) -> dict[str, Claim]:
    """One claim of each text; it is whole if one author of it says so."""
    distinct: dict[str, Claim] = {}
    for claim in claims:
        known = distinct.setdefault(claim.text, claim)
        if claim.is_whole and not known.is_whole:
            distinct[claim.text] = claim
    return distinct


@dataclass(slots=True)
class _Stay:
    """Where a claim takes its node: to a place of its own, in the tree or a pattern's, and through others'."""

    place: Place
    pattern: Pattern | None = None
    passes: tuple[Pattern, ...] = ()

    @property
    def is_simple(self) -> bool:
        """It takes a place, and no pattern has to do with it."""
        return self.pattern is None and not self.passes

    def enter(self, visit: Visit) -> Iterator[Visit]:
        """Whom the visitor waits for."""
        if self.pattern is None:
            yield from self.place.take(visit)
        else:
            yield from self.place.pass_through(visit)
            yield from self.pattern.take(visit)
        for pattern in self.passes:
            yield from pattern.pass_through(visit)


def _stays(read: _Claims) -> dict[str, _Stay]:
    """Where the claims go that may meet others; those that meet nothing but themselves are left out."""
    places = _places({claim.root for claim in read.claims.values() if not claim.is_pattern})
    patterns = {text: Pattern() for text in read.exact}
    stays = {
        text: _Stay(
            _nearest(places, claim.root),
            patterns.get(text),
            tuple([patterns[name] for name in read.passes[text]]) if text in read.passes else (),
        )
        for text, claim in read.claims.items()
    }
    return _without_lonely(stays, places)


def _without_lonely(stays: Mapping[str, _Stay], places: Mapping[str, Place]) -> dict[str, _Stay]:
    """The stays of claims that may meet others: most paths lie in no claimed folder and fit no pattern."""
    root = places[""]
    used = Counter([stay.place for stay in stays.values()])
    holding = {place.parent for place in places.values()}
    is_root_taken = any(stay.place is root and stay.pattern is None for stay in stays.values())
    return {
        text: stay
        for text, stay in stays.items()
        if is_root_taken
        or not stay.is_simple
        or stay.place.parent is not root
        or stay.place in holding
        or used[stay.place] > 1
    }


def _compare(
    exact: Sequence[str], under: Mapping[str, Sequence[str]], claims: Mapping[str, Claim]
) -> dict[str, list[str]]:
    """The patterns that each claim may meet; of two patterns, the one that comes first in `exact` has the other."""
    passes: dict[str, list[str]] = {}
    shapes, others = _shapes(claims), frozenset(exact)
    seen: set[str] = set()
    for text in exact:
        for other in under[claims[text].root]:
            if (other in seen or other not in others) and may_meet(shapes[text], shapes[other]):
                passes.setdefault(other, []).append(text)
        seen.add(text)
    return passes


def _simple(pattern: Claim) -> Claim:
    """All of the folder that the pattern lies in."""
    return Claim(pattern.root, pattern.root, is_pattern=False, is_whole=True)


def _places(paths: Iterable[str]) -> dict[str, Place]:
    """The tree of claimed paths; the whole project is always in it."""
    places: dict[str, Place] = {"": Place()}
    for path in sorted(paths, key=len):
        if path:
            places[path] = Place(_nearest(places, path))
    return places


def _nearest(places: Mapping[str, Place], path: str) -> Place:
    """The place of a path, else of the nearest folder above it."""
    place = places.get(path)
    if place is not None:
        return place
    place = places[""]
    for folder in folders_above(path):
        place = places.get(folder, place)
    return place


def _shapes(claims: Mapping[str, Claim]) -> dict[str, Shape]:
    """Every claim taken apart. A path that others lie in is a folder, whatever it looks like."""
    paths = {claim.root for claim in claims.values() if not claim.is_pattern}
    holding = {folder for claim in claims.values() for folder in folders_above(claim.root) if folder in paths}
    return {
        text: shape_of(claim.text, is_pattern=claim.is_pattern, is_whole=claim.is_whole or claim.text in holding)
        for text, claim in claims.items()
    }


def _claims_under(roots: set[str], claims: Iterable[Claim]) -> dict[str, list[str]]:
    """What lies in each of these folders; a pattern lies in its own root too."""
    under: dict[str, list[str]] = {root: [] for root in roots}
    for claim in claims if roots else ():
        for folder in folders_above(claim.root):
            if folder in under:
                under[folder].append(claim.text)
        if claim.root in under:
            under[claim.root].append(claim.text)
    return under


def _affordable(
    patterns: Sequence[Claim], under: Mapping[str, Sequence[str]], made: Sequence[Sequence[str]]
) -> list[str]:
    """The patterns that are compared one by one: the smallest folders first, inner before outer."""
    uses = Counter([text for own in made for text in own] if patterns else ())
    costs = {root: sum(uses[text] for text in texts) for root, texts in under.items()}
    left = MAX_COMPARISONS
    exact: list[str] = []
    for claim in sorted(patterns, key=lambda claim: (costs[claim.root], -len(claim.root))):
        left -= costs[claim.root]
        if left < 0:
            break
        exact.append(claim.text)
    return exact
