"""Which process is meant, when its number alone could by now belong to another one.

An identity is one word, `PID/START/BOOT`: the pid, the clock ticks from boot to the process's start, and the kernel's
random id of the boot. The three together never repeat, so the word can be stored and asked again after a crash.
"""

from __future__ import annotations

_STATE, _PARENT, _START_TICKS = 0, 1, 19  # fields of /proc/PID/stat, counted from the state (proc(5): field 3)
_boot_id = ""


def identify(pid: int) -> str | None:
    """The identity of a running process; None when there is none (a zombie has ended)."""
    fields = _stat_fields(pid)
    if fields is None or fields[_STATE] in {b"Z", b"X"}:
        return None
    return f"{pid}/{int(fields[_START_TICKS])}/{_boot()}"


def is_alive(identity: str) -> bool:
    """Whether this very process still runs: a reused pid and a rebooted machine both say no."""
    pid = identity.partition("/")[0]
    return pid.isascii() and pid.isdigit() and identify(int(pid)) == identity


def pid_of(identity: str) -> int:
    """The pid within an identity."""
    return int(identity.partition("/")[0])


def parent_of(pid: int) -> int | None:
    """The parent's pid; None when the process is gone."""
    fields = _stat_fields(pid)
    return None if fields is None else int(fields[_PARENT])


def _stat_fields(pid: int) -> list[bytes] | None:
    """The fields after the program's name, which may itself hold blanks and brackets."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _boot() -> str:
    global _boot_id
    if not _boot_id:
        with open("/proc/sys/kernel/random/boot_id", "rb") as boot_id:
            _boot_id = boot_id.read().decode().strip()
    return _boot_id
