"""Reads plan files, checks them and writes their summaries. It runs nothing, and opens nothing but the plan itself."""

from bursar.plan.model import ContextMode, Metrics, Plan, Position, Problem, Task, TokenRange, UnreadablePlan
from bursar.plan.parse import parse_plan
from bursar.plan.read import read_plan
from bursar.plan.roadmap import parse_roadmap, read_roadmap
from bursar.plan.roadmap_model import Phase, PhasePlan, PhaseStatus, Roadmap, UnreadableRoadmap, normal_number
from bursar.plan.summary import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.verify_commands import VerifyText, classify_verify

__all__ = [
    "ContextMode",
    "Execution",
    "Metrics",
    "Phase",
    "PhasePlan",
    "PhaseStatus",
    "Plan",
    "Position",
    "Problem",
    "Roadmap",
    "Summary",
    "SummaryTask",
    "Task",
    "TokenRange",
    "UnreadablePlan",
    "UnreadableRoadmap",
    "VerifyText",
    "build_summary",
    "classify_verify",
    "normal_number",
    "parse_plan",
    "parse_roadmap",
    "read_plan",
    "read_roadmap",
    "render_summary",
    "summary_path",
]
