"""What can be said of an agent on this machine without starting it: how it is let in, and what is in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_NOTHING = (b"", b"{}", b"[]", b"null")


class Certainty(StrEnum):
    """How sure a limit is: no call can pass it; one call in flight can; it is known only when all is over."""

    ENFORCED = "enforced"
    BOUNDED = "bounded"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is in the way, and one line that mends it."""

    what: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An agent on this machine.

    Attributes:
        login: where its key or login was found, never what it is; None where none was.
        certainty: the level that a budget reaches with it.
        tried_version: the version that bursar was tried with; None for a program of the user's own.
        package: what npm calls it; None likewise.
        problems: what is in its way; a missing login is one, and no reason to refuse: the agent may have its own ways.
    """

    login: str | None
    certainty: Certainty
    tried_version: str | None
    package: str | None
    problems: tuple[Problem, ...] = ()


def find_login(environment: Mapping[str, str], variables: Iterable[str], files: Iterable[Path | None]) -> str | None:
    """Where the first key or login is. A file in which nothing is, as after a logout, is none."""
    for name in variables:
        if environment.get(name):
            return f"key in {name}"
    for path in files:
        if path is not None and _holds_something(path):
            return f"login in {path}"
    return None


def _holds_something(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"".join(file.read(64).split()) not in _NOTHING
    except OSError:
        return False


def home_of(environment: Mapping[str, str]) -> Path | None:
    """The user's home; None where the environment does not say."""
    return Path(environment["HOME"]) if environment.get("HOME") else None


def without_login(login: str | None, fix: str) -> tuple[Problem, ...]:
    """The problem of a missing login; none where there is one."""
    return () if login is not None else (Problem(what="no key and no login was found", fix=fix),)
