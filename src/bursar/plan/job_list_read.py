"""A job list's file → a `JobList`, or every problem in it, each with its place."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from pathlib import Path

from bursar.plan.job_list import Instance, JobList, UnreadableJobList
from bursar.plan.job_list_fields import FIELDS, read_instance
from bursar.plan.json_text import Json, parse_json
from bursar.plan.model import Problem
from bursar.plan.read import decode, read_bytes
from bursar.plan.source import Source, shortened

KIND = "job list"
_EXAMPLE = '{"instances": [{"name": "review", "prompt": "Review src/"}]}'


def read_job_list(path: Path) -> JobList | UnreadableJobList:
    """The job list in the file at `path`; what keeps it from being read comes back as problems, not as an exception."""
    data = read_bytes(path, KIND)
    if isinstance(data, Problem):
        return UnreadableJobList(path=path, problems=(data,))
    text = decode(data, path)
    if isinstance(text, Problem):
        return UnreadableJobList(path=path, problems=(text,))
    return parse_job_list(text, path, digest=hashlib.sha256(data).hexdigest())


def parse_job_list(text: str, path: Path, *, digest: str = "") -> JobList | UnreadableJobList:
    """The job list that the text is, or every problem of it."""
    source = Source(text, path)
    root = parse_json(source)
    instances = [] if root is None else _instances(source, root)
    _check_unique(source, instances)
    problems = source.problems()
    if any(problem.is_error for problem in problems):
        return UnreadableJobList(path=path, problems=problems)
    found = tuple(instance for _, instance in instances)
    return JobList(path=path, instances=found, digest=digest, warnings=problems)


def _instances(source: Source, root: Json) -> list[tuple[Json, Instance]]:
    """Each instance with where it stands."""
    if not isinstance(root.value, dict):
        source.error(root.offset, "an object with the key `instances` is due", hint=_EXAMPLE)
        return []
    _tell_unknown_keys(source, root, ("instances",))
    _, listed = root.value.get("instances", (0, None))
    if listed is None:
        source.error(root.offset, "there is no `instances`", hint=_EXAMPLE)
        return []
    if not isinstance(listed.value, list):
        source.error(listed.offset, "`instances` should be a list", hint=_EXAMPLE)
        return []
    if not listed.value:
        source.error(listed.offset, "`instances` is empty: there is nothing to run", hint=_EXAMPLE)
    found = []
    for number, each in enumerate(listed.value, 1):
        if isinstance(each.value, dict):
            _tell_unknown_keys(source, each, FIELDS)
            found.append((each, read_instance(source, each, each.value, str(number))))
        else:
            source.error(each.offset, f"instance {number} should be an object", hint='{"name": "x", "prompt": "…"}')
    return found


def _tell_unknown_keys(source: Source, item: Json, known: Iterable[str]) -> None:
    """Each key of the object that nobody knows is an error, with the nearest that is known."""
    names = list(known)
    for key, (offset, _) in item.value.items() if isinstance(item.value, dict) else ():
        if key not in names:
            near = difflib.get_close_matches(key[:60], names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
            source.error(offset, f"unknown key `{shortened(key)}`", hint=hint)


def _check_unique(source: Source, instances: Iterable[tuple[Json, Instance]]) -> None:
    """No two have one name, and no two talk in one conversation."""
    names: dict[str, Instance] = {}
    sessions: dict[str, Instance] = {}
    for item, instance in instances:
        first = names.setdefault(instance.name, instance)
        if first is not instance:
            at = _offset_of(item, "name")
            source.error(
                at, f"two instances are called `{shortened(instance.name)}`: {first.number} and {instance.number}"
            )
        if instance.session_id is None or instance.clears_history:
            continue
        other = sessions.setdefault(instance.session_id.lower(), instance)
        if other is not instance:
            both = f"{other.number} and {instance.number}"
            source.error(_offset_of(item, "session_id"), f"instances {both} would go on with one conversation at once")


def _offset_of(item: Json, key: str) -> int:
    """Where the key's value stands; the object itself where it has none."""
    found = item.value.get(key) if isinstance(item.value, dict) else None
    return item.offset if found is None else found[1].offset
