"""What the conformance suite of the agents leaves for the table in docs/agents.md: see agent_table.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Cell = Callable[[str, str], None]


@pytest.fixture
def cell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Cell:
    """Say what the table is to show for this agent: the case, and how it went."""
    return lambda case, words: record_property("agent_cell", f"{case}|{words}")
