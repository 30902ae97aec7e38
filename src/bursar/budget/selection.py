"""Which operations a budget is about."""

from __future__ import annotations

from collections.abc import Mapping

LOGS_LABEL = "logs"
"""What a budget selects that includes logs, and what a charge from logs carries: a name for that one budget."""

OF_TASKS = frozenset({"phase", "plan", "task", "instance", "model", "command"})
"""Labels in which tasks of one run may differ: one that selects by none of them is over a whole run, or more."""


def is_selected(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """The operation carries every label of the selector, with the same value; an empty selector selects everything.

    Charges from logs are for one budget each: they carry the label `logs`, and only the budget that selects this very
    value has them. To that budget, operations without the label belong as to every other.
    """
    if LOGS_LABEL in labels and labels[LOGS_LABEL] != selector.get(LOGS_LABEL):
        return False
    return all(labels.get(name) == value for name, value in selector.items() if name != LOGS_LABEL)
