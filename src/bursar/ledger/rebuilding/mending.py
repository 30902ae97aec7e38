"""An entry in which one byte is wrong, and what it was before: there is a hash that says so.

An entry's hash stands in two places, in the entry itself and in the one after it. Whichever byte was damaged, one of
them is right, and only what was written has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bursar.ledger.entries import RawEntry, hash_of

_LONGEST = 4000
"""Longer texts would take too long: every byte of them is tried in 255 ways."""


def mend(
    broken: RawEntry, numbers: Collection[int], previous: Collection[str], wanted: Collection[str]
) -> RawEntry | None:
    """The entry as it was written; None where more is wrong than one field can explain.

    Args:
        numbers: of the entries that are missing.
        previous: hashes that the entry before it may have.
        wanted: hashes that it may have itself, beside the one that stands in it.
    """
    hashes = {broken[6], *wanted}
    for variant in _variants(broken, numbers, previous):
        try:
            digest = hash_of(*variant)
        except (UnicodeEncodeError, TypeError):
            continue
        if digest in hashes or _is_one_off(digest, broken[6]):
            return (*variant, digest)
    return None


def _is_one_off(digest: str, told: str) -> bool:
    """The hash itself is what was damaged: no other content has one that differs in a single digit."""
    return len(told) == len(digest) and sum(a != b for a, b in zip(told, digest, strict=True)) == 1


_Fields = tuple[int, str, str, str, str, str]


def _variants(broken: RawEntry, numbers: Collection[int], previous: Collection[str]) -> Iterator[_Fields]:
    number, at, kind, key, body, named, _ = broken
    yield number, at, kind, key, body, named
    for other in numbers:
        yield other, at, kind, key, body, named
    for other_hash in previous:
        yield number, at, kind, key, body, other_hash
    for text in _with_another_byte(at):
        yield number, text, kind, key, body, named
    for text in _with_another_byte(kind):
        yield number, at, text, key, body, named
    for text in _with_another_byte(key):
        yield number, at, kind, text, body, named
    for text in _with_another_byte(body):
        yield number, at, kind, key, text, named


def _with_another_byte(text: str) -> Iterator[str]:
    content = text.encode("utf-8", "surrogateescape")
    if len(content) > _LONGEST:
        return
    for at in range(len(content)):
        before, after = content[:at], content[at + 1 :]
        for byte in range(256):
            try:
                yield (before + bytes((byte,)) + after).decode("utf-8")
            except UnicodeDecodeError:
                continue
