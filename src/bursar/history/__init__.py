"""Observations of finished attempts: what estimates and routes learn from."""

from bursar.history.exchange import Parsed, export_lines, parse_lines
from bursar.history.learning import LEARN_FROM, Experience, key_of, learn
from bursar.history.observation import Observation, check_observation
from bursar.history.statistics import STATISTICS_FILE, build_statistics, write_statistics
from bursar.history.store import History, Read, Refused, open_history

__all__ = [
    "LEARN_FROM",
    "STATISTICS_FILE",
    "Experience",
    "History",
    "Observation",
    "Parsed",
    "Read",
    "Refused",
    "build_statistics",
    "check_observation",
    "export_lines",
    "key_of",
    "learn",
    "open_history",
    "parse_lines",
    "write_statistics",
]
