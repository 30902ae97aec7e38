"""Doors of rooms part of which is imported late: when one of its names is asked for. Cheap, for the quick commands."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def open_late(door: str, names: Mapping[str, Iterable[str]]) -> Callable[[str], object]:
    """The `__getattr__` of a door: it imports the module that a name is of, and keeps what is found.

    Args:
        door: the room's name, `__name__` at its door.
        names: what the door shows of each of its modules. For types the door imports the same under `TYPE_CHECKING`.
    """
    homes = {name: f"{door}.{module}" for module, shown in names.items() for name in shown}

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {door!r} has no attribute {name!r}")
        __import__(homes[name])
        found: object = getattr(sys.modules[homes[name]], name)
        setattr(sys.modules[door], name, found)
        return found

    return find
