"""A place that gives the ledger no file, no lock or no room: refused, and well again as soon as the place is."""

from __future__ import annotations

import errno
import os
import resource
from itertools import count
from pathlib import Path

import pytest

from bursar.budget import Amount
from bursar.errors import StoreError
from bursar.ledger import SqliteLedger
from tests.faults.ledger_authors import check_books, define_all
from tests.integration.test_ledger_disk_faults import OPERATIONS, labels, open_at, reserve, show
from tests.integration.test_ledger_processes import fork, wait_for


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    ledger = open_at(made)
    define_all(ledger)
    ledger.close()
    return made


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE, errno.EIO])
def test_a_directory_that_gives_no_file_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """No inode, no quota, no right, no descriptor: at each file or directory that the making asks for."""
    real_open, real_mkdir, refused, step, asked = os.open, os.mkdir, 0, 0, 0

    def ask(path: str) -> None:
        nonlocal asked
        asked += 1
        if asked == step:
            raise OSError(number, os.strerror(number), path)

    def failing_open(path: str, flags: int, mode: int = 0o777) -> int:
        ask(path)
        return real_open(path, flags, mode)

    def failing_mkdir(path: str, mode: int = 0o777) -> None:
        ask(path)
        real_mkdir(path, mode)

    while asked >= step:
        step, asked = step + 1, 0
        folder = tmp_path / str(step)
        folder.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", failing_open)
            patch.setattr(os, "mkdir", failing_mkdir)
            try:
                open_at(folder).close()
            except StoreError as error:
                refused += os.strerror(number) in error.message
        ledger = open_at(folder)
        define_all(ledger)
        check_books(ledger)
        ledger.close()
    assert refused == step - 1 > 3


def test_a_lock_that_cannot_be_opened_refuses_the_write(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_at(home)
    before = show(ledger)

    def no_descriptor(path: str, flags: int, mode: int = 0o777) -> int:
        raise OSError(errno.EMFILE, "Too many open files", path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", no_descriptor)
        with pytest.raises(StoreError, match="Too many open files"):
            reserve(ledger, "a")
    assert show(ledger) == before
    reserve(ledger, "a")
    check_books(ledger)
    ledger.close()


def charge_without_end(ledger: SqliteLedger, charged: list[str]) -> None:
    for number in count():
        ledger.charge(f"n{number}", labels("n"), Amount(1, 1))
        charged.append(f"n{number}")


def test_a_file_that_may_not_grow_refuses_until_it_may(home: Path) -> None:
    """The kernel's own limit on the size of a file stands for a full disk; in a child, because it is the process's."""

    def try_it() -> None:
        ledger = open_at(home)
        reserve(ledger, "a")
        log = os.path.getsize(home / "state" / "ledger.db-wal")
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (log + 5000, hard))
        charged: list[str] = []
        with pytest.raises(StoreError, match="nothing was written"):
            charge_without_end(ledger, charged)
        assert [each.key for each in ledger.reservations({})] == ["a", *charged]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        for operation in OPERATIONS[1:]:
            operation(ledger)
        check_books(ledger)
        ledger.close()

    wait_for([fork(try_it)])
