"""The conformance table of the agents: which CLI did what in the last run of the suite.

BURSAR_AGENT_TABLE=docs/agents.md pytest tests/conformance/test_real_agents.py tests/integration/test_real_runs.py
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Cell = Callable[[str, str], None]


@pytest.fixture
def cell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Cell:
    """Say what the table is to show for this agent: the case, and how it went."""
    return lambda case, words: record_property("agent_cell", f"{case}|{words}")
