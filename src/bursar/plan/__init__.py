"""Reads plan files, checks and annotates them, and writes their summaries. It runs nothing."""

from bursar.plan.annotate import annotate, find_stated_order
from bursar.plan.annotation import Annotated, TaskAnnotation
from bursar.plan.dependency_section import dependency_lines
from bursar.plan.edit_diff import render_diff
from bursar.plan.inference import explain_dependencies, infer_dependencies
from bursar.plan.model import ContextMode, Metrics, Plan, Position, Problem, Task, TokenRange, UnreadablePlan
from bursar.plan.original import Edit, apply_edits, inverse_edits
from bursar.plan.parse import parse_plan
from bursar.plan.read import read_plan
from bursar.plan.rewrite import read_again, rewrite_file
from bursar.plan.roadmap_model import Phase, PhasePlan, PhaseStatus, Roadmap, UnreadableRoadmap, normal_number
from bursar.plan.summary import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.verify_commands import VerifyText, classify_verify

__all__ = [
    "Annotated",
    "ContextMode",
    "Edit",
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
    "TaskAnnotation",
    "TokenRange",
    "UnreadablePlan",
    "UnreadableRoadmap",
    "VerifyText",
    "annotate",
    "apply_edits",
    "build_summary",
    "classify_verify",
    "dependency_lines",
    "explain_dependencies",
    "find_stated_order",
    "infer_dependencies",
    "inverse_edits",
    "normal_number",
    "parse_plan",
    "read_again",
    "read_plan",
    "render_diff",
    "render_summary",
    "rewrite_file",
    "summary_path",
]
