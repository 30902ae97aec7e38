"""Rows of what was charged to the phases of sessions, to values and back."""

from __future__ import annotations

from bursar.ledger.books import PhaseSum
from bursar.ledger.rows.common import Row

SELECT_PHASES = "SELECT session, phase, first, tokens FROM phases"
INSERT_PHASE = "INSERT INTO phases (session, phase, first, tokens) VALUES (?, ?, ?, ?)"
UPDATE_PHASE = "UPDATE phases SET tokens = ? WHERE session = ? AND phase = ?"


def write_phase(phase: PhaseSum) -> Row:
    """The parameters of `INSERT_PHASE`."""
    return phase.session, phase.phase, phase.first, phase.tokens


def read_phase(row: Row) -> PhaseSum:
    """The sum of a row of `SELECT_PHASES`."""
    session, phase, first, tokens = row
    return PhaseSum(session, phase, first, tokens)
