"""Faults at durable writes: the process dies just before or just after the n-th one, or the n-th one fails.

Whatever a program writes goes through a `guarded` object. Once the process is dead nothing that it does has any effect,
so that code which cleans up after an exception cannot do what a killed process never could.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from bursar.errors import SetupError, StoreError

T = TypeVar("T")


class Crash(BaseException):
    """The process is dead."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Those of one process.

    Attributes:
        crash_at: the durable write at which it dies, counted from 1; 0 for never.
        is_before: it dies before that write has taken effect.
        errors: writes that fail without effect, and whether as an `OSError` (else as git or the store tells it).
        writes: the names of the writes so far.
    """

    crash_at: int = 0
    is_before: bool = True
    errors: Mapping[int, bool] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    is_dead: bool = False

    def check_alive(self) -> None:
        """The process has not died.

        Raises:
            Crash: the process is dead.
        """
        if self.is_dead:
            raise Crash

    def write(self, name: str, act: Callable[[], T]) -> T:
        """What `act` gives, unless this is the write that fails.

        Raises:
            Crash: the process dies here, or is dead.
            StoreError, SetupError, OSError: there is no room on the disk.
        """
        self.check_alive()
        self.writes.append(name)
        number = len(self.writes)
        if number in self.errors:
            raise _full(name, is_plain=self.errors[number])
        if number == self.crash_at and self.is_before:
            self.die()
        result = act()
        if number == self.crash_at:
            self.die()
        return result

    def die(self) -> None:
        """The process is dead, from now on everywhere.

        Raises:
            Crash: always; from now on everywhere.
        """
        self.is_dead = True
        raise Crash


def _full(name: str, *, is_plain: bool) -> Exception:
    if is_plain:
        return OSError(errno.ENOSPC, "No space left on device")
    if name.startswith("git."):
        return SetupError("`git` failed with exit code 128: fatal: No space left on device")
    return StoreError("the file cannot be written: database or disk is full")


class _Guarded:
    def __init__(self, target: object, name: str, writes: frozenset[str], faults: Faults) -> None:
        self._target, self._name, self._writes, self._faults = target, name, writes, faults

    def __getattr__(self, name: str) -> Any:
        self._faults.check_alive()
        found = getattr(self._target, name)
        inner = frozenset(each.removeprefix(f"{name}.") for each in self._writes if each.startswith(f"{name}."))
        if inner:
            return _Guarded(found, f"{self._name}.{name}", inner, self._faults)
        if name == "as_conductor":
            return lambda *args: _Guarded(found(*args), self._name, self._writes, self._faults)
        if name not in self._writes:
            return found
        return lambda *args, **keywords: self._faults.write(f"{self._name}.{name}", lambda: found(*args, **keywords))


def guarded(target: T, name: str, writes: frozenset[str], faults: Faults) -> T:
    """The same object, whose methods named in `writes` are durable writes of the process that `faults` are about.

    `part.method` is a method of an object within. A journal for a conductor is guarded as the journal is.
    """
    return cast(T, _Guarded(target, name, writes, faults))
