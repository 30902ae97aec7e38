"""A git repository in a folder, for tests: nothing of the machine's own git settings takes part."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bursar.worktrees import Repository, Worktree, create, open_repository

WHO = {f"GIT_{role}_{part}": "Ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
NO_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True)
class Checkout:
    """The user's repository."""

    root: Path

    def git(self, *arguments: str, at: Path | None = None, environment: Mapping[str, str] = WHO) -> str:
        """What git answers there."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.root,
            env=clean | NO_SETTINGS | dict(environment),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        """The user commits these files; the commit's id."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def repository(self) -> Repository:
        return open_repository(self.root)

    def worktree(self, name: str = "tree", base: str | None = None) -> Worktree:
        """A worktree beside the checkout, as a run makes it."""
        return create(self.repository, self.root.parent / "worktrees" / name, base or self.head)

    def files(self, commit: str) -> dict[str, str]:
        """Path → mode of every file of a commit."""
        listed = [entry for entry in self.git("ls-tree", "-r", "-z", commit).split("\0") if entry]
        return {entry.split("\t", 1)[1]: entry.split(" ", 1)[0] for entry in listed}

    def show(self, commit: str, path: str) -> str:
        return self.git("show", f"{commit}:{path}")


def make_checkout(root: Path) -> Checkout:
    """A repository with one commit on `main`."""
    root.mkdir(parents=True)
    checkout = Checkout(root)
    checkout.git("init", "--quiet", "--initial-branch=main")
    checkout.commit({"a.txt": "one\n", "b.txt": "two\n", "folder/c.txt": "three\n"}, "start")
    return checkout
