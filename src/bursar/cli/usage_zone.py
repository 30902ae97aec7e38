"""The time zone that `--timezone` names, and times in it."""

from __future__ import annotations

import time

from bursar.errors import UserError
from bursar.logs import Zone, local_zone, named_zone


def zone_of(name: str | None) -> Zone:
    """The time zone of that name; None means the machine's own.

    Raises:
        UserError: there is none.
    """
    if name is None:
        return local_zone()
    try:
        return named_zone(name)
    except (KeyError, ValueError, OSError) as error:
        raise UserError(f"there is no time zone `{name}`", hint="--timezone Europe/Berlin") from error


def local_text(at: int, zone: Zone) -> str:
    """An instant, in ms since 1970, to the minute as clocks in the zone show it."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at // 1000 + zone.offset_at(at // 1000)))
