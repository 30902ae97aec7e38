"""Trees joined without git's merge, against git's merge: where the first has an answer, the second has the same."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from bursar.worktrees.objects import join_trees
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout

SEED = int(os.environ.get("BURSAR_SEED", "20261121"))
CASES = 40
CONTENTS = {name: "".join(f"{name}{line}\n" for line in range(12)) for name in "pqrstu"}
FOLDERS = ("", "x/", "y/", "x/z/")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    return make_checkout(tmp_path / "repository")


def commit(checkout: Checkout, files: dict[str, str], *parents: str) -> str:
    """A commit of just these files."""
    environment = {**os.environ, "GIT_INDEX_FILE": str(checkout.root.parent / "index")}
    (checkout.root.parent / "index").unlink(missing_ok=True)

    def run(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=checkout.root,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    blobs = {content: run("hash-object", "-w", "--stdin", stdin=content) for content in set(files.values())}
    run("update-index", "--index-info", stdin="".join(f"100644 {blobs[files[path]]}\t{path}\n" for path in files))
    return run("commit-tree", run("write-tree"), *(part for each in parents for part in ("-p", each)), "-m", "x")


def edited(chance: random.Random, files: dict[str, str]) -> dict[str, str]:
    """Some files changed, removed, added or moved, or a whole folder moved."""
    after = dict(files)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice([*after, "none"])
        target = chance.choice(FOLDERS) + chance.choice("abcdef")
        match chance.choice(["change", "remove", "add", "move", "move folder"]):
            case "change" if path in after:
                after[path] += "changed\n"
            case "remove":
                after.pop(path, None)
            case "add":
                after[target] = chance.choice([*CONTENTS.values()])
            case "move" if path in after:
                after[target] = after.pop(path)
            case "move folder":
                for old in [old for old in after if old.startswith("x/")]:
                    after[f"w/{old[2:]}"] = after.pop(old)
    return {
        path: content for path, content in after.items() if not any(other.startswith(f"{path}/") for other in after)
    }


def test_where_trees_are_joined_git_would_have_joined_them_so(checkout: Checkout) -> None:
    print(f"BURSAR_SEED={SEED}")
    chance, joined = random.Random(SEED), 0
    repository = checkout.repository
    for case in range(CASES):
        names = chance.sample([folder + name for folder in FOLDERS for name in "abc"], 6)
        files = {name: chance.choice([*CONTENTS.values()]) for name in names}
        base = commit(checkout, files)
        ours, theirs = (commit(checkout, edited(chance, files), base) for _ in range(2))
        tree = join_trees(repository, base, ours, theirs)
        if tree is None:
            continue
        joined += 1
        assert checkout.git("merge-tree", "--write-tree", ours, theirs) == tree, f"seed {SEED}, case {case}"
    assert CASES // 5 < joined < CASES, f"seed {SEED}: the cases show nothing"
    checkout.git("fsck", "--strict", "--no-dangling")
