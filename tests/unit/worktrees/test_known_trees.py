"""Trees are remembered by ids, which never stand for anything else, and only so many of them."""

from __future__ import annotations

from bursar.worktrees.known_trees import KnownTrees
from bursar.worktrees.trees import Entry

FILE = Entry(b"100644", b"\0" * 20)
ONE, TWO, THREE = (digit * 40 for digit in "123")


def tree(count: int) -> dict[bytes, Entry]:
    return {b"%d" % number: FILE for number in range(count)}


def test_a_tree_is_known_by_its_id_and_by_that_of_a_commit() -> None:
    known = KnownTrees()
    made = known.add(ONE, tree(2))
    known.alias(TWO, ONE)
    assert known.get(ONE) is known.get(TWO) is made
    assert known.get(THREE) is None


def test_an_alias_of_what_is_not_known_is_none() -> None:
    known = KnownTrees()
    known.alias(TWO, ONE)
    assert known.get(TWO) is None


def test_what_is_no_id_is_not_remembered() -> None:
    known = KnownTrees()
    for name in ("HEAD", "main", "refs/heads/main", ONE[:7], ONE.replace("1", "g")):
        assert known.add(name, tree(1)) == tree(1)
        assert known.get(name) is None


def test_what_was_not_asked_for_the_longest_is_forgotten_first() -> None:
    known = KnownTrees(most_entries=8)
    known.add(ONE, tree(2))
    known.add(TWO, tree(2))
    assert known.get(ONE) is not None
    known.add(THREE, tree(2))
    assert [known.get(name) is not None for name in (ONE, TWO, THREE)] == [True, False, True]


def test_one_that_is_too_large_alone_is_not_kept() -> None:
    known = KnownTrees(most_entries=8)
    assert known.add(ONE, tree(9)) == tree(9)
    assert known.get(ONE) is None
