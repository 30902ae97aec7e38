"""Files that an agent has deleted without being asked to: work that is held back for a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bursar.graph import Graph, Node, build_graph
from bursar.plan import Task

_SHOWN = 5


def unasked_deletions(task: Task, deleted: Sequence[str]) -> list[str]:
    """Those of `deleted` that the task is not due to write and that nothing in its text names.

    None for a task that names no files: what it may touch is left to the agent. A file is named by its path, or by its
    own name alone; a folder that is named stands for all that is in it.
    """
    if not task.files:
        return []
    text = "\n".join((task.name, task.action, task.verify, task.done, *task.details.values()))
    text = re.sub(r"(?<![\w.])\./", "", text)
    return [path for path in deleted if not _is_due(task.files, path) and not _is_named(path, text)]


def deletions_in_words(paths: Sequence[str]) -> str:
    """Why the work is not merged."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"it deletes what it was not asked to touch: {', '.join(paths[:_SHOWN])}{more}"


def _is_due(files: Sequence[str], path: str) -> bool:
    """The graph's own reading of what a task may write decides."""
    graph = build_graph([Node("task", files=tuple(files)), Node("deleted", files=(path,))])
    return isinstance(graph, Graph) and bool(graph.conflicts)


def _is_named(path: str, text: str) -> bool:
    """In the text stands the path, its last part by itself, or a folder above it, written with a slash at its end."""
    folder, _, name = path.rpartition("/")
    names = [path, name]
    while folder:
        names.append(f"{folder}/")
        folder = folder.rpartition("/")[0]
    return any(_stands_in(each, text) for each in names)


def _stands_in(name: str, text: str) -> bool:
    """The name is there by itself, not as a part of a longer path."""
    return re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w*-]|\.\w)", text) is not None
