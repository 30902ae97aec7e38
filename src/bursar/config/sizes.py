"""Sizes of files as people write them: `64 MB`."""

from __future__ import annotations

import re

from bursar.errors import UserError

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?B)", re.IGNORECASE)


def parse_size(text: str, name: str) -> int:
    """Bytes; `0` is none at all. `name` says in complaints what it is the size of.

    Raises:
        UserError: it is no size.
    """
    if text.strip() == "0":
        return 0
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UserError(f"{name} is a size like `64 MB`, or `0` for no limit, not `{text}`", hint=f'{name} = "64 MB"')
    return int(float(found[1]) * _UNITS[found[2].upper()])
