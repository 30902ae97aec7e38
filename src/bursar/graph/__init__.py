"""Links tasks, plans or phases: what waits for what, which two write one file, and how long the longest chain is."""

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.model import Conflict, Cycle, Graph, Node
from bursar.graph.plan_index import IndexedPlan, PlanIndex, build_plan_index
from bursar.graph.plans import check_plan, plan_nodes, render_waves

__all__ = [
    "Conflict",
    "Cycle",
    "Graph",
    "IndexedPlan",
    "Node",
    "PlanIndex",
    "build_graph",
    "build_plan_index",
    "check_plan",
    "find_cycles",
    "plan_nodes",
    "render_waves",
]
