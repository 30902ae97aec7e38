"""One way to call git: no hooks, no prompts, English messages, and no variable of the caller's that redirects it."""

from __future__ import annotations

import io
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bursar.errors import SetupError
from bursar.worktrees.pipes import Patience, find_swapped

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

LONG_SECONDS = 5.0  # after so long it is looked at what a git may be waiting for
_MOST_MEMORY = max(2 << 30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4)
_LEAST_VERSION = (2, 38)  # whose `merge-tree` writes trees
_INSTALL = "install git 2.38 or later"
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)[0-9.]*")
_SETTINGS = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "advice.detachedHead=false",
)


class GitFailed(SetupError):
    """git ended with an exit code that this call did not expect; the message is git's own.

    Where something else stands in the place of one of git's files, `swapped` says so, and the message begins with it.
    """

    def __init__(self, arguments: Sequence[str], code: int, output: str, swapped: str = "") -> None:
        said = f"`git {' '.join(arguments[:3])}` failed with exit code {code}: {output.strip()[:2000]}"
        super().__init__(f"{swapped}: {said}" if swapped else said)
        self.code = code
        self.output = output
        self.swapped = swapped


def git(
    directory: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    accept: tuple[int, ...] = (0,),
) -> tuple[int, str]:
    """Runs git in `directory`; its exit code and standard output.

    Raises:
        SetupError: git is not installed, or cannot be run there.
        GitFailed: the exit code is not one of `accept`.
    """
    variables = environment or {}
    source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    process = _start(directory, arguments, variables, stdin=source, errors=subprocess.PIPE)
    said, errors, waited_for = _hear(process, stdin, watch_git(process, directory, variables))
    output = said.decode("utf-8", "surrogateescape")
    if process.returncode not in accept or waited_for:
        words = errors.decode("utf-8", "replace") + output
        raise GitFailed(
            arguments, process.returncode, words, waited_for or find_swapped(_git_dirs(directory, variables))
        )
    return process.returncode, output


def _hear(process: subprocess.Popen[bytes], stdin: bytes | None, patience: Patience) -> tuple[bytes, bytes, str]:
    """What it has said until its end, on both its outputs; and for what it was ended, because it waited for that."""
    with process:
        while True:
            try:
                return *process.communicate(stdin, timeout=LONG_SECONDS), ""
            except subprocess.TimeoutExpired:
                stdin = None  # it goes on with what it has not taken yet
                if waits_for := patience.look():
                    process.kill()
                    return b"", b"", waits_for
            except BaseException:
                process.kill()
                raise


class Output(io.RawIOBase):
    """What a running git says. One that says nothing for long may wait at a pipe that was put in a file's place."""

    def __init__(self, stream: IO[bytes], patience: Patience) -> None:
        self._stream = stream
        self._patience = patience
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """As much as there is, once there is something; 0 at the end.

        Raises:
            WaitsInVain: there never will be.
        """
        while not self._poll.poll(LONG_SECONDS * 1000):
            if waits_for := self._patience.look():
                raise WaitsInVain(waits_for)
        return os.readv(self._stream.fileno(), [buffer])

    def close(self) -> None:
        """So is what it reads."""
        self._stream.close()
        super().close()


class WaitsInVain(Exception):
    """A git would wait for ever; for what, in words."""


def git_beginning(directory: Path, most_bytes: int, *arguments: str, environment: Mapping[str, str]) -> bytes:
    """The first bytes of what git says, however much that is; it is ended then.

    Raises:
        SetupError: git is not installed, or cannot be run there.
        GitFailed: it has failed before.
    """
    with tempfile.TemporaryFile() as errors:
        with _start(directory, arguments, environment, stdin=subprocess.DEVNULL, errors=errors.fileno()) as process:
            try:
                said = open_output(process, watch_git(process, directory, environment)).read(most_bytes)
            except BaseException as error:
                process.kill()
                if not isinstance(error, WaitsInVain):
                    raise
                raise GitFailed(arguments, -signal.SIGKILL, "", str(error)) from error
            if len(said) == most_bytes:
                process.kill()
                return said
        if process.returncode:
            errors.seek(0)
            words = errors.read().decode("utf-8", "replace")
            raise GitFailed(arguments, process.returncode, words, find_swapped(_git_dirs(directory, environment)))
    return said


def watch_git(process: subprocess.Popen[bytes], directory: Path, environment: Mapping[str, str]) -> Patience:
    """It has no more memory than a git may have; and what is to be asked when it says nothing for long."""
    _limit_memory(process.pid)
    return Patience(process.pid, directory, _git_dirs(directory, environment))


def open_output(process: subprocess.Popen[bytes], patience: Patience) -> io.BufferedReader:
    """What a git that was started without buffers says; reading raises `WaitsInVain` where it never will."""
    assert process.stdout is not None
    return io.BufferedReader(Output(process.stdout, patience))


def say(process: subprocess.Popen[bytes], request: bytes, patience: Patience) -> None:
    """The git, whose input was opened without buffers and does not block, has taken all of it.

    Raises:
        WaitsInVain: it never will.
        BrokenPipeError: it has ended.
    """
    assert process.stdin is not None
    view = memoryview(request)
    while view:
        if taken := process.stdin.write(view):
            view = view[taken:]
        elif not select.select([], [process.stdin], [], LONG_SECONDS)[1] and (waits_for := patience.look()):
            raise WaitsInVain(waits_for)


def start_git(directory: Path, *arguments: str, errors: int) -> subprocess.Popen[bytes]:
    """A git that runs in `directory` until its standard input closes; `errors` is where it complains.

    In a group of its own: a ctrl-C in the terminal is not meant for it.

    Raises:
        SetupError: git is not installed, or cannot be run there.
    """
    return _start(directory, arguments, {}, stdin=subprocess.PIPE, errors=errors, process_group=0)


def _start(
    directory: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int,
    errors: int,
    process_group: int | None = None,
) -> subprocess.Popen[bytes]:
    """A git that runs in `directory`; `environment` goes before what it is given anyway."""
    try:
        return subprocess.Popen(
            [_program(), *_SETTINGS, *arguments],
            cwd=directory,
            env=_environment(directory) | _in_bytes(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            process_group=process_group,
            bufsize=0,
        )
    except OSError as error:
        raise SetupError(f"cannot run git in {directory}: {error.strerror}") from error


def _in_bytes(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}


def _program() -> str:
    return _find_program(os.environ.get("PATH"))


@lru_cache(maxsize=8)
def _find_program(path: str | None) -> str:
    program = shutil.which("git", path=path)
    if program is None:
        raise SetupError("git is not installed", hint=_INSTALL)
    return program


def check_version() -> None:
    """The git that is installed can all that it is asked for; one whose version nobody can read is believed to.

    Raises:
        SetupError: it is not installed, or too old.
    """
    found = _VERSION.search(_say_version(_program()))
    if found is not None and (int(found[1]), int(found[2])) < _LEAST_VERSION:
        raise SetupError(f"git {found[0]} is too old: it cannot merge without a checkout", hint=_INSTALL)


@lru_cache(maxsize=8)
def _say_version(program: str) -> str:
    try:
        return subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise SetupError(f"cannot run {program}: {error.strerror}", hint=_INSTALL) from error


def _git_dirs(directory: Path, where: Mapping[str, str]) -> list[Path]:
    """Where a git that is started there reads: its git directory; of a worktree also the repository's."""
    git_dir = Path(where["GIT_DIR"]) if "GIT_DIR" in where else directory / ".git"
    return [git_dir, git_dir.parent.parent] if git_dir.parent.name == "worktrees" else [git_dir]


def _limit_memory(pid: int) -> None:
    """A git that is given an endless file ends, and not the machine."""
    with suppress(OSError):  # it has ended
        resource.prlimit(pid, resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


def _environment(directory: Path) -> dict[bytes, bytes]:
    """Ours without GIT_*: a GIT_DIR or GIT_INDEX_FILE of the caller (a hook, say) would redirect every call.

    In a folder that is known as the top of a repository it is that one or none: where it was broken since, it is not
    taken for a folder in another. As bytes, which is what the system takes: it is asked for with every call.
    """
    if directory in _tops:
        return _kept_environment() | {b"GIT_CEILING_DIRECTORIES": os.fsencode(os.path.realpath(directory.parent))}
    return _kept_environment()


_tops: set[Path] = set()


def know_top(directory: Path) -> None:
    """A git that is started there looks for its repository nowhere above, from now on."""
    _tops.add(directory)


def _kept_environment() -> dict[bytes, bytes]:
    kept = {name: value for name, value in os.environb.items() if not name.startswith(b"GIT_") or name in _KEPT}
    return kept | {b"GIT_TERMINAL_PROMPT": b"0", b"GIT_OPTIONAL_LOCKS": b"0", b"LC_ALL": b"C.UTF-8"}


_KEPT = frozenset(
    {f"GIT_{role}_{part}".encode() for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL", "DATE")}
    | {b"GIT_CONFIG_GLOBAL", b"GIT_CONFIG_SYSTEM", b"GIT_CONFIG_NOSYSTEM"}
)
