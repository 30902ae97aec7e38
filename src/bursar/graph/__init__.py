"""Links tasks, plans or phases: what waits for what, which two write one file, and how long the longest chain is."""

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.model import Conflict, Cycle, Graph, Node
from bursar.graph.plans import check_plan, plan_nodes, render_waves

__all__ = [
    "Conflict",
    "Cycle",
    "Graph",
    "Node",
    "build_graph",
    "check_plan",
    "find_cycles",
    "plan_nodes",
    "render_waves",
]
