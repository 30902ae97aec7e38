"""Reads plan files, checks them and writes their summaries. It runs nothing, and opens nothing but the plan itself."""

from bursar.plan.identity import identify_plan
from bursar.plan.model import (
    Checkpoint,
    CheckpointOption,
    ContextMode,
    Metrics,
    Plan,
    PlanForm,
    PlanIdentity,
    Position,
    Problem,
    Task,
    TokenRange,
    UnreadablePlan,
)
from bursar.plan.parse import parse_plan
from bursar.plan.read import read_plan
from bursar.plan.references import referenced_phase, resolve_plan_reference
from bursar.plan.roadmap_model import Phase, PhasePlan, PhaseStatus, Roadmap, UnreadableRoadmap, normal_number
from bursar.plan.summary import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.verify_commands import VerifyText, classify_verify

__all__ = [
    "Checkpoint",
    "CheckpointOption",
    "ContextMode",
    "Execution",
    "Metrics",
    "Phase",
    "PhasePlan",
    "PhaseStatus",
    "Plan",
    "PlanForm",
    "PlanIdentity",
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
    "identify_plan",
    "normal_number",
    "parse_plan",
    "read_plan",
    "referenced_phase",
    "render_summary",
    "resolve_plan_reference",
    "summary_path",
]
