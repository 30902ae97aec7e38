"""Reads plan files, checks and annotates them, and writes their summaries. It runs nothing."""

from bursar.plan.annotate import annotate, find_stated_order
from bursar.plan.annotation import Annotated, TaskAnnotation
from bursar.plan.archive import ARCHIVE_NAME, PhaseArchive, UnfinishedPhase, build_archive, shrink_context
from bursar.plan.dependency_section import dependency_lines
from bursar.plan.edit_diff import render_diff
from bursar.plan.identity import identify_plan
from bursar.plan.inference import explain_dependencies, infer_dependencies
from bursar.plan.job_list import Instance, JobList, OutputFormat, UnreadableJobList, plan_of_jobs
from bursar.plan.job_list_read import parse_job_list, read_job_list
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
from bursar.plan.original import Edit, apply_edits, inverse_edits
from bursar.plan.parse import parse_plan
from bursar.plan.phase_folder import find_phase_folder, phase_number, read_phase_folder
from bursar.plan.phase_plans import (
    PhaseFolder,
    PlanOnDisk,
    PlanStatus,
    find_phase_folders,
    is_halted,
    list_plans,
    read_phase_plans,
    read_plan_on_disk,
)
from bursar.plan.program import Part, Program, build_program, task_key
from bursar.plan.read import read_plan
from bursar.plan.references import referenced_phase, resolve_plan_reference
from bursar.plan.rewrite import read_again, rewrite_file, write_file
from bursar.plan.roadmap import parse_roadmap, read_roadmap
from bursar.plan.roadmap_model import Phase, PhasePlan, PhaseStatus, Roadmap, UnreadableRoadmap, normal_number
from bursar.plan.summary import Execution, Summary, SummaryTask, build_summary, render_summary, summary_path
from bursar.plan.verify_commands import VerifyText, classify_verify

__all__ = [
    "ARCHIVE_NAME",
    "Annotated",
    "Checkpoint",
    "CheckpointOption",
    "ContextMode",
    "Edit",
    "Execution",
    "Instance",
    "JobList",
    "Metrics",
    "OutputFormat",
    "Part",
    "Phase",
    "PhaseArchive",
    "PhaseFolder",
    "PhasePlan",
    "PhaseStatus",
    "Plan",
    "PlanForm",
    "PlanIdentity",
    "PlanOnDisk",
    "PlanStatus",
    "Position",
    "Problem",
    "Program",
    "Roadmap",
    "Summary",
    "SummaryTask",
    "Task",
    "TaskAnnotation",
    "TokenRange",
    "UnfinishedPhase",
    "UnreadableJobList",
    "UnreadablePlan",
    "UnreadableRoadmap",
    "VerifyText",
    "annotate",
    "apply_edits",
    "build_archive",
    "build_program",
    "build_summary",
    "classify_verify",
    "dependency_lines",
    "explain_dependencies",
    "find_phase_folder",
    "find_phase_folders",
    "find_stated_order",
    "identify_plan",
    "infer_dependencies",
    "inverse_edits",
    "is_halted",
    "list_plans",
    "normal_number",
    "parse_job_list",
    "parse_plan",
    "parse_roadmap",
    "phase_number",
    "plan_of_jobs",
    "read_again",
    "read_job_list",
    "read_phase_folder",
    "read_phase_plans",
    "read_plan",
    "read_plan_on_disk",
    "read_roadmap",
    "referenced_phase",
    "render_diff",
    "render_summary",
    "resolve_plan_reference",
    "rewrite_file",
    "shrink_context",
    "summary_path",
    "task_key",
    "write_file",
]
