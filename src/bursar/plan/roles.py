"""What part a task plays in its plan, as far as its name and its files show it. For inferring an order only."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from bursar.plan.model import Task

_GROUNDWORK = re.compile(
    r"\b(?:set[- ]?up|scaffold\w*|bootstrap\w*|initiali[sz]\w+|init|install\w*|skeletons?|structure|foundations?"
    r"|schemas?|migrations?|(?:data )?models?|entit(?:y|ies)|types|interfaces?|contracts?|constants|config\w*"
    r"|shared|common|core|base|utilit\w+|utils?|helpers?|dependenc\w+|fixtures?|failing tests?)\b",
    re.IGNORECASE,
)
_JOINS = re.compile(
    r"\b(?:integrat\w+|wir(?:e|es|ing)|connect\w*|hook up|assembl\w+|regist\w+|rout(?:es|er|ing)|mount\w*|together"
    r"|end[- ]to[- ]end|e2e|smoke|final\w*|finish\w*|polish\w*|clean[- ]?up|replace all|migrate all|switch over|release"
    r"|deploy\w*|publish\w*|documentation|changelog|verif\w+|audit\w*|review\w*|refactor\w*)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:all|both|each|every)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+)?"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|\d{1,2})\b",
    re.IGNORECASE,
)
# Files that everything stands on, and files in which parts are joined; by name without suffix, in lower case.
_GROUND_FILES = frozenset(
    {"package", "pyproject", "cargo", "go", "tsconfig", "requirements", ".env"}
    | {"schema", "models", "types", "constants", "settings", "config"}
)
_JOINT_FILES = frozenset(
    {"index", "main", "__main__", "app", "server", "cli", "mod", "lib", "program", "startup"}
    | {"routes", "router", "urls", "readme"}
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|e2e)/|(?:^|/)tests?[_-][^/]*$|[._-](?:tests?|spec)\.[^/]*$", re.IGNORECASE
)


def groundwork(task: Task) -> str | None:
    """What shows that others stand on this task: a word of its name or a file; None where nothing does."""
    return _word(_GROUNDWORK, task.name) or _file(task.files, _GROUND_FILES)


def joint(task: Task) -> str | None:
    """What shows that this task joins what was done before it; None where nothing does."""
    counted = _COUNTED.search("\n".join((task.name, task.action)))
    return _word(_JOINS, task.name) or (counted and " ".join(counted[0].split())) or _file(task.files, _JOINT_FILES)


def is_all_tests(task: Task) -> bool:
    """Whether every file that it writes is a test."""
    return bool(task.files) and all(_TEST.search(file.replace("\\", "/")) for file in task.files)


def _word(words: re.Pattern[str], text: str) -> str | None:
    found = words.search(text)
    return None if found is None else found[0].lower()


def _file(files: Iterable[str], names: frozenset[str]) -> str | None:
    for file in files:
        name = posixpath.basename(file.replace("\\", "/"))
        if name.lower() in names or posixpath.splitext(name)[0].lower() in names:
            return name
    return None
