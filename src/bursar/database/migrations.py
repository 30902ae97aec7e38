"""Schemas as numbered SQL files, kept in a folder of the room that owns the tables."""

from __future__ import annotations

import os

from bursar.errors import InternalError


def load_migrations(module_file: str, folder: str = "migrations") -> tuple[str, ...]:
    """The texts of `folder/*.sql` next to `module_file` (hand in `__file__`), in the order of their numbers.

    Files are named `0001_what_it_does.sql`, counting from 1 without a gap; the file's version is how many were applied.

    Raises:
        InternalError: a number is missing or double.
    """
    place = os.path.join(os.path.dirname(os.path.abspath(module_file)), folder)
    names = sorted(name for name in os.listdir(place) if name.endswith(".sql"))
    for position, name in enumerate(names, start=1):
        if name[:5] != f"{position:04d}_":
            raise InternalError(f"migration `{name}` should be number {position:04d}")
    return tuple(_read(os.path.join(place, name)) for name in names)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
