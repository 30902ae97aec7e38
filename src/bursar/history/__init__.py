"""Observations of finished attempts: what estimates and routes learn from, and what is to come by them.

What is to come is imported when it is asked for: it brings numpy, which a command may never need.
"""

from bursar.doors import open_late
from bursar.history.exchange import Parsed, export_lines, parse_lines
from bursar.history.learning import LEARN_FROM, Experience, key_of, learn
from bursar.history.observation import Observation, check_observation
from bursar.history.routes import ENOUGH_ATTEMPTS, ROUTES_FROM, VERDICTS, facts_of, learn_policy
from bursar.history.statistics import STATISTICS_FILE, build_statistics, name_kind, write_statistics
from bursar.history.store import FleetingHistory, History, Read, Refused, open_history
from bursar.history.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.history.outlook import SURE, Basis, Chance, Estimated, Told, estimate_works, to_nano_usd, weigh

__all__ = [
    "ENOUGH_ATTEMPTS",
    "LEARN_FROM",
    "ROUTES_FROM",
    "STATISTICS_FILE",
    "SURE",
    "VERDICTS",
    "Basis",
    "Chance",
    "Estimated",
    "Experience",
    "FleetingHistory",
    "History",
    "Observation",
    "Parsed",
    "Read",
    "Refused",
    "Told",
    "Work",
    "build_statistics",
    "check_observation",
    "estimate_works",
    "export_lines",
    "facts_of",
    "key_of",
    "learn",
    "learn_policy",
    "name_kind",
    "open_history",
    "parse_lines",
    "to_nano_usd",
    "weigh",
    "write_statistics",
]

if not TYPE_CHECKING:  # what is not here yet
    __getattr__ = open_late(__name__, {"outlook": set(__all__) - globals().keys()})
