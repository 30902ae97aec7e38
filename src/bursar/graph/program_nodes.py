"""The tasks of several plans as nodes of one graph. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bursar.graph.build import build_graph
from bursar.graph.model import Graph, Node
from bursar.graph.plans import plan_nodes
from bursar.plan import Part, Program


def program_nodes(program: Program) -> list[Node]:
    """One node for each task of the whole.

    A plan may say that it writes a file (`files_modified`) and none of its tasks does. Where another plan may write
    that file too, the tasks that name no files count as its writers, or all of them: two plans never write one file at
    once.
    """
    nodes = {node.key: node for node in plan_nodes(program.whole)}
    rest = {part.plan.id: _unclaimed(program, part, nodes) for part in program.parts}
    contested = _contested(program, nodes, rest)
    for part in program.parts:
        files = tuple(file for file in rest[part.plan.id] if (part.plan.id, file) in contested)
        keys = [key for key in program.numbers_of(part) if not _is_checkpoint(program, key)] if files else []
        for key in [key for key in keys if not nodes[key].files] or keys:
            nodes[key] = replace(nodes[key], files=(*nodes[key].files, *files))
    return list(nodes.values())


def _is_checkpoint(program: Program, key: str) -> bool:
    return program.own_task(key).is_checkpoint


def _unclaimed(program: Program, part: Part, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """What the plan is due to write and none of its tasks names."""
    claimed = {file for key in program.numbers_of(part) for file in nodes[key].files}
    files = dict.fromkeys(file.replace("\\", "/") for file in part.plan.files_modified)
    return tuple(file for file in files if file not in claimed)


def _contested(
    program: Program, nodes: Mapping[str, Node], rest: Mapping[str, tuple[str, ...]]
) -> set[tuple[str, str]]:
    """Those of the unclaimed files that another plan may write too, each with its plan.

    The graph's own reading of what a path means decides: each of these files is a node of its own, beside all that the
    tasks of its plan name.
    """
    if not any(rest.values()):
        return set()
    claims: list[tuple[str, str]] = []
    writers: list[Node] = []
    for part in program.parts:
        own = {file for key in program.numbers_of(part) for file in nodes[key].files}
        for file, files in (("", tuple(sorted(own))), *((file, (file,)) for file in rest[part.plan.id])):
            writers.append(Node(str(len(claims)), files=files))
            claims.append((part.plan.id, file))
    graph = build_graph(writers)
    assert isinstance(graph, Graph)  # nothing depends on anything
    pairs = [(claims[int(conflict.first)], claims[int(conflict.second)]) for conflict in graph.conflicts]
    return {claim for pair in pairs if pair[0][0] != pair[1][0] for claim in pair if claim[1]}
