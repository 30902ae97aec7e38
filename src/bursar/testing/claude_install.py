"""The real Claude Code CLI, pinned, in a cache folder: for tests against the fake model server."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

PACKAGE = "@anthropic-ai/claude-code"
VERSION = "2.1.329"
MIN_NODE = 20
INSTALL_SECONDS = 180


def install_claude(cache: Path) -> Path | str:
    """The program, installed into `cache` if it was not there yet; or the reason why it cannot be had.

    Needs Node ≥ 20 with npm and, the first time, the npm registry. Several processes may call it at once.
    """
    program = cache / VERSION / "node_modules" / ".bin" / "claude"
    if _version_of(program) == VERSION:
        return program
    if (reason := _why_not_node()) is not None:
        return reason
    folder = cache / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"{VERSION}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _version_of(program) != VERSION and (reason := _install(folder)) is not None:
            return reason
    found = _version_of(program)
    return program if found == VERSION else f"npm installed {PACKAGE} {found or 'not at all'} instead of {VERSION}"


def _why_not_node() -> str | None:
    """The reason why npm cannot be used; None if it can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node is not installed"
    text = _output(node, "--version")
    version = re.match(r"v(\d+)\.", text)
    if version is None or int(version[1]) < MIN_NODE:
        return f"Node {text.strip() or '(no version)'} is older than {MIN_NODE}"
    return None


def _install(folder: Path) -> str | None:
    """The package lies in `folder`; None, or the reason why it does not."""
    command = [
        "npm",
        "install",
        "--prefix",
        str(folder),
        "--no-save",
        "--no-audit",
        "--no-fund",
        f"{PACKAGE}@{VERSION}",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm could not install {PACKAGE}: {error}"
    last_words = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return None if done.returncode == 0 else f"npm could not install {PACKAGE}: {last_words}"


def _version_of(program: Path) -> str | None:
    """The version that an installed program says it is; None if there is none that runs."""
    if not program.exists():
        return None
    found = re.match(r"[\d.]+", _output(str(program), "--version"))
    return found[0] if found else None


def _output(*command: str) -> str:
    """What a short command prints; empty if it fails."""
    try:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("TMPDIR", "/tmp")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
