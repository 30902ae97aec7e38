"""Links tasks, plans or phases: what waits for what, which two write one file, and how long the longest chain is."""

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.conflicts import Touch, touched_places
from bursar.graph.model import Conflict, Cycle, Graph, Node
from bursar.graph.parallel import (
    Duration,
    Misplaced,
    ParallelGroup,
    Verdict,
    find_misplaced,
    judge_group,
    parallel_groups,
    parse_groups,
    phases_to_run,
    simulate_group,
)
from bursar.graph.phases import awaited_phases, check_roadmap, phase_nodes, startable_phases
from bursar.graph.plan_index import IndexedPlan, PlanIndex, build_plan_index
from bursar.graph.plans import check_plan, plan_nodes, render_waves
from bursar.graph.program_nodes import program_nodes
from bursar.graph.program_plans import ChosenPlans, LeftOut, PhaseToRun, choose_plans, unreadable_problems
from bursar.graph.render import render_dot, render_mermaid

__all__ = [
    "ChosenPlans",
    "Conflict",
    "Cycle",
    "Duration",
    "Graph",
    "IndexedPlan",
    "LeftOut",
    "Misplaced",
    "Node",
    "ParallelGroup",
    "PhaseToRun",
    "PlanIndex",
    "Touch",
    "Verdict",
    "awaited_phases",
    "build_graph",
    "build_plan_index",
    "check_plan",
    "check_roadmap",
    "choose_plans",
    "find_cycles",
    "find_misplaced",
    "judge_group",
    "parallel_groups",
    "parse_groups",
    "phase_nodes",
    "phases_to_run",
    "plan_nodes",
    "program_nodes",
    "render_dot",
    "render_mermaid",
    "render_waves",
    "simulate_group",
    "startable_phases",
    "touched_places",
    "unreadable_problems",
]
