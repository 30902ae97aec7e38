"""Gits that go on running and are asked again and again: a start of git costs more than most of what it is asked for.

They are asked in turns, end when nobody is there to ask them (their input closes, also when we are killed), and are out
of a ctrl-C's reach. One that has died is replaced, and the question asked once more.
"""

from __future__ import annotations

import os
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, TypeVar

from bursar.worktrees.git import GitFailed, WaitsInVain, git, open_output, say, start_git, watch_git
from bursar.worktrees.known_trees import KnownTrees
from bursar.worktrees.pipes import Patience
from bursar.worktrees.submodules import Submodules
from bursar.worktrees.trusted import TrustedSettings

Answer = TypeVar("Answer")


class Gits:
    """What is kept of git between calls for one repository: running processes, and answers that stay the same."""

    def __init__(self, root: Path, identity: Mapping[str, str]) -> None:
        """Nothing is started before it is needed."""
        self._root = root
        self._identity = identity
        self._guard = threading.Lock()
        self._running: dict[tuple[str, ...], RunningGit] = {}
        self.trees = KnownTrees()
        weakref.finalize(self, _end_all, self._running)

    def ask(self, *arguments: str, request: bytes, read: Callable[[IO[bytes]], Answer], repeat: bool = True) -> Answer:
        """What `read` makes of the answers of `git *arguments` to `request`; safe to call from any thread.

        Args:
            read: takes one answer and no more; raises EOFError where it ends too soon.
            repeat: whether the request may be made twice, should that git die over it.

        Raises:
            GitFailed: git ended instead of answering.
        """
        with self._guard:
            running = self._running.setdefault(arguments, RunningGit(self._root, arguments))
        return running.ask(request, read, repeat=repeat)

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The user's git settings as they were when first asked for; names in lower case, the last value of each."""
        return {name.lower(): value for name, value in self.trusted.values.items()}

    @cached_property
    def trusted(self) -> TrustedSettings:
        """The same, and what to say to git where somebody has changed them since."""
        return TrustedSettings(self._root)

    @cached_property
    def submodules(self) -> Submodules:
        """The submodules that are checked out, as they were when first asked for."""
        return Submodules(self._root)

    @cached_property
    def author(self) -> str:
        """`NAME <ADDRESS> SECONDS ZONE` of who writes commits; the time is that of the first asking."""
        return git(self._root, "var", "GIT_AUTHOR_IDENT", environment=self._identity)[1].strip()

    @cached_property
    def committer(self) -> str:
        """The same of who makes them."""
        return git(self._root, "var", "GIT_COMMITTER_IDENT", environment=self._identity)[1].strip()


class RunningGit:
    """One git, started when it is first asked."""

    def __init__(self, directory: Path, arguments: tuple[str, ...]) -> None:
        self._directory = directory
        self._arguments = arguments
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._patience: Patience | None = None
        self._errors = -1

    def ask(self, request: bytes, read: Callable[[IO[bytes]], Answer], *, repeat: bool) -> Answer:
        """See `Gits.ask`."""
        with self._turn:
            try:
                return self._ask(request, read)
            except GitFailed:
                if not repeat:
                    raise
            return self._ask(request, read)

    def end(self) -> int:
        """It runs no more; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdin is not None
        assert self._output is not None
        try:
            process.stdin.close()
        except OSError:
            pass  # it has gone without reading what was left
        self._output.close()
        code = process.wait()
        os.close(self._errors)
        return code

    def _ask(self, request: bytes, read: Callable[[IO[bytes]], Answer]) -> Answer:
        process = self._process or self._start()
        assert self._output is not None
        assert self._patience is not None
        try:
            say(process, request, self._patience)
            return read(self._output)
        except WaitsInVain as waits:
            process.kill()
            raise GitFailed(self._arguments, self.end(), "", str(waits)) from waits
        except (EOFError, BrokenPipeError) as ended:
            said = self._said()
            raise GitFailed(self._arguments, self.end(), said) from ended
        except BaseException:
            self.end()  # half an answer may be left in the pipe
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors = os.memfd_create("git-errors")
        try:
            self._process = start_git(self._directory, *self._arguments, errors=self._errors)
        except BaseException:
            os.close(self._errors)
            raise
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._patience = watch_git(self._process, self._directory, {})
        self._output = open_output(self._process, self._patience)
        return self._process

    def _said(self) -> str:
        assert self._process is not None
        self._process.wait()
        return os.pread(self._errors, 1 << 16, 0).decode("utf-8", "replace")


def _end_all(running: dict[tuple[str, ...], RunningGit]) -> None:
    for each in running.values():
        each.end()
