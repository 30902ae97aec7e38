"""Git's trees as values: compared, and joined where nothing is open to judgement. Pure.

Source: gitformat-pack(5), gitprotocol-common(5); the format of a tree is `MODE NAME\\0ID` per entry, in git's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

FOLDER, REPOSITORY = b"40000", b"160000"


class Entry(NamedTuple):
    """What a name stands for in a tree: a mode as git writes it, and the id of an object."""

    mode: bytes
    id: bytes


class Difference(NamedTuple):
    """A path that is not the same on both sides, with what it is there: never a folder, None for nothing."""

    path: bytes
    before: Entry | None
    after: Entry | None


Tree = Mapping[bytes, Entry]
Read = Callable[[bytes], Tree]
Write = Callable[[Tree], bytes]


def parse_tree(content: bytes, id_bytes: int) -> dict[bytes, Entry]:
    """The entries of a tree object; ids are raw, `id_bytes` long."""
    entries: dict[bytes, Entry] = {}
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + id_bytes
        entries[name] = Entry(mode.lstrip(b"0"), content[end + 1 : at])  # some old trees have modes like 040000
    return entries


def render_tree(tree: Tree) -> bytes:
    """The tree object of these entries."""
    ordered = sorted(tree.items(), key=lambda item: item[0] + b"/" if item[1].mode == FOLDER else item[0])
    return b"".join(b"%s %s\0%s" % (entry.mode, name, entry.id) for name, entry in ordered)


def differences(read: Read, before: Tree, after: Tree, within: bytes = b"") -> list[Difference]:
    """Every path in which two trees differ, in no order; only folders that differ are read."""
    found: list[Difference] = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        path = within + name
        found += differences(read, _inside(read, old), _inside(read, new), path + b"/")
        old, new = _unless_folder(old), _unless_folder(new)
        if old or new:
            found.append(Difference(path, old, new))
    return found


def join(read: Read, write: Write, base: Tree, ours: Tree, theirs: Tree) -> dict[bytes, Entry] | None:
    """Ours with what theirs has changed since `base`; None where a name was changed on both sides.

    Only then could git say anything else: renames, conflicts and content merges all need a name that both have
    touched, if only by taking it away. Folders that both have changed are joined name by name.
    """
    joined = dict(ours)
    for name in base.keys() | theirs.keys():
        old, our, their = base.get(name), ours.get(name), theirs.get(name)
        if their == old:
            continue
        if our == old:
            entry = their
        elif old and our and their and old.mode == our.mode == their.mode == FOLDER:
            inside = join(read, write, read(old.id), read(our.id), read(their.id))
            if inside is None:
                return None
            entry = Entry(FOLDER, write(inside)) if inside else None
        else:
            return None
        joined.pop(name, None)
        if entry is not None:
            joined[name] = entry
    return joined


def tree_of(read: Read, write: Write, files: Tree, before: Tree) -> dict[bytes, Entry]:
    """The tree with these files, by path; a folder of it that is as in `before` is not written again."""
    tree: dict[bytes, Entry] = {}
    folders: dict[bytes, dict[bytes, Entry]] = {}
    for path, entry in files.items():
        name, is_within, rest = path.partition(b"/")
        if is_within:
            folders.setdefault(name, {})[rest] = entry
        else:
            tree[name] = entry
    for name, inside in folders.items():
        old = before.get(name)
        was = _inside(read, old)
        now = tree_of(read, write, inside, was)
        tree[name] = old if old is not None and now == was else Entry(FOLDER, write(now))
    return tree


def _inside(read: Read, entry: Entry | None) -> Tree:
    return read(entry.id) if entry is not None and entry.mode == FOLDER else {}


def _unless_folder(entry: Entry | None) -> Entry | None:
    return None if entry is None or entry.mode == FOLDER else entry
