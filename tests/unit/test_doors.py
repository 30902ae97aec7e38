"""What the doors of the rooms name is there, also where it is imported late."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import bursar

ROOMS = [module.name for module in pkgutil.iter_modules(bursar.__path__) if module.ispkg and module.name != "testing"]
LATE = {
    "budget": "window", "config": "compose", "estimation": "forecasting", "history": "outlook", "ledger": "memory"
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_has_all_that_it_names(room: str) -> None:
    door = import_module(f"bursar.{room}")
    missing = [name for name in getattr(door, "__all__", []) if not hasattr(door, name)]
    assert missing == []


@pytest.mark.parametrize("room", LATE)
def test_a_door_has_nothing_that_it_does_not_name(room: str) -> None:
    door = import_module(f"bursar.{room}")
    with pytest.raises(AttributeError, match=f"^module 'bursar.{room}' has no attribute 'nobodys'$"):
        _ = door.nobodys


@pytest.mark.parametrize(("room", "module"), LATE.items())
def test_what_is_late_is_not_imported_with_its_door(room: str, module: str) -> None:
    name = f"bursar.{room}.{module}"
    program = f"import sys, bursar.{room}; print({name!r} in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_late_name_is_asked_for_once() -> None:
    door = import_module("bursar.budget")
    first = door.window_length
    assert vars(door)["window_length"] is first
