"""Which operations a budget is about."""

from __future__ import annotations

from collections.abc import Mapping


def is_selected(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """The operation carries every label of the selector, with the same value; an empty selector selects everything."""
    return all(labels.get(name) == value for name, value in selector.items())
