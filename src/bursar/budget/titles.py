"""Budgets of settings under the names that a ledger knows them by: `TITLE@` and eight digits that identify them.

A ledger never changes what a name means. So a budget whose table in the settings is changed in what makes it this
budget (selector, unit, counting, period, zone) is another one there, and starts from nothing. Its limit, its
thresholds and what happens at the limit may change freely.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

from bursar.budget.text import LARGEST_QUANTITY
from bursar.budget.types import Budget, Limit, OnLimit

_CONFIGURED = re.compile(".+@[0-9a-f]{8}")


def name_for_ledger(budget: Budget) -> Budget:
    """The budget under the name that a ledger is to know it by; so far its name is its title."""
    what = [
        dict(budget.selector),
        budget.limit.unit,
        budget.counts,
        str(budget.period),
        budget.period.timezone,
    ]
    digits = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
    return replace(budget, name=f"{budget.name}@{digits}")


def title_of(name: str) -> str:
    """What people call the budget that a ledger knows by `name`: one of settings by its title, others by their name."""
    return name.rpartition("@")[0] if is_configured(name) else name


def is_configured(name: str) -> bool:
    """The budget that a ledger knows by `name` comes from settings, of now or of earlier."""
    return _CONFIGURED.fullmatch(name) is not None


def retire(budget: Budget) -> Budget:
    """The budget without any effect: it blocks nothing and says nothing, for its limit is out of reach."""
    limit = Limit(LARGEST_QUANTITY, budget.limit.unit)
    return replace(budget, limit=limit, thresholds=(), on_limit=OnLimit.WARN, stop_percent=None)


def is_retired(budget: Budget) -> bool:
    """It came from settings that do not have it any more."""
    return is_configured(budget.name) and retire(budget) == budget
