"""The door of the room: all that it names is there, and nothing is imported before it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bursar
from bursar import config

_HEAVY = ("apsw", "asyncio", "bursar.agents", "bursar.ledger", "bursar.plan", "bursar.run", "msgspec", "ruamel")


@pytest.mark.parametrize("name", config.__all__)
def test_everything_named_is_there(name: str) -> None:
    assert getattr(config, name) is not None


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'budget_of_nobody'"):
        _ = config.budget_of_nobody  # type: ignore[attr-defined]


def test_reading_budgets_imports_nothing_heavy(tmp_path: Path) -> None:
    """`bursar token` reads them before every step of a script."""
    (tmp_path / "bursar.toml").write_text('[[budget]]\nname = "a"\nlimit = "5 USD"\nperiod = "daily"\n')
    program = (
        "import sys; from pathlib import Path; from bursar.config import configured_budgets;"
        f"assert len(configured_budgets(Path({str(tmp_path)!r}))) == 1;"
        f"print(*[name for name in {_HEAVY!r} if name in sys.modules])"
    )
    source = str(Path(bursar.__file__).parent.parent)
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": str(tmp_path), "PYTHONPATH": source, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "\n"
