"""A warm process that forks one supervisor per attempt, so that a supervisor costs milliseconds, not a Python start.

It lives in a session of its own (a ctrl-C in the terminal is the conductor's to handle), takes one spec a line on
standard input and answers with one line: the supervisor's pid. At the end of its input it waits for its supervisors
and ends. It is their subreaper: what a killed supervisor leaves behind comes to it, and is killed.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
import traceback

from bursar.clock import SystemClock
from bursar.errors import BursarError
from bursar.ledger import open_lasting_ledger, prepare_to_open
from bursar.processes import become_subreaper, children, identify, kill_descendants, reap_children
from bursar.supervision.spec import AttemptSpec, decode_spec
from bursar.supervision.spending import read_rates
from bursar.supervision.supervisor import give_up, supervise
from bursar.usage import NOTHING

_READ_BYTES = 1 << 20


def main() -> None:
    """Serves specs until the input ends and every supervisor is done."""
    become_subreaper()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    identify(os.getpid())
    gc.collect()
    gc.freeze()  # else every collection in a supervisor would copy all of this process's memory
    Spawner().serve()


class Spawner:
    """The loop: specs in, pids out, orphans killed."""

    def __init__(self) -> None:
        self._supervisors: set[int] = set()
        self._pending = bytearray()

    def serve(self) -> None:
        """Runs until standard input has ended and no supervisor is left."""
        child_ended = _wake_on_child()
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(child_ended, selectors.EVENT_READ)
            while selector.get_map().get(0) is not None or self._supervisors:
                for key, _ in selector.select():
                    if key.fd == child_ended:
                        os.read(child_ended, 4096)
                        self._reap()
                    elif not self._take_input():
                        selector.unregister(0)

    def _take_input(self) -> bool:
        chunk = os.read(0, _READ_BYTES)
        self._pending += chunk
        *lines, rest = self._pending.split(b"\n")
        self._pending = bytearray(rest)
        for line in lines:
            pid = self._fork(bytes(line))
            self._supervisors.add(pid)
            os.write(1, b"%d\n" % pid)
        return bool(chunk)

    def _fork(self, line: bytes) -> int:
        spec = _read(line)
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            os.setsid()
            _let_go_of_the_pipes()
            _supervise(spec or decode_spec(line))
            code = 0
        except BaseException:  # noqa: BLE001 — a forked child must never return into the parent's loop
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Who has ended is seen from who is left: killing orphans reaps too, perhaps a supervisor that just ended."""
        reap_children()
        kill_descendants(but=frozenset(self._supervisors))
        self._supervisors.intersection_update(children(os.getpid()))


def _read(line: bytes) -> AttemptSpec | None:
    """The spec, with all that reading it and its prices takes ready in memory, for the supervisor to inherit.

    None if it cannot be read: then that is the supervisor's failure and not the end of this process.
    """
    try:
        spec = decode_spec(line)
        prepare_to_open(spec.ledger)
        for model in (spec.model, ""):  # no model has the second name, so all are compared with it
            read_rates(spec).cost_nano_usd(model, NOTHING)
    except Exception:  # noqa: BLE001 — the supervisor meets it again, and says it
        return None
    return spec


def _supervise(spec: AttemptSpec) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    clock = SystemClock()
    try:
        ledger = open_lasting_ledger(spec.ledger, clock, is_awaited=True)
    except BursarError as error:
        give_up(spec, error.message)
        raise
    supervise(spec, ledger, clock)


def _let_go_of_the_pipes() -> None:
    """The conductor must see the spawner's pipes close when the spawner ends, not when its last supervisor does."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


def _wake_on_child() -> int:
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


if __name__ == "__main__":
    main()
