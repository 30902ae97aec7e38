"""What a plan can be told of how its tasks would be run today: the annotations of `bursar plan annotate`.

Nothing that is decided changes by being written down: the model is the one that `choose_route` gives without it, the
complexity lies within that model's tier, the order is the one handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bursar.estimation import estimate, guess_range
from bursar.graph import Graph
from bursar.plan import ContextMode, Task, TaskAnnotation, TokenRange
from bursar.routing.route import Tier, choose_route

_MODEL = {Tier.SMALL: "haiku", Tier.MEDIUM: "sonnet", Tier.LARGE: "opus"}
_COMPLEXITIES = {Tier.SMALL: (1, 3), Tier.MEDIUM: (4, 8), Tier.LARGE: (9, 10)}
_MOST_POINTS = 5
_EXPLORES = re.compile(r"(?:explore|research|investigate|map|analy[sz]e|audit|survey|review|inspect|read)\b", re.I)
_PLANS = re.compile(r"(?:plan|design|architect|outline|decide)\b", re.IGNORECASE)


def choose_annotations(tasks: tuple[Task, ...], graph: Graph) -> dict[str, TaskAnnotation]:
    """What can be written at each task, by number. `graph` is that of `tasks`.

    A checkpoint has a place in the order and nothing else: no agent is started for it.
    """
    beside = _beside_others(graph)
    return {task.number: _annotation(task, beside[task.number]) for task in tasks}


def effective_model(task: Task) -> str | None:
    """The model that the task is given today, in the words of a plan; None for a checkpoint."""
    if task.is_checkpoint:
        return None
    route = choose_route(task).model_or_tier
    return _MODEL[Tier(route)] if route in tuple(Tier) else route


def choose_subagent(task: Task) -> str:
    """The kind of agent that suits a task: by the files that it writes, what it can run, and its name's first word.

    A task that writes files implements something, unless they are all planning documents.
    """
    if task.files:
        is_planning = all(file.startswith(".planning/") for file in task.files)
        return "plan" if is_planning else "general-purpose"
    if _EXPLORES.match(task.name):
        return "explore"
    if _PLANS.match(task.name):
        return "plan"
    return "bash" if task.commands else "general-purpose"


def choose_complexity(task: Task) -> int:
    """The author's, else one within the tier that the task is given today: higher for more files and a longer text."""
    if task.complexity is not None:
        return task.complexity
    route = choose_route(task).model_or_tier
    low, high = _COMPLEXITIES[Tier(route) if route in tuple(Tier) else Tier.MEDIUM]
    return low + round(_size_points(task) * (high - low) / _MOST_POINTS)


def _annotation(task: Task, is_parallel: bool) -> TaskAnnotation:
    if task.is_checkpoint:
        return TaskAnnotation(is_parallel=is_parallel, depends_on=task.depends_on)
    complexity = choose_complexity(task)
    return TaskAnnotation(
        subagent=choose_subagent(task),
        model=effective_model(task),
        is_parallel=is_parallel,
        complexity=complexity,
        depends_on=task.depends_on,
        context_mode=ContextMode.FRESH,
        estimated_tokens=_estimated_tokens(task, complexity),
    )


def _estimated_tokens(task: Task, complexity: int) -> TokenRange:
    known = estimate(task)
    if known is not None:
        return TokenRange(known.tokens_p10, known.tokens_p90)
    return guess_range(complexity, task.metrics.token_budget)


def _size_points(task: Task) -> int:
    """0 to 5: by the number of files, then by the length of what is to be done."""
    files = sum(len(task.files) >= bound for bound in (2, 4, 7))
    return files + sum(len(task.action) >= bound for bound in (1_500, 5_000))


def _beside_others(graph: Graph) -> Mapping[str, bool]:
    """Whether a node may run while another does: neither waits for the other, by whatever way."""
    bit = {key: 1 << index for index, key in enumerate(graph.order)}
    related = dict.fromkeys(graph.order, 0)
    for key in graph.order:
        for name in graph.dependencies(key):
            related[key] |= related[name] | bit[name]
    count = {key: mask.bit_count() for key, mask in related.items()}
    after = dict.fromkeys(graph.order, 0)
    for key in reversed(graph.order):
        for name in graph.dependents(key):
            after[key] |= after[name] | bit[name]
    return {key: count[key] + after[key].bit_count() + 1 < len(count) for key in graph.order}
