"""`bursar plan index PHASE`: the plans of a phase, their waves, and which may start; nothing is run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.phases import open_phase
from bursar.cli.problems import tell_problems
from bursar.errors import OK, InvalidPlan
from bursar.graph import IndexedPlan, PlanIndex, build_plan_index
from bursar.plan import PhaseFolder, PlanStatus, UnreadablePlan


def main(arguments: Sequence[str]) -> int:
    """Shows the index.

    Raises:
        UserError: there is no such phase.
        InvalidPlan: plans wait for each other.
    """
    options = parser("plan", "the plans of a phase: their waves, and which may start; nothing is run")
    options.add_argument("action", choices=("index",))
    options.add_argument(
        "phase", metavar="PHASE", help="its number, the name of its folder in .planning/phases, a path"
    )
    options.add_argument("--json", action="store_true", help="JSON on stdout")
    chosen = options.parse_args(arguments)
    folder = open_phase(chosen.phase)
    index = build_plan_index(folder)
    if not isinstance(index, PlanIndex):
        raise InvalidPlan("\n".join(map(str, index)), hint="take one of the plans out of another's `depends_on`")
    if chosen.json:
        write_json(index_as_data(folder, index))
    else:
        sys.stdout.write(_table(folder, index))
    tell_problems(index.warnings)
    return OK


def index_as_data(folder: PhaseFolder, index: PlanIndex) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "path": str(folder.path),
        "phase": folder.phase,
        "plans": [_plan_as_data(plan) for plan in index.plans],
        "waves": {str(number): list(keys) for number, keys in enumerate(index.graph.waves(), start=1)},
        "conflicts": [
            {"first": each.first, "second": each.second, "file": each.file, "other": each.other}
            for each in index.graph.conflicts
        ],
        "warnings": [str(problem) for problem in index.warnings],
    }


def _plan_as_data(plan: IndexedPlan) -> dict[str, Any]:
    content = plan.content
    tasks = content.tasks if content else ()
    return {
        "id": plan.key,
        "path": str(plan.on_disk.path),
        "objective": content.objective if content else "",
        "depends_on": list(plan.depends_on),
        "unknown_dependencies": list(plan.unknown),
        "waits_for": list(plan.waits_for),
        "wave": plan.wave,
        "status": str(plan.on_disk.status),
        "runnable": plan.is_runnable,
        "blocked_by": list(plan.blocked_by),
        "tasks": len(tasks),
        "has_checkpoints": any(task.is_checkpoint for task in tasks),
    }


def _table(folder: PhaseFolder, index: PlanIndex) -> str:
    if not index.plans:
        return f"phase {folder.phase}: no plans in {folder.path}\n"
    done = sum(plan.on_disk.status is PlanStatus.COMPLETED for plan in index.plans)
    waves = index.graph.waves()
    lines = [
        f"phase {folder.phase}: {_count(len(index.plans), 'plan')}, {_count(len(waves), 'wave')}, {done} completed"
    ]
    width = max(len(plan.key) for plan in index.plans)
    for number, keys in enumerate(waves, start=1):
        lines.append(f"wave {number}")
        lines += [_line(index.plan(key), width) for key in keys]
    lines += map(str, index.graph.conflicts)
    return "\n".join(lines) + "\n"


def _line(plan: IndexedPlan, width: int) -> str:
    objective = " ".join((plan.content.objective if plan.content else "").split())
    shown = objective if len(objective) <= 60 else objective[:59] + "…"
    return f"  {plan.key:<{width}}  {_standing(plan):<11}{shown}{_reason(plan)}".rstrip()


def _standing(plan: IndexedPlan) -> str:
    if plan.on_disk.status is not PlanStatus.PENDING:
        return str(plan.on_disk.status)
    if isinstance(plan.on_disk.plan, UnreadablePlan):
        return "unreadable"
    return "runnable" if plan.is_runnable else "blocked" if plan.blocked_by else "pending"


def _reason(plan: IndexedPlan) -> str:
    """Why a plan that is still to be done cannot start yet."""
    if _is_blocked(plan):
        return f"  ({', '.join(plan.blocked_by)} halted)"
    return f"  (after {', '.join(plan.awaits)})" if plan.awaits else ""


def _is_blocked(plan: IndexedPlan) -> bool:
    return plan.on_disk.status is PlanStatus.PENDING and bool(plan.blocked_by)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
