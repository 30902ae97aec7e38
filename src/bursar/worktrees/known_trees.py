"""Trees that were read or written lately: what an id stands for never changes, so nobody needs to ask git again."""

from __future__ import annotations

import re
import threading

from bursar.worktrees.trees import Tree

MOST_ENTRIES = 50_000  # of all trees together: some 10 MB
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class KnownTrees:
    """Trees by their own id and by those of commits, the latest; safe to use from any thread."""

    def __init__(self, most_entries: int = MOST_ENTRIES) -> None:
        self._most_entries = most_entries
        self._guard = threading.Lock()
        self._trees: dict[str, Tree] = {}  # the one that was not asked for the longest comes first
        self._entries = 0

    def get(self, name: str) -> Tree | None:
        """The tree; None where it is not known."""
        with self._guard:
            if (tree := self._trees.pop(name, None)) is not None:
                self._trees[name] = tree
            return tree

    def add(self, name: str, tree: Tree) -> Tree:
        """The same tree; others may be forgotten for it. Nobody may change it from now on.

        What is no id (a branch, say) stands for something else tomorrow: it is not remembered.
        """
        with self._guard:
            if name not in self._trees and _ID.fullmatch(name):
                self._trees[name] = tree
                self._entries += len(tree) + 1
            while self._entries > self._most_entries:
                oldest = next(iter(self._trees))
                self._entries -= len(self._trees.pop(oldest)) + 1
        return tree

    def alias(self, name: str, tree: str) -> None:
        """`name` is a commit of the tree, if that one is known."""
        if (known := self.get(tree)) is not None:
            self.add(name, known)
