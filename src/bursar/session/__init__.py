"""Token budgets for scripts: a session of a project, what it holds and used, and the snapshot that scripts can read.

It starts no agent and knows no plan: somebody else does the work and says what it took. Importing this room must stay
cheap, for `bursar token` is called before and after every step of a script: its values are named tuples, which take a
tenth of the time of dataclasses to define.
"""

from bursar.session.operations import hold_id_of, record_usage, release_hold, reserve_hold, settle_hold
from bursar.session.place import BUSY_SECONDS, SessionLock, find_project
from bursar.session.report import (
    Hold,
    Projection,
    SessionReport,
    alert_as_data,
    build_projection,
    build_report,
    report_as_data,
)
from bursar.session.sessions import Session, begin_session, current_session, import_session, lacks_import
from bursar.session.snapshot import SNAPSHOT_PATH, Snapshot, SnapshotWriter, read_snapshot
from bursar.session.standing import read_balance
from bursar.session.words import DEFAULT_MODEL, MODELS, format_limit, limit_of, parse_name, parse_tokens

__all__ = [
    "BUSY_SECONDS",
    "DEFAULT_MODEL",
    "MODELS",
    "SNAPSHOT_PATH",
    "Hold",
    "Projection",
    "Session",
    "SessionLock",
    "SessionReport",
    "Snapshot",
    "SnapshotWriter",
    "alert_as_data",
    "begin_session",
    "build_projection",
    "build_report",
    "current_session",
    "find_project",
    "format_limit",
    "hold_id_of",
    "import_session",
    "lacks_import",
    "limit_of",
    "parse_name",
    "parse_tokens",
    "read_balance",
    "read_snapshot",
    "record_usage",
    "release_hold",
    "report_as_data",
    "reserve_hold",
    "settle_hold",
]
