"""Where the books are kept: the file in the state directory, or a server that the user names. Cheap to import.

A repository has no say in it: whoever wrote its `bursar.toml` could otherwise move one's spending out of sight.
"""

from __future__ import annotations

import os

from bursar.errors import UserError
from bursar.ledger import is_ledger_url
from bursar.paths import LEDGER_FILE, state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

URL_VARIABLE = "BURSAR_LEDGER_URL"
_EXAMPLE = "postgresql://user@host/database"


def find_ledger_place(environment: Mapping[str, str] = os.environ) -> str:
    """A URL if the environment or the user's own settings name one, else the path of the file.

    Raises:
        UserError: what they name is no URL of a server that can keep a ledger, or the settings cannot be read.
    """
    if url := environment.get(URL_VARIABLE, ""):
        return check_ledger_url(url, URL_VARIABLE)
    if url := _url_of_user(environment):
        return url
    return os.path.join(state_dir(), LEDGER_FILE)


def check_ledger_url(url: str, source: str) -> str:
    """The URL as it is.

    Raises:
        UserError: no ledger can be kept there. The URL is not repeated, for it may hold a password.
    """
    if not is_ledger_url(url):
        raise UserError(
            f"{source}: the server that keeps a ledger is PostgreSQL, named by its URL",
            hint=f"{_EXAMPLE}; the password in ~/.pgpass",
        )
    return url


def _url_of_user(environment: Mapping[str, str]) -> str:
    base = environment.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".config")
    if not os.path.lexists(os.path.join(base, "bursar", "bursar.toml")):
        return ""  # most people have none, and reading settings costs a quick command a tenth of its time
    from bursar.config.files import read_settings_file, user_file

    path = user_file(environment)
    table = read_settings_file(path).parse().get("ledger", {})
    url = table.get("url", "") if isinstance(table, dict) and set(table) <= {"url"} else None
    if not isinstance(url, str):
        raise UserError(f"{path}: `[ledger]` has one key, `url`", hint=f'url = "{_EXAMPLE}"')
    return check_ledger_url(url, f"{path}: ledger.url") if url else ""
