"""Checkpoints are asked in the terminal, where somebody sits at it, while everything else of the run goes on.

A line that is typed answers the question that was shown last; an empty one puts it behind the others. At the end of
the input (ctrl-D) nobody is there any more: what still waits then waits for `bursar approve` and `answer`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

from bursar.errors import UserError
from bursar.events import CheckpointPassed, RunEvent, TaskWaited
from bursar.run import Conductor, RunContext, give_answer, user_name

_READ_BYTES = 1 << 16


def open_desk(conductor: Conductor, context: RunContext, say: Callable[[str], None]) -> CheckpointDesk | None:
    """Somebody sits at the terminal, and is asked; None where nobody can be."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    try:
        if not _is_in_front(sys.stdin.fileno()):
            return None
        desk = CheckpointDesk(conductor, context, say, sys.stdin.fileno())
    except OSError:
        return None
    conductor.attend(is_there=True)
    return desk


class CheckpointDesk:
    """Asks one question after the other; lines come from the terminal `source`."""

    def __init__(self, conductor: Conductor, context: RunContext, say: Callable[[str], None], source: int) -> None:
        self._conductor = conductor
        self._context = context
        self._say = say
        self._source: int | None = source
        self._asked: list[str] = []
        self._typed = b""
        self._is_open = False  # the cursor stands behind the question
        asyncio.get_running_loop().add_reader(source, self._read)

    def hear(self, event: RunEvent) -> None:
        """A checkpoint that waits is asked about, once `come_back` is called; one that was passed is not any more."""
        if isinstance(event, TaskWaited) and event.once:
            self._asked.append(event.task)
        elif isinstance(event, CheckpointPassed) and event.task in self._asked:
            self._asked.remove(event.task)

    def step_aside(self) -> None:
        """Something else may be said, from the beginning of a line."""
        if self._is_open:
            self._is_open = False
            self._say("\n")

    def come_back(self) -> None:
        """The question that was shown last stands in the last line again."""
        if not self._is_open:
            self._prompt()

    def close(self) -> None:
        """The terminal is read no more, and nothing is asked there; what is said next begins a line."""
        self.step_aside()
        if self._source is not None:
            asyncio.get_running_loop().remove_reader(self._source)
            self._source = None

    def _read(self) -> None:
        assert self._source is not None
        try:
            chunk = os.read(self._source, _READ_BYTES) if _is_in_front(self._source) else b""
        except OSError:
            chunk = b""
        if not chunk:
            self.close()
            self._conductor.attend(is_there=False)
            return
        *lines, self._typed = (self._typed + chunk).split(b"\n")
        self._is_open = self._is_open and not lines
        for line in lines:
            self._take(line.decode("utf-8", "replace").strip())

    def _take(self, line: str) -> None:
        if not self._asked:
            return
        if not line:
            self._asked.append(self._asked.pop(0))
            self._prompt()
            return
        journal, run_id = self._context.stores.journal, self._context.run.id
        question = journal.controls.question(run_id, self._asked[0])
        if question is None:
            return
        try:
            give_answer(journal, question, line, user_name(), self._context.now())
        except UserError as error:
            self._say(f"  {error.message}\n")
            self._prompt()
            return
        self._conductor.look()

    def _prompt(self) -> None:
        if not self._asked or self._source is None:
            return
        question = self._context.stores.journal.controls.question(self._context.run.id, self._asked[0])
        if question is None:
            return
        what = f"one of {', '.join(each.id for each in question.options)}" if question.options else "approved"
        if not question.options and question.kind in ("decision", "human-action"):
            what = "your answer"
        self._is_open = True
        self._say(f"  task {question.task} ({question.title}) waits: type {what} [Enter: later, ctrl-D: leave] > ")


def _is_in_front(terminal: int) -> bool:
    """Whether what is typed there is ours: from the background, reading would stop the whole run."""
    return os.tcgetpgrp(terminal) == os.getpgrp()
