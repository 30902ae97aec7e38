"""What a plan's front matter says of its place among other plans; an odd value is warned of, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bursar.plan.files import parse_files
from bursar.plan.front_matter import FrontMatter
from bursar.plan.source import Source, shortened

_NOTHING = frozenset({"", "none", "nothing", "n/a", "na", "null", "-", "—", "nil"})
_SEPARATORS = re.compile(r"[,;]")
MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFields:
    """See `Plan`."""

    depends_on: tuple[str, ...] = ()
    wave: int | None = None
    files_modified: tuple[str, ...] = ()
    type: str = ""


def parse_plan_fields(source: Source, front: FrontMatter) -> PlanFields:
    """The fields, with a warning at each key whose value cannot be read."""
    kind = front.values.get("type")
    return PlanFields(
        depends_on=_references(source, front),
        wave=_wave(source, front),
        files_modified=tuple(
            dict.fromkeys(path for entry in _texts(source, front, "files_modified") for path in parse_files(entry))
        ),
        type=" ".join(kind.split()) if isinstance(kind, str) else "",
    )


def _references(source: Source, front: FrontMatter) -> tuple[str, ...]:
    """References to plans as written, one each: a list, or a text such as `01-01, 01-02`."""
    key = "depends-on" if "depends_on" not in front.values else "depends_on"
    entries = _texts(source, front, key)
    if isinstance(front.values.get(key), str):
        entries = [part for entry in entries for part in _SEPARATORS.split(entry.strip("[] "))]
    cleaned = (" ".join(entry.split()).strip("`\"' ") for entry in entries)
    return tuple(dict.fromkeys(entry for entry in cleaned if entry.lower() not in _NOTHING))


def _wave(source: Source, front: FrontMatter) -> int | None:
    value = front.values.get("wave")
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value.strip()):
        return int(value)
    source.warn(front.offsets["wave"], f"`wave` is {_shown(value)}, not a whole number; it is left out")
    return None


def _texts(source: Source, front: FrontMatter, key: str) -> list[str]:
    """The entries of a list of texts; a single text is a list of one."""
    value = front.values.get(key)
    if value is None or isinstance(value, str):
        return [value] if value else []
    if not isinstance(value, list):
        source.warn(front.offsets[key], f"`{key}` is {_shown(value)}, not a list; it is left out")
        return []
    odd = [entry for entry in value if not isinstance(entry, str)]
    if odd or len(value) > MAX_ENTRIES:
        what = f"an entry of `{key}` is {_shown(odd[0])}, not text" if odd else f"`{key}` has too many entries"
        source.warn(front.offsets[key], f"{what}; it is left out")
    return [entry for entry in value if isinstance(entry, str)][:MAX_ENTRIES]


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"`{shortened(str(value))}`"
