"""One way to call git: no hooks, no prompts, English messages, and no variable of the caller's that redirects it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.pipes import release_pipes

LONG_SECONDS = 5.0  # after so long it is looked at what a git may be waiting for
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
    """git ended with an exit code that this call did not expect; the message is git's own."""

    def __init__(self, arguments: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"`git {' '.join(arguments[:3])}` failed with exit code {code}: {output.strip()[:2000]}")
        self.code = code
        self.output = output


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
    said, errors = _hear(process, stdin, directory, variables)
    output = said.decode("utf-8", "surrogateescape")
    if process.returncode not in accept:
        raise GitFailed(arguments, process.returncode, errors.decode("utf-8", "replace") + output)
    return process.returncode, output


def _hear(
    process: subprocess.Popen[bytes], stdin: bytes | None, directory: Path, where: Mapping[str, str]
) -> tuple[bytes, bytes]:
    """What it has said until its end. One that takes long may wait at a pipe that was put in a file's place."""
    with process:
        while True:
            try:
                return process.communicate(stdin, timeout=LONG_SECONDS)
            except subprocess.TimeoutExpired:
                stdin = None  # it goes on with what it has not taken yet
                git_dirs = [Path(where["GIT_DIR"])] if "GIT_DIR" in where else [directory / ".git"]
                release_pipes(directory, tuple(git_dirs + [path.parent.parent for path in git_dirs]))
            except BaseException:
                process.kill()
                raise


def git_beginning(directory: Path, most_bytes: int, *arguments: str, environment: Mapping[str, str]) -> bytes:
    """The first bytes of what git says, however much that is; it is ended then.

    Raises:
        SetupError: git is not installed, or cannot be run there.
        GitFailed: it has failed before.
    """
    with tempfile.TemporaryFile() as errors:
        with _start(directory, arguments, environment, stdin=subprocess.DEVNULL, errors=errors.fileno()) as process:
            assert process.stdout is not None
            said = process.stdout.read(most_bytes)
            if len(said) == most_bytes:
                process.kill()
                return said
        if process.returncode:
            errors.seek(0)
            raise GitFailed(arguments, process.returncode, errors.read().decode("utf-8", "replace"))
    return said


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
            env=_environment() | _in_bytes(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            process_group=process_group,
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
        raise SetupError("git is not installed", hint="install git 2.38 or later")
    return program


def _environment() -> dict[bytes, bytes]:
    """Ours without GIT_*: a GIT_DIR or GIT_INDEX_FILE of the caller (a hook, say) would redirect every call.

    As bytes, which is what the system takes: it is asked for with every call.
    """
    kept = {name: value for name, value in os.environb.items() if not name.startswith(b"GIT_") or name in _KEPT}
    return kept | {b"GIT_TERMINAL_PROMPT": b"0", b"GIT_OPTIONAL_LOCKS": b"0", b"LC_ALL": b"C.UTF-8"}


_KEPT = frozenset(
    {f"GIT_{role}_{part}".encode() for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL", "DATE")}
    | {b"GIT_CONFIG_GLOBAL", b"GIT_CONFIG_SYSTEM", b"GIT_CONFIG_NOSYSTEM"}
)
