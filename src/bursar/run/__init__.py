"""The conductor: from a plan to merged work, within a budget. It alone joins the rooms below.

The conductor decides what starts and brings work home. It enforces no hold and meters nothing: the supervisors do, one
per attempt, which go on when it is gone. Where attempts are carried out is a port, `Executor`.
"""

from bursar.run.alerts import alerts_of_run
from bursar.run.checkpoints import (
    CHECKPOINT_TYPES,
    choose_answer,
    command_for,
    give_answer,
    kind_of,
    question_lines,
)
from bursar.run.conductor import Conductor
from bursar.run.context import RunContext, RunSettings, Stores, command_of, is_command, user_name
from bursar.run.executor import AttemptExecutor, Executor, Standing, Status
from bursar.run.gsd_jobs import check_no_other_job, forget_jobs
from bursar.run.kept import is_kept
from bursar.run.live_forecast import LiveForecast
from bursar.run.logged import LoggedWork, charge_logs, including_logs
from bursar.run.origins import Origin
from bursar.run.place import Place
from bursar.run.prepare import (
    PlanToRun,
    Tools,
    check_plan_file,
    check_prices,
    open_jobs,
    open_plan,
    open_program,
)
from bursar.run.programs import Selection, reselect, select_phases, select_plans
from bursar.run.purse import Purse
from bursar.run.requests import ask_of_us, ring
from bursar.run.run_budgets import RunBudget, RunLimit
from bursar.run.run_lock import RunLock
from bursar.run.taking_up import settle_finished, take_up, unfinished_run

__all__ = [
    "CHECKPOINT_TYPES",
    "AttemptExecutor",
    "Conductor",
    "Executor",
    "LiveForecast",
    "LoggedWork",
    "Origin",
    "Place",
    "PlanToRun",
    "Purse",
    "RunBudget",
    "RunContext",
    "RunLimit",
    "RunLock",
    "RunSettings",
    "Selection",
    "Standing",
    "Status",
    "Stores",
    "Tools",
    "alerts_of_run",
    "ask_of_us",
    "charge_logs",
    "check_no_other_job",
    "check_plan_file",
    "check_prices",
    "choose_answer",
    "command_for",
    "command_of",
    "forget_jobs",
    "give_answer",
    "including_logs",
    "is_command",
    "is_kept",
    "kind_of",
    "open_jobs",
    "open_plan",
    "open_program",
    "question_lines",
    "reselect",
    "ring",
    "select_phases",
    "select_plans",
    "settle_finished",
    "take_up",
    "unfinished_run",
    "user_name",
]
