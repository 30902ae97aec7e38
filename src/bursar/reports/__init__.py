"""What a run did and what it cost, for people and for programs: from the journal and the ledger alone; and what routing
has saved, from the history.
"""

from bursar.reports.json_view import report_as_data
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine, build_run_report
from bursar.reports.savings import Alternative, Savings, weigh_savings
from bursar.reports.savings_view import render_savings, savings_as_data
from bursar.reports.text_view import render_event, render_report

__all__ = [
    "Alternative",
    "AttemptLine",
    "RunReport",
    "Savings",
    "TaskLine",
    "build_run_report",
    "render_event",
    "render_report",
    "render_savings",
    "report_as_data",
    "savings_as_data",
    "weigh_savings",
]
