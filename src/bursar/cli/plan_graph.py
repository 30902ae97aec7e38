"""`bursar plan graph PATH...`: the order of a plan's tasks, a phase's plans or a roadmap's phases; nothing is run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import parser
from bursar.cli.problems import problems_as_data, tell_problems
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import (
    Graph,
    PlanIndex,
    build_graph,
    build_plan_index,
    check_plan,
    check_roadmap,
    phase_nodes,
    plan_nodes,
    render_dot,
    render_mermaid,
    render_waves,
)
from bursar.plan import (
    PhaseStatus,
    PlanStatus,
    Position,
    Problem,
    UnreadablePlan,
    UnreadableRoadmap,
    list_plans,
    read_phase_plans,
    read_plan,
    read_roadmap,
)

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What one path shows: a graph of tasks, plans or phases, or None where there is none, and all problems."""

    kind: str
    graph: Graph | None
    problems: tuple[Problem, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    done: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Draws graphs; exit code 3 if there is none for one of the paths."""
    options = parser("plan", "the order of a plan's tasks, a phase's plans or a roadmap's phases; nothing is run")
    options.add_argument("action", choices=("graph",))
    options.add_argument("paths", nargs="+", metavar="PATH", help="a PLAN.md, the folder of a phase, or a ROADMAP.md")
    options.add_argument("--format", choices=("text", "mermaid", "dot"), default="text", help="default text")
    options.add_argument("--json", action="store_true", help="one JSON object a line, in the order of the paths")
    chosen = options.parse_args(arguments)
    code = OK
    for path in map(Path, chosen.paths):
        drawing = read_drawing(path)
        tell_problems(drawing.problems)
        if drawing.graph is None or any(problem.is_error for problem in drawing.problems):
            code = INVALID_PLAN
        if chosen.json:
            write_json_line(_as_data(path, drawing))
        elif drawing.graph is not None:
            sys.stdout.write(_render(path, drawing, drawing.graph, chosen.format) + "\n")
    return code


def read_drawing(path: Path) -> Drawing:
    """The graph of what is at `path`: of a folder its plans, else its roadmap; of a roadmap its phases; else tasks."""
    if path.is_dir():
        roadmap = path / "ROADMAP.md"
        return _phases(roadmap) if roadmap.is_file() and not _has_plans(path) else _plans(path)
    return _phases(path) if "ROADMAP" in path.name.upper() else _tasks(path)


def _has_plans(folder: Path) -> bool:
    try:
        return bool(list_plans(folder))
    except OSError:
        return False


def _tasks(path: Path) -> Drawing:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        return Drawing(kind="tasks", graph=None, problems=plan.problems)
    graph = build_graph(plan_nodes(plan))
    return Drawing(
        kind="tasks",
        graph=graph if isinstance(graph, Graph) else None,
        problems=(*plan.warnings, *check_plan(plan)),
        names={task.number: task.title for task in plan.tasks},
    )


def _plans(path: Path) -> Drawing:
    folder = read_phase_plans(path)
    if isinstance(folder, Problem):
        return Drawing(kind="plans", graph=None, problems=(folder,))
    if not folder.plans:
        problem = Problem(path, Position(1), "holds no plan", hint="name a PLAN.md, or a folder that holds some")
        return Drawing(kind="plans", graph=None, problems=(problem,))
    index = build_plan_index(folder)
    if not isinstance(index, PlanIndex):
        return Drawing(kind="plans", graph=None, problems=index)
    return Drawing(
        kind="plans",
        graph=index.graph,
        problems=index.warnings,
        names={plan.key: plan.content.objective if plan.content else "" for plan in index.plans},
        done=tuple(plan.key for plan in index.plans if plan.on_disk.status is PlanStatus.COMPLETED),
    )


def _phases(path: Path) -> Drawing:
    roadmap = read_roadmap(path)
    if isinstance(roadmap, UnreadableRoadmap):
        return Drawing(kind="phases", graph=None, problems=roadmap.problems)
    graph = build_graph(phase_nodes(roadmap))
    return Drawing(
        kind="phases",
        graph=graph if isinstance(graph, Graph) else None,
        problems=(*roadmap.warnings, *check_roadmap(roadmap)),
        names={phase.number: phase.name for phase in roadmap.phases},
        done=tuple(phase.number for phase in roadmap.phases if phase.status is PhaseStatus.COMPLETE),
    )


def _render(path: Path, drawing: Drawing, graph: Graph, form: str) -> str:
    if form == "mermaid":
        return f"%% {_one_line(path).replace('%', '')}\n{render_mermaid(graph, drawing.names, drawing.done)}"
    if form == "dot":
        return render_dot(graph, drawing.names, drawing.done, title=str(path))
    names = {key: _one_line(name) for key, name in drawing.names.items()}
    count, waves = len(graph.nodes), len(graph.waves())
    what = drawing.kind if count != 1 else drawing.kind.removesuffix("s")
    head = f"{path}: {count} {what}, {waves} wave{'' if waves == 1 else 's'}"
    longest = ", ".join(graph.critical_path())
    return f"{head}\n{render_waves(graph, names)}" + (f"\nlongest chain: {longest}" if longest else "")


def _one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def _as_data(path: Path, drawing: Drawing) -> dict[str, Any]:
    graph = drawing.graph
    data: dict[str, Any] = {"path": str(path), "kind": drawing.kind, "nodes": [], "waves": [], "conflicts": []}
    data["critical_path"] = []
    if graph is not None:
        data["nodes"] = [
            {
                "key": node.key,
                "name": drawing.names.get(node.key, ""),
                "depends_on": list(dict.fromkeys(node.depends_on)),
                "waits_for": list(graph.dependencies(node.key)),
                "wave": graph.wave[node.key],
                "files": list(node.files),
                "done": node.key in drawing.done,
            }
            for node in graph.nodes
        ]
        data["waves"] = [list(keys) for keys in graph.waves()]
        data["conflicts"] = [
            {"first": each.first, "second": each.second, "file": each.file, "other": each.other}
            for each in graph.conflicts
        ]
        data["critical_path"] = list(graph.critical_path())
    return data | {"problems": problems_as_data(drawing.problems)}
