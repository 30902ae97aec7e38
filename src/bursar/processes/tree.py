"""Ending everything that a process started.

An agent's tools run in sessions and groups of their own, so killing a group is not enough (measured on five agent
CLIs). A subreaper is handed every orphan below it: then walking the descendants finds them all.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from functools import lru_cache

from bursar.processes.identity import parent_of

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MOST_ROUNDS = 50
_LOOKS_AT_ONE, _EXEC_SECONDS = 20, 0.0005


def become_subreaper() -> None:
    """Orphans among our descendants become our children from now on, instead of init's."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent_pid: int) -> None:
    """The kernel kills the calling process the moment its parent dies; call it right after the fork.

    Args:
        parent_pid: who the parent was before the fork; if it is gone already, the process ends here.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(127)


def children(pid: int) -> list[int]:
    """Pids of the children of every thread of `pid`, zombies too.

    By a walk through all processes where the kernel keeps no lists.
    """
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listed:
                found += [int(child) for child in listed.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        if not os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children"):
            return [other for other in _all_processes() if parent_of(other) == pid]
    return found


def descendants(pid: int) -> list[int]:
    """Pids of all processes below `pid`, nearest first; zombies too."""
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children(queue.pop(0))
        found += below
        queue += below
    return found


def sandboxed_processes(sandbox: int) -> list[int]:
    """Those in a bubblewrap: its program first, then what is in that one's group; empty before it was started.

    Bubblewrap is two processes, the second of which is the first of its namespace: its eldest child is the program.
    """
    inner = children(sandbox)[:1]
    return [pid for pid in descendants(inner[0]) if _group_of(pid) == sandbox] if inner else []


def kill_descendants(*, but: frozenset[int] = frozenset()) -> bool:
    """Nothing below the calling process runs any more; True when that was reached. Reaps what it killed.

    The caller must be a subreaper: then whatever forks while we kill is ours again in the next round.

    Args:
        but: pids to leave alone, with all that is below them.
    """
    for _ in range(_MOST_ROUNDS):
        reap_children()
        roots = [pid for pid in children(os.getpid()) if pid not in but]
        running = roots + [pid for root in roots for pid in descendants(root)]
        if not running:
            return True
        for pid in running:
            _kill(pid)
        _wait_for_exits(running)
    return False


def kill_marked(variable: str, value: str) -> int:
    """No process of this machine carries `variable=value` in its first environment any more; how many were killed.

    For what a crash left behind: orphans whose ancestors are all gone. Only the user's own processes can be read.
    """
    mark = f"{variable}={value}".encode()
    killed: set[int] = set()
    for _ in range(_MOST_ROUNDS):
        found = [pid for pid in _all_processes() if pid != os.getpid() and mark in _environment(pid)]
        if not found:
            break
        for pid in found:
            _kill(pid)
        _wait_for_exits(found)
        killed.update(found)  # what they forked meanwhile is found in the next round
    return len(killed)


def reap_children() -> dict[int, int]:
    """Collects every child that has ended, without waiting; pid → wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    """Its first environment; empty where it has none, is gone or is another user's.

    For a moment of its execve(2) a process has none either: then it is looked at again.
    """
    try:
        for _ in range(_LOOKS_AT_ONE):
            if content := _read_environment(pid):
                return content.split(b"\0")
            os.readlink(f"/proc/{pid}/exe")  # a kernel thread and a zombie have none
            time.sleep(_EXEC_SECONDS)
    except OSError:
        pass
    return []


def _read_environment(pid: int) -> bytes:
    with open(f"/proc/{pid}/environ", "rb") as environ:
        return environ.read()


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _wait_for_exits(pids: list[int]) -> None:
    """Gives the killed up to 100 ms each to be gone, through pidfds: no polling."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            select.select([fd], [], [], 0.1)
        finally:
            os.close(fd)


def _prctl(option: int, argument: int) -> None:
    if _find_prctl()(option, argument, 0, 0, 0) != 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@lru_cache(maxsize=1)
def _find_prctl() -> Callable[..., int]:
    """The system's own; found once, also for all that is forked from here."""
    import ctypes

    found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    return found
