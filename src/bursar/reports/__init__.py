"""What a run did and what it cost, for people and for programs: from the journal and the ledger alone; and what routing
has saved, from the history.
"""

from bursar.reports.event_view import render_event
from bursar.reports.json_view import report_as_data
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine, build_run_report
from bursar.reports.run_status import InstanceLine, RunStatus, build_run_status
from bursar.reports.savings import Alternative, Savings, weigh_savings
from bursar.reports.savings_view import render_savings, savings_as_data
from bursar.reports.status_view import render_status
from bursar.reports.stream_follower import StreamFollower
from bursar.reports.text_view import render_report
from bursar.reports.words import fold, plain

__all__ = [
    "Alternative",
    "AttemptLine",
    "InstanceLine",
    "RunReport",
    "RunStatus",
    "Savings",
    "StreamFollower",
    "TaskLine",
    "build_run_report",
    "build_run_status",
    "fold",
    "plain",
    "render_event",
    "render_report",
    "render_savings",
    "render_status",
    "report_as_data",
    "savings_as_data",
    "weigh_savings",
]
