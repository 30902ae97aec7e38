"""Real agent CLIs, pinned, in a cache folder: for tests against the fake model server."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

MIN_NODE = 20
INSTALL_SECONDS = 180


@dataclass(frozen=True, slots=True)
class PinnedCli:
    """One CLI as npm has it."""

    name: str
    package: str
    version: str


PINNED: Mapping[str, PinnedCli] = MappingProxyType(
    {
        cli.name: cli
        for cli in (
            PinnedCli("claude", "@anthropic-ai/claude-code", "2.1.330"),
            PinnedCli("codex", "@openai/codex", "0.169.0"),
            PinnedCli("gemini", "@google/gemini-cli", "0.61.0"),
            PinnedCli("opencode", "opencode-ai", "1.18.33"),
        )
    }
)


def install_agent(name: str, caches: Path) -> Path | str:
    """The program, installed into `caches`/`name` if it was not there yet; or the reason why it cannot be had.

    Needs Node ≥ 20 with npm and, the first time, the npm registry. Several processes may call it at once.
    """
    cli, cache = PINNED[name], caches / name
    program = cache / cli.version / "node_modules" / ".bin" / name
    verified = cache / cli.version / ".verified"  # asking a CLI for its version may take seconds
    if verified.exists() and program.exists():
        return program
    folder = cache / cli.version
    if _version_of(program) == cli.version:
        verified.touch()
        return program
    if (reason := _why_not_node()) is not None:
        return reason
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"{cli.version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _version_of(program) != cli.version and (reason := _install(cli, folder)) is not None:
            return reason
    found = _version_of(program)
    if found == cli.version:
        verified.touch()
        return program
    return f"npm installed {cli.package} {found or 'not at all'} instead of {cli.version}"


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


def _install(cli: PinnedCli, folder: Path) -> str | None:
    """The package lies in `folder`; None, or the reason why it does not."""
    what = f"{cli.package}@{cli.version}"
    command = ["npm", "install", "--prefix", str(folder), "--no-save", "--no-audit", "--no-fund", what]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm could not install {cli.package}: {error}"
    last_words = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return None if done.returncode == 0 else f"npm could not install {cli.package}: {last_words}"


def _version_of(program: Path) -> str | None:
    """The version that an installed program says it is; None if there is none that runs."""
    if not program.exists():
        return None
    found = re.search(r"\d+\.[\d.]+", _output(str(program), "--version"))
    return found[0] if found else None


def _output(*command: str) -> str:
    """What a short command prints; empty if it fails."""
    try:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("TMPDIR", "/tmp")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
