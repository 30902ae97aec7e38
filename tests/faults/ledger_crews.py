"""Crews: processes that do the same thing at the very same moment, round after round."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.integration.test_ledger_processes import fork, wait_for

Work = Callable[[int, int], None]
"""What one of the crew does: told its number and the round."""


@dataclass(frozen=True, slots=True)
class _Member:
    pid: int
    gate: int
    told: int


class Crew:
    """Forked processes, each waiting for the next round. To be made while no ledger is open, and ended."""

    def __init__(self, size: int, begin: Callable[[int], Callable[[int], None]]) -> None:
        """`begin` is called in each process with its number, and gives what it does in a round."""
        self._members: list[_Member] = []
        for number in range(size):
            self._members.append(self._start(number, begin))

    def _start(self, number: int, begin: Callable[[int], Callable[[int], None]]) -> _Member:
        wait, gate = os.pipe()
        told, tell = os.pipe()

        def live() -> None:
            for each in (gate, told, *(pipe for member in self._members for pipe in (member.gate, member.told))):
                os.close(each)
            work = begin(number)
            os.write(tell, b"r")
            while said := os.read(wait, 4):
                work(int.from_bytes(said, "big"))
                os.write(tell, b"d")

        pid = fork(live)
        os.close(wait)
        os.close(tell)
        assert os.read(told, 1) == b"r"
        return _Member(pid, gate, told)

    def do(self, number: int) -> None:
        """Everybody has done round `number`."""
        for member in self._members:
            os.write(member.gate, number.to_bytes(4, "big"))
        done: Sequence[bytes] = [os.read(member.told, 1) for member in self._members]
        assert done == [b"d"] * len(self._members)

    def end(self) -> None:
        """Everybody has gone home, and nobody has failed."""
        for member in self._members:
            os.close(member.gate)
        wait_for([member.pid for member in self._members])
        for member in self._members:
            os.close(member.told)
