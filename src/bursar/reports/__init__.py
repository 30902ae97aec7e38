"""What a run did and what it cost, for people and for programs: from the journal and the ledger alone."""

from bursar.reports.json_view import report_as_data
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine, build_run_report
from bursar.reports.run_status import InstanceLine, RunStatus, build_run_status
from bursar.reports.status_view import render_status
from bursar.reports.stream_follower import StreamFollower
from bursar.reports.text_view import plain, render_event, render_report

__all__ = [
    "AttemptLine",
    "InstanceLine",
    "RunReport",
    "RunStatus",
    "StreamFollower",
    "TaskLine",
    "build_run_report",
    "build_run_status",
    "plain",
    "render_event",
    "render_report",
    "render_status",
    "report_as_data",
]
