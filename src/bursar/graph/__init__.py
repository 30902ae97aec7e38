"""Links tasks, plans or phases: what waits for what, which two write one file, and how long the longest chain is."""

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.model import Conflict, Cycle, Graph, Node
from bursar.graph.phases import awaited_phases, check_roadmap, phase_nodes, startable_phases
from bursar.graph.plans import check_plan, plan_nodes, render_waves

__all__ = [
    "Conflict",
    "Cycle",
    "Graph",
    "Node",
    "awaited_phases",
    "build_graph",
    "check_plan",
    "check_roadmap",
    "find_cycles",
    "phase_nodes",
    "plan_nodes",
    "render_waves",
    "startable_phases",
]
