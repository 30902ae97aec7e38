"""The conductor: from a plan to merged work, within a budget. It alone joins the rooms below.

Two kinds of process live here. The conductor decides what starts and brings work home; one supervisor per attempt
meters an agent and enforces its hold, and goes on doing so when the conductor is gone.
"""

from bursar.run.accounts import alerts_of_run
from bursar.run.advice import ENOUGH_ATTEMPTS, facts_of, learn_policy
from bursar.run.conductor import Conductor
from bursar.run.context import RunContext, RunSettings, Stores, command_of, is_command
from bursar.run.kept import is_kept
from bursar.run.logged import LoggedWork, charge_logs, including_logs
from bursar.run.prepare import PlanToRun, RunLock, Tools, check_plan_file, check_prices, open_jobs, open_plan
from bursar.run.taking_up import RunBudget, RunLimit, settle_finished, take_up, unfinished_run

__all__ = [
    "ENOUGH_ATTEMPTS",
    "Conductor",
    "LoggedWork",
    "PlanToRun",
    "RunBudget",
    "RunContext",
    "RunLimit",
    "RunLock",
    "RunSettings",
    "Stores",
    "Tools",
    "alerts_of_run",
    "charge_logs",
    "check_plan_file",
    "check_prices",
    "command_of",
    "facts_of",
    "including_logs",
    "is_command",
    "is_kept",
    "learn_policy",
    "open_jobs",
    "open_plan",
    "settle_finished",
    "take_up",
    "unfinished_run",
]
