"""Which kind of work a task is, as far as its own words tell; the plan's word or a correction goes before."""

from __future__ import annotations

import re
from enum import StrEnum

from bursar.plan import Task


class TaskType(StrEnum):
    """Kinds of work that take alike.

    Source: the design documents, but for `unknown`.
    """

    FILE_READ = "file-read"
    SIMPLE_IMPL = "simple-impl"
    API_IMPL = "api-impl"
    COMPLEX_REFACTOR = "complex-refactor"
    TEST_WRITE = "test-write"
    ARCHITECTURE = "architecture"
    UNKNOWN = "unknown"


_WRITTEN_AS = ("task_type", "task-type", "tasktype")
_TESTS = re.compile(r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)test_|[._-](?:test|spec)s?\.\w+$", re.IGNORECASE)
_PAPERS = re.compile(r"(?:^\.planning/|\b(?:design|architecture|decisions|adrs?)\b).*\.(?:md|rst|adoc)$", re.IGNORECASE)
_READS = re.compile(
    r"(?:read|explore|research|investigate|map|analy[sz]e|audit|survey|review|inspect)\b", re.IGNORECASE
)
_TESTING = re.compile(r"(?:add|write|create|extend)\b.{0,40}\btests?\b|tests?\b", re.IGNORECASE)
_REFACTORS = re.compile(r"(?:refactor|restructure|rewrite|migrate|rename|extract|split|untangle)\w*\b", re.IGNORECASE)
_DESIGNS = re.compile(r"(?:design|architect|plan|outline|decide)\b", re.IGNORECASE)
_APIS = re.compile(r"\b(?:api|apis|endpoints?|routes?|rest|graphql|webhooks?|handlers?)\b", re.IGNORECASE)


def choose_task_type(task: Task) -> TaskType:
    """What the plan says in `<task_type>`; else by the task's first words, then by the files that it writes."""
    for name in _WRITTEN_AS:
        written = task.details.get(name, "").strip().lower()
        if written in tuple(TaskType):
            return TaskType(written)
    return _by_name(task) or _by_files(task)


def _by_name(task: Task) -> TaskType | None:
    if not task.files and (task.subagent == "explore" or _READS.match(task.name)):
        return TaskType.FILE_READ
    for opening, found in (
        (_REFACTORS, TaskType.COMPLEX_REFACTOR),
        (_DESIGNS, TaskType.ARCHITECTURE),
        (_TESTING, TaskType.TEST_WRITE),
    ):
        if opening.match(task.name):
            return found
    return TaskType.API_IMPL if _APIS.search(task.name) else None


def _by_files(task: Task) -> TaskType:
    if not task.files:
        return TaskType.UNKNOWN
    if all(_TESTS.search(file) for file in task.files):
        return TaskType.TEST_WRITE
    if all(_PAPERS.search(file) for file in task.files):
        return TaskType.ARCHITECTURE
    return (
        TaskType.API_IMPL
        if any(_APIS.search(re.sub(r"[/._-]", " ", file)) for file in task.files)
        else TaskType.SIMPLE_IMPL
    )
