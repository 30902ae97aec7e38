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


def find_conflicts(nodes: Sequence[Node]) -> dict[Pair, Pair]:
    """Pairs of nodes of which the second has to wait for the first, among nodes in the order of their ranks.

    Every two nodes with claims that may meet are connected by a chain of such pairs. Each pair comes with the first of
    their claims that meet.
    """
    parsed = {file: parse_claim(file) for node in nodes for file in node.files}
    texts = {file: claim.text for file, claim in parsed.items()}
    claimed = [tuple(dict.fromkeys([texts[file] for file in node.files])) for node in nodes]
    stays = _stays(_distinct(parsed.values()), claimed)
    found: dict[Pair, Pair] = {}
    last: dict[str, str] = {}  # of claims that meet no others: who made them last
    for rank, (node, own) in enumerate(zip(nodes, claimed, strict=True)):
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


def _stays(claims: Mapping[str, Claim], claimed: Sequence[Sequence[str]]) -> dict[str, _Stay]:
    """Where the claims go that may meet others; those that meet nothing but themselves are left out."""
    patterns = [claim for claim in claims.values() if claim.is_pattern]
    under = _claims_under({claim.root for claim in patterns}, claims.values())
    exact = _affordable(patterns, under, claimed)
    claims = {
        text: _simple(claim) if claim.is_pattern and text not in exact else claim for text, claim in claims.items()
    }
    places = _places({claim.root for claim in claims.values() if not claim.is_pattern})
    stays = {text: _Stay(_nearest(places, claim.root), exact.get(text)) for text, claim in claims.items()}
    if exact:
        _compare(exact, under, claims, _shapes(claims, places), stays)
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
    exact: Mapping[str, Pattern],
    under: Mapping[str, Sequence[str]],
    claims: Mapping[str, Claim],
    shapes: Mapping[str, Shape],
    stays: Mapping[str, _Stay],
) -> None:
    """What may meet a pattern passes through it; of two patterns, the one that comes first in `exact`."""
    seen: set[str] = set()
    for text, pattern in exact.items():
        for other in under[claims[text].root]:
            if (other in seen or other not in exact) and may_meet(shapes[text], shapes[other]):
                stays[other].passes += (pattern,)
        seen.add(text)


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


def _shapes(claims: Mapping[str, Claim], places: Mapping[str, Place]) -> dict[str, Shape]:
    """Every claim taken apart. A path that others lie in is a folder, whatever it looks like."""
    holding = {folder for claim in claims.values() for folder in folders_above(claim.root) if folder in places}
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
    patterns: Sequence[Claim], under: Mapping[str, Sequence[str]], claimed: Sequence[Sequence[str]]
) -> dict[str, Pattern]:
    """The patterns that are compared one by one: the smallest folders first, inner before outer."""
    uses = Counter([text for own in claimed for text in own] if patterns else ())
    costs = {root: sum(uses[text] for text in texts) for root, texts in under.items()}
    left = MAX_COMPARISONS
    exact: dict[str, Pattern] = {}
    for claim in sorted(patterns, key=lambda claim: (costs[claim.root], -len(claim.root))):
        left -= costs[claim.root]
        if left < 0:
            break
        exact[claim.text] = Pattern()
    return exact
