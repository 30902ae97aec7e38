"""Processes of the machine: who is who across crashes and reboots, and how to end all that one of them started.

Linux only: /proc, prctl and pidfd. It refuses to guess: a process is known by pid, start time and boot id together.
"""

from bursar.processes.identity import identify, is_alive, pid_of
from bursar.processes.tree import (
    become_subreaper,
    children,
    descendants,
    die_with_parent,
    kill_descendants,
    kill_marked,
    reap_children,
    sandboxed_processes,
)

__all__ = [
    "become_subreaper",
    "children",
    "descendants",
    "die_with_parent",
    "identify",
    "is_alive",
    "kill_descendants",
    "kill_marked",
    "pid_of",
    "reap_children",
    "sandboxed_processes",
]
