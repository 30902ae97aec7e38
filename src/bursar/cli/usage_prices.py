"""What the user states of prices, for the index of logs. It imports next to nothing, like all of `bursar usage`.

Only the user's own file counts: the index is of all projects, and what calls in one cost is not for another to say.
"""

from __future__ import annotations

import os

from bursar.logs import StatedPrices
from bursar.paths import user_settings_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.pricing import PriceOverride


def stated_prices(environment: Mapping[str, str]) -> StatedPrices:
    """The `[[price]]` tables of the user's own settings, read when they are asked for."""
    try:
        status = os.stat(user_settings_file(environment))
    except OSError:
        return StatedPrices("", lambda: ())
    return StatedPrices(f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}", lambda: _read(environment))


def _read(environment: Mapping[str, str]) -> Sequence[PriceOverride]:
    """The prices that the user's settings state.

    Raises:
        UserError: the file is not TOML, or says what makes no sense.
    """
    from bursar.config import load_user_settings

    return load_user_settings(environment).prices()
