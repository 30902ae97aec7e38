"""Where alerts go: `desktop`, an address that apprise knows, or `env:NAME` for an address that nobody should read.

An address holds credentials, so it is never shown whole: everything that is printed goes through `mask_target`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from bursar.errors import SetupError, UserError

DESKTOP = "desktop"
ENVIRONMENT_PREFIX = "env:"
LIBRARY_HINT = "pip install 'bursar[notify]'"

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<place>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_PLAIN_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST_IS_NO_SECRET = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})


def check_target(text: str) -> str:
    """What is wrong with the form of a target, without a word of what it says; empty if nothing is."""
    if not text.isprintable() or text != text.strip():
        return "has blanks around it or characters that cannot be printed"
    if text == DESKTOP:
        return ""
    if text.startswith(ENVIRONMENT_PREFIX):
        name = text.removeprefix(ENVIRONMENT_PREFIX)
        return "" if _VARIABLE.fullmatch(name) else "does not name an environment variable after `env:`"
    return "" if _ADDRESS.fullmatch(text) else "is neither `desktop`, `env:NAME` nor an address like `json://HOST/PATH`"


def resolve_target(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The address itself: `env:NAME` is replaced by the value of NAME, anything else stays.

    Raises:
        UserError: the variable is not set, or its value is no target.
    """
    if not text.startswith(ENVIRONMENT_PREFIX):
        return text
    name = text.removeprefix(ENVIRONMENT_PREFIX)
    value = environment.get(name, "")
    if not value:
        raise UserError(f"the environment variable {name} is not set", hint=f"export {name}='slack://…'")
    if value.startswith(ENVIRONMENT_PREFIX) or (problem := check_target(value)):
        raise UserError(f"the value of {name} {problem if not value.startswith('env:') else 'is another `env:`'}")
    return value


def mask_target(text: str) -> str:
    """The target for people: its kind, and its host where that is no credential (in `slack://A/B/C` it is)."""
    if text == DESKTOP or (text.startswith(ENVIRONMENT_PREFIX) and not check_target(text)):
        return text
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return "…"
    scheme, place, rest = found["scheme"].lower(), found["place"], found["rest"]
    host = place.rpartition("@")[2]
    is_known = scheme in _HOST_IS_NO_SECRET and "@" not in rest and _PLAIN_HOST.fullmatch(host)
    return f"{scheme}://{host}/…" if is_known else f"{scheme}://…"


def require_library(targets: Iterable[str]) -> None:
    """What is needed to reach all of these targets is installed.

    Raises:
        SetupError: one of them is not the desktop, and apprise is not there.
    """
    others = [target for target in targets if target != DESKTOP]
    if others and find_spec("apprise") is None:
        raise SetupError(f"apprise is needed to send alerts to {mask_target(others[0])}", hint=LIBRARY_HINT)
