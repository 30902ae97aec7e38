"""Git's trees as values: read, written, compared and joined."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest

from bursar.worktrees.trees import (
    FOLDER,
    REPOSITORY,
    Entry,
    Tree,
    differences,
    join,
    parse_tree,
    render_tree,
    tree_of,
)

Files = Mapping[str, str]
"""Path → content; a content of `@…` is a repository of its own."""


class Store:
    """Trees by id."""

    def __init__(self) -> None:
        self.trees: dict[bytes, Tree] = {}

    def read(self, name: bytes) -> Tree:
        return self.trees[name]

    def write(self, tree: Tree) -> bytes:
        name = hashlib.sha1(render_tree(tree)).digest()
        self.trees[name] = dict(tree)
        return name

    def tree(self, files: Files) -> Tree:
        folders: dict[str, dict[str, str]] = {}
        tree: dict[bytes, Entry] = {}
        for path, content in files.items():
            name, is_folder, rest = path.partition("/")
            if is_folder:
                folders.setdefault(name, {})[rest] = content
            else:
                tree[name.encode()] = leaf(content)
        for name, inside in folders.items():
            tree[name.encode()] = Entry(FOLDER, self.write(self.tree(inside)))
        return tree

    def files(self, tree: Tree) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name, entry in tree.items():
            if entry.mode == FOLDER:
                found |= {f"{name.decode()}/{path}": id_ for path, id_ in self.files(self.read(entry.id)).items()}
            else:
                found[name.decode()] = entry.id
        return found


def leaf(content: str) -> Entry:
    mode = REPOSITORY if content.startswith("@") else b"100644"
    return Entry(mode, hashlib.sha1(content.encode()).digest())


@pytest.mark.parametrize("id_bytes", [20, 32])
def test_a_tree_is_read_as_it_was_written(id_bytes: int) -> None:
    tree = {b"a file": Entry(b"100755", b"\0" * id_bytes), b"\xff": Entry(FOLDER, b" " * id_bytes)}
    assert parse_tree(render_tree(tree), id_bytes) == tree
    assert parse_tree(b"", id_bytes) == {}


def test_an_old_way_of_writing_modes_makes_no_difference() -> None:
    assert parse_tree(b"040000 f\0" + b"i" * 20, 20) == {b"f": Entry(FOLDER, b"i" * 20)}


def test_a_folder_is_filed_as_if_its_name_ended_with_a_slash() -> None:
    entry, folder = Entry(b"100644", b"i" * 20), Entry(FOLDER, b"i" * 20)
    written = render_tree({b"a0": entry, b"a": folder, b"a.txt": entry, b"a-b": entry})
    assert list(parse_tree(written, 20)) == [b"a-b", b"a.txt", b"a", b"a0"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": "1", "f/g/b": "2"}, {"a": "1", "f/g/b": "2"}, set()),
        ({"a": "1", "f/b": "2", "f/c": "3"}, {"a": "1", "f/b": "x", "f/c": "3"}, {("f/b", "2", "x")}),
        ({}, {"f/g/b": "2"}, {("f/g/b", None, "2")}),
        ({"f/g/b": "2", "a": "1"}, {"a": "1"}, {("f/g/b", "2", None)}),
        ({"f": "1"}, {"f/b": "1"}, {("f", "1", None), ("f/b", None, "1")}),
        ({"f/b": "1"}, {"f": "@1"}, {("f", None, "@1"), ("f/b", "1", None)}),
    ],
)
def test_what_differs(before: Files, after: Files, expected: set[tuple[str, str | None, str | None]]) -> None:
    store = Store()
    found = differences(store.read, store.tree(before), store.tree(after))
    assert {(each.path.decode(), each.before, each.after) for each in found} == {
        (path, None if old is None else leaf(old), None if new is None else leaf(new)) for path, old, new in expected
    }
    assert len(found) == len(expected)


BASE = {"a": "1", "b": "2", "f/c": "3", "f/d": "4", "f/g/e": "5"}


def test_folders_that_are_the_same_are_not_read() -> None:
    store = Store()
    before, after = store.tree(BASE), store.tree({**BASE, "a": "x"})
    store.trees.clear()
    assert [difference.path for difference in differences(store.read, before, after)] == [b"a"]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (BASE, {**BASE, "a": "x"}, {**BASE, "a": "x"}),
        ({**BASE, "a": "x"}, BASE, {**BASE, "a": "x"}),
        ({**BASE, "a": "x"}, {**BASE, "b": "y"}, {**BASE, "a": "x", "b": "y"}),
        ({**BASE, "f/c": "x"}, {**BASE, "f/g/e": "y"}, {**BASE, "f/c": "x", "f/g/e": "y"}),
        ({**BASE, "n/1": "x"}, {**BASE, "f/new": "y"}, {**BASE, "n/1": "x", "f/new": "y"}),
        ({"a": "1", "b": "2"}, {**BASE, "a": "x"}, {"a": "x", "b": "2"}),
        ({**BASE, "b": "@2"}, {**BASE, "a": "@1"}, {**BASE, "a": "@1", "b": "@2"}),
        (
            {path: BASE[path] for path in BASE if path != "f/c"},
            {path: BASE[path] for path in ("a", "b", "f/c")},
            {"a": "1", "b": "2"},
        ),
    ],
)
def test_changes_of_different_names_are_joined(ours: Files, theirs: Files, expected: Files) -> None:
    store = Store()
    joined = join(store.read, store.write, store.tree(BASE), store.tree(ours), store.tree(theirs))
    assert joined == store.tree(expected)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({**BASE, "a": "x"}, {**BASE, "a": "y"}),
        ({**BASE, "a": "x"}, {**BASE, "a": "x"}),
        ({**BASE, "new": "x"}, {**BASE, "new": "y"}),
        ({**BASE, "new": "x"}, {**BASE, "new/deep": "y"}),
        ({**BASE, "n/1": "x"}, {**BASE, "n/2": "y"}),
        ({**BASE, "a": "@1"}, {**BASE, "a": "y"}),
        ({**BASE, "f/c": "x"}, {**BASE, "f/c": "y"}),
        ({**BASE, "f/g/e": "x"}, {"a": "1", "b": "2"}),
        ({"a": "1", "b": "2"}, {**BASE, "f/new": "y"}),
        ({"b": "2", "moved": "1"}, {"b": "2", "elsewhere": "1"}),
        ({"b": "2", "moved": "1"}, {"b": "2"}),
    ],
)
def test_a_name_that_both_have_changed_is_for_git_to_judge(ours: Files, theirs: Files) -> None:
    store = Store()
    base, one, two = store.tree(BASE), store.tree(ours), store.tree(theirs)
    assert join(store.read, store.write, base, one, two) is None
    assert join(store.read, store.write, base, two, one) is None


def flat(store: Store, tree: Tree) -> dict[bytes, Entry]:
    """The files of a tree by path, as an index has them."""
    found: dict[bytes, Entry] = {}
    for name, entry in tree.items():
        inside = flat(store, store.read(entry.id)) if entry.mode == FOLDER else None
        found |= {name: entry} if inside is None else {name + b"/" + path: leaf for path, leaf in inside.items()}
    return found


BEFORE = {"a": "1", "x/b": "2", "x/y/c": "3", "z/d": "4"}


@pytest.mark.parametrize(
    ("after", "written"),
    [
        (BEFORE, 0),
        ({**BEFORE, "a": "5"}, 0),
        ({**BEFORE, "x/b": "5"}, 1),
        ({**BEFORE, "x/y/c": "5"}, 2),
        ({**BEFORE, "new/deep/f": "5"}, 2),
        ({"a": "1", "x/b": "2", "z/d": "4"}, 1),
        ({"a": "1", "z/d": "4"}, 0),
        ({"a/now/inside": "1", "x": "2"}, 2),
        ({"x/y/c": "3"}, 1),
        ({"a": "@1", "x/b": "2", "x/y/c": "3", "z/d": "4"}, 0),
    ],
)
def test_a_tree_is_made_of_its_files_and_only_what_is_new_is_written(after: Files, written: int) -> None:
    store = Store()
    before, expected = store.tree(BEFORE), store.tree(after)
    calls: list[Tree] = []

    def write(tree: Tree) -> bytes:
        calls.append(tree)
        return store.write(tree)

    assert tree_of(store.read, write, flat(store, expected), before) == expected
    assert len(calls) == written
