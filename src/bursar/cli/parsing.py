"""One way to read arguments: argparse with our error format. Cheap: quick commands use it too."""

from __future__ import annotations

import argparse
import os

from bursar.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

vars(argparse)["_"] = str
"""Argparse looks for translations of its words, and reading arguments would mostly be that; ours are English anyway."""


class Words(argparse.HelpFormatter):
    """Argparse's own words. It makes one for every argument, and imports shutil if it is not told how wide."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `UserError`s."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        return Words(self.prog)

    def parse_between(self, arguments: Sequence[str]) -> argparse.Namespace:
        """As `parse_args`, where flags may stand between arguments of which the later ones need not be there.

        Argparse takes such a one for missing as soon as a flag follows the argument before it.
        """
        return self.parse_intermixed_args(arguments)

    def error(self, message: str) -> NoReturn:
        """What argparse says of wrong words is an error as any other.

        Raises:
            UserError: always; the hint names the command's help.
        """
        raise UserError(message, hint=f"{self.prog} --help")


def parser(command: str, about: str) -> Parser:
    """A parser for `bursar COMMAND`."""
    return Parser(prog=f"bursar {command}", description=about, allow_abbrev=False)


def _columns() -> int:
    """How wide the terminal is: as `COLUMNS` says, else as the terminal itself does, else 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80
