"""What a run did and what it cost, for people and for programs: from the journal and the ledger alone."""

from bursar.reports.json_view import report_as_data
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine, build_run_report
from bursar.reports.text_view import render_event, render_report

__all__ = [
    "AttemptLine",
    "RunReport",
    "TaskLine",
    "build_run_report",
    "render_event",
    "render_report",
    "report_as_data",
]
