"""One way to read arguments: argparse with our error format. Cheap: quick commands use it too."""

from __future__ import annotations

import argparse

from bursar.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `UserError`s."""

    def error(self, message: str) -> NoReturn:
        """Raises:
        UserError: always; the hint names the command's help.
        """
        raise UserError(message, hint=f"{self.prog} --help")


def parser(command: str, about: str) -> Parser:
    """A parser for `bursar COMMAND`."""
    return Parser(prog=f"bursar {command}", description=about, allow_abbrev=False)
