"""The command line of `bwrap`, and whether it works here.

All of the machine can be read but what is hidden: homes, temporary files, sockets of services, bursar's own state. What
is to be seen of those is put back, after them. Later mounts lie upon earlier ones, so the order says who wins.

Source: bwrap(1); docs/decisions/0048-a-sandbox-and-limits.md
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bursar.errors import SetupError, UserError

_PROBE_SECONDS = 20
_ISOLATION = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--cap-drop", "ALL", "--die-with-parent"),
)
_HIDDEN = ("/home", "/root", "/tmp", "/var/tmp", "/run", "/dev/shm")
_NEEDED_OF_RUN = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf", "/run/nscd")


class Network(StrEnum):
    """Who has the network: all, agents alone, or nobody."""

    ON = "on"
    AGENT = "agent"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Placed:
    """A folder that exists, and where it is seen in a sandbox: in the place of what is there."""

    source: Path
    place: Path
    is_writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """How agents and verify commands of a run are confined.

    Attributes:
        program: bwrap.
        home: the user's home, of which nothing is seen that is not put back.
        hidden: other folders of which that is true: bursar's state, where temporary files go.
        readable, writable: what the user wants to be seen, or changed, all the same.
    """

    program: str
    network: Network
    home: Path
    hidden: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()

    def prefix(
        self,
        folder: Path,
        *,
        has_network: bool,
        hidden: Iterable[Path] = (),
        readable: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        placed: Iterable[Placed] = (),
        sealed: Iterable[Path] = (),
    ) -> list[str]:
        """What stands before a command's own words, for it to run in `folder`, which it may change.

        Args:
            hidden: what else it does not see.
            readable, writable: what it sees all the same; what does not exist is left out.
            placed: what it sees elsewhere than where it is, in this order, upon all of these.
            sealed: what it may not change although it lies in what it may.

        Raises:
            UserError: the folder is or holds the home: nothing would be hidden.
        """
        top = Path(os.path.realpath(folder))
        if _real(self.home).is_relative_to(top):
            raise UserError(
                f"{folder} cannot be a sandbox: your home is in it, which is to be hidden",
                hint="name a folder below it with --workspace, or run without --sandbox",
            )
        words = [self.program, *_ISOLATION, *(() if has_network else ("--unshare-net",))]
        words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for place in _existing((*map(Path, _HIDDEN), self.home, *self.hidden, *hidden)):
            words += ["--tmpfs", str(place)]
        for place in _existing((*map(Path, _NEEDED_OF_RUN), *readable, *self.readable)):
            words += ["--ro-bind", str(place), str(place)]
        for place in _existing((*writable, *self.writable, top)):
            words += ["--bind", str(place), str(place)]
        for each in placed:
            words += ["--bind" if each.is_writable else "--ro-bind", str(each.source), str(each.place)]
        for place in _existing(sealed):
            words += ["--ro-bind", str(place), str(place)]
        return [*words, "--chdir", str(top), "--"]

    def check(self) -> None:
        """It works on this machine.

        Raises:
            SetupError: it does not; the message has bwrap's own words.
        """
        command = [self.program, *_ISOLATION, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        command += [*(() if self.network is Network.ON else ("--unshare-net",)), "--", "true"]
        try:
            ended = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"the sandbox does not work here: {error}") from error
        if ended.returncode:
            said = ended.stderr.decode("utf-8", "replace").strip() or f"exit code {ended.returncode}"
            raise SetupError(
                f"the sandbox does not work here: {said}",
                hint="allow user namespaces (`sysctl kernel.unprivileged_userns_clone user.max_user_namespaces`"
                " shows them), or run without --sandbox",
            )


def open_sandbox(
    *,
    network: Network,
    environment: Mapping[str, str],
    hidden: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
) -> Sandbox:
    """A sandbox that works on this machine.

    Raises:
        SetupError: bubblewrap is not installed, or does not work here.
    """
    program = shutil.which("bwrap", path=environment.get("PATH"))
    if program is None:
        raise SetupError(
            "a sandbox was asked for, and bubblewrap (`bwrap`) is not installed",
            hint="apt-get install bubblewrap, or run without --sandbox",
        )
    temporary = [Path(environment[name]) for name in ("TMPDIR", "TMP", "TEMP") if environment.get(name)]
    sandbox = Sandbox(
        program=program,
        network=network,
        home=Path(environment.get("HOME") or os.path.expanduser("~")),
        hidden=(*hidden, *temporary),
        readable=tuple(readable),
        writable=tuple(writable),
    )
    sandbox.check()
    return sandbox


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _existing(places: Iterable[Path]) -> Iterator[Path]:
    """Each that exists once, without symbolic links on its way, those above before those below."""
    real = {_real(place) for place in places}
    return iter(sorted(place for place in real if place.exists() and place != Path("/")))
