"""Reads plan files, checks them and writes their summaries. It runs nothing, and opens nothing but the plan itself."""

from bursar.plan.model import ContextMode, Metrics, Plan, Position, Problem, Task, TokenRange, UnreadablePlan
from bursar.plan.parse import parse_plan
from bursar.plan.read import read_plan
from bursar.plan.summary import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.verify_commands import VerifyText, classify_verify

__all__ = [
    "ContextMode",
    "Execution",
    "Metrics",
    "Plan",
    "Position",
    "Problem",
    "Summary",
    "SummaryTask",
    "Task",
    "TokenRange",
    "UnreadablePlan",
    "VerifyText",
    "build_summary",
    "classify_verify",
    "parse_plan",
    "read_plan",
    "render_summary",
    "summary_path",
]
