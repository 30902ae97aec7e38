"""A file gets new content whole or not at all; its mode, and a link to it, stay."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from bursar.errors import UserError
from bursar.plan import read_again, rewrite_file


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a-PLAN.md"
    found.write_bytes(b"old")
    return found


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_the_mode_stays(path: Path, mode: int) -> None:
    path.chmod(mode)
    rewrite_file(path, b"new", digest_of(path))
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"new", mode)
    assert os.listdir(path.parent) == [path.name]


def test_a_link_is_followed_and_stays_one(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link-PLAN.md"
    link.symlink_to("../a-PLAN.md")
    rewrite_file(link, b"new", digest_of(link))
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert (os.listdir(folder), sorted(os.listdir(tmp_path))) == ([link.name], [path.name, "elsewhere"])


@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
def test_a_read_only_file_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(UserError, match="is read-only; nothing was written") as refused:
        rewrite_file(path, b"new", digest_of(path))
    assert refused.value.hint == f"chmod u+w {path}"
    assert path.read_bytes() == b"old"


def test_a_file_that_changed_is_refused(path: Path) -> None:
    digest = digest_of(path)
    path.write_bytes(b"changed")
    for act in (lambda: rewrite_file(path, b"new", digest), lambda: read_again(path, digest)):
        with pytest.raises(UserError, match="has changed since it was read; nothing was written"):
            act()
    assert path.read_bytes() == b"changed"
    assert os.listdir(path.parent) == [path.name]


def test_a_file_that_is_gone_is_refused(path: Path) -> None:
    digest = digest_of(path)
    path.unlink()
    with pytest.raises(UserError, match="cannot be written: No such file or directory; nothing was written"):
        rewrite_file(path, b"new", digest)
    with pytest.raises(UserError, match="cannot be read: No such file or directory; nothing was written"):
        read_again(path, digest)


def test_a_write_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(UserError, match="cannot be written: No space left on device; nothing was written"):
        rewrite_file(path, b"new", digest_of(path))
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]
