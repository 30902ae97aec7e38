"""Commands in the test's own process: exit code, standard output and standard error as one value."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bursar.cli.main import main

NO_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "100", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Bursar = Callable[..., Said]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, outside any repository; the state directory beside it does not exist yet."""
    folder = tmp_path / "place"
    folder.mkdir()
    for name, value in NO_SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BURSAR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # nothing of the person who runs the tests
    monkeypatch.delenv("BURSAR_LEDGER_URL", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def bursar(place: Path, capsys: pytest.CaptureFixture[str]) -> Bursar:
    """Run `bursar` with these arguments."""

    def run(*arguments: str) -> Said:
        try:
            code = main(list(arguments))
        except SystemExit as ended:  # argparse, after --help
            code = ended.code if isinstance(ended.code, int) else 1
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
