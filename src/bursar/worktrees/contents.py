"""Files as they are in a commit, without a checkout."""

from __future__ import annotations

from collections.abc import Iterable

from bursar.worktrees.objects import read_blob, read_tree
from bursar.worktrees.repository import Repository
from bursar.worktrees.trees import FOLDER


def read_files(repository: Repository, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
    """The contents of those of the files (paths from the root) that the commit has."""
    found = {path: read_blob(repository, f"{commit}:{path}") for path in paths if _is_plain(path)}
    return {path: content for path, content in found.items() if content is not None}


def list_files(repository: Repository, commit: str, folder: str) -> tuple[str, ...]:
    """The names of the files that lie in the folder itself; empty where the commit has no such folder."""
    tree = read_tree(repository, commit)
    for name in folder.split("/"):
        entry = tree.get(name.encode("utf-8", "surrogateescape"))
        if entry is None or entry.mode != FOLDER:
            return ()
        tree = read_tree(repository, entry.id.hex())
    return tuple(name.decode("utf-8", "surrogateescape") for name, entry in tree.items() if entry.mode != FOLDER)


def _is_plain(path: str) -> bool:
    """It can be asked for in one line, and stays within the repository."""
    return "\n" not in path and not path.startswith("/") and ".." not in path.split("/")
