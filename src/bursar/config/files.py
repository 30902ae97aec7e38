"""The two settings files: where they lie, and what stands in them. Cheap to import, for the quick commands."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import UserError
from bursar.paths import SETTINGS_FILE, user_settings_file

FILE_NAME = SETTINGS_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One file as it is read: `text` is empty where there is no such file."""

    path: Path
    text: str

    def parse(self) -> dict[str, Any]:
        """What stands in it.

        Raises:
            UserError: it is not TOML.
        """
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"{self.path}: {error}") from error


def project_file(root: Path) -> Path:
    """`bursar.toml` at the top of the project."""
    return root / FILE_NAME


def user_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`bursar/bursar.toml` in `$XDG_CONFIG_HOME`, else in `~/.config`: for every project, and it goes before theirs."""
    return Path(user_settings_file(environment))


def read_settings_file(path: Path) -> SettingsFile:
    """The file's text.

    Raises:
        UserError: it cannot be read, or is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:  # line ends stay as they are
            return SettingsFile(path, file.read())
    except (FileNotFoundError, NotADirectoryError):
        return SettingsFile(path, "")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
