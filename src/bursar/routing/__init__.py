"""Which model a task is given. For now the documented rules; a learned policy comes with history."""

from bursar.routing.annotation import choose_annotations, choose_complexity, choose_subagent, effective_model
from bursar.routing.route import Route, Tier, choose_route

__all__ = [
    "Route",
    "Tier",
    "choose_annotations",
    "choose_complexity",
    "choose_route",
    "choose_subagent",
    "effective_model",
]
