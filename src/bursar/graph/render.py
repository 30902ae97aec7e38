"""Graphs as Mermaid and DOT, for drawing. Nodes are numbered, so no name of anybody's can break the picture."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from bursar.graph.model import Graph

_BLANKS = re.compile(r"\s+")
_MERMAID_SPECIAL = re.compile(r"[^\w .,:!()/=+*-]", re.ASCII)
_LONGEST = 80


def render_mermaid(graph: Graph, names: Mapping[str, str] | None = None, done: Collection[str] = ()) -> str:
    """A flowchart: arrows lead to what waits, thick on the critical path, dotted where only a file is shared.

    Args:
        names: what nodes are called beside their keys.
        done: keys of nodes that are drawn as done.
    """
    ids, critical = _ids(graph), set(pairwise(graph.critical_path()))
    lines = ["flowchart TD"]
    for number, keys in enumerate(graph.waves(), start=1):
        lines.append(f'  subgraph wave{number}["wave {number}"]')
        lines += [f'    {ids[key]}["{_mermaid_text(_label(key, names))}"]' for key in keys]
        lines.append("  end")
    for first, second, file in _edges(graph):
        arrow = "-.->" if file is not None else "==>" if (first, second) in critical else "-->"
        text = f'|"{_mermaid_text(file)}"|' if file is not None else ""
        lines.append(f"  {ids[first]} {arrow}{text} {ids[second]}")
    if done:
        lines += ["  classDef done fill:#cfe8cf", f"  class {','.join(ids[key] for key in done)} done"]
    return "\n".join(lines)


def render_dot(
    graph: Graph, names: Mapping[str, str] | None = None, done: Collection[str] = (), title: str = ""
) -> str:
    """A digraph of Graphviz, drawn as `render_mermaid` draws it; `title` is its name."""
    ids, critical = _ids(graph), set(pairwise(graph.critical_path()))
    lines = [f"digraph {_dot_text(title)} {{", '  node [shape=box, fontname="sans-serif"]']
    lines.append('  edge [fontname="sans-serif", fontsize=10]')
    for keys in graph.waves():
        for key in keys:
            filled = ', style=filled, fillcolor="#cfe8cf"' if key in done else ""
            lines.append(f"  {ids[key]} [label={_dot_text(_label(key, names))}{filled}]")
        lines.append(f"  {{ rank=same; {'; '.join(ids[key] for key in keys)} }}")
    for first, second, file in _edges(graph):
        style = " [penwidth=2.5]" if (first, second) in critical else ""
        if file is not None:
            style = f" [style=dashed, constraint=false, label={_dot_text(file)}]"
        lines.append(f"  {ids[first]} -> {ids[second]}{style}")
    return "\n".join([*lines, "}"])


def _ids(graph: Graph) -> dict[str, str]:
    return {node.key: f"n{number}" for number, node in enumerate(graph.nodes, start=1)}


def _edges(graph: Graph) -> Iterator[tuple[str, str, str | None]]:
    """Each edge from what goes first to what waits, with the file where nothing but that is the reason."""
    for node in graph.nodes:
        yield from ((name, node.key, None) for name in dict.fromkeys(node.depends_on))
    for conflict in graph.conflicts:
        yield conflict.first, conflict.second, conflict.other or conflict.file


def _label(key: str, names: Mapping[str, str] | None) -> str:
    name = (names or {}).get(key, "")
    return f"{key}: {name}" if name and name != key else key


def _shortened(text: str) -> str:
    line = _BLANKS.sub(" ", text).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _mermaid_text(text: str) -> str:
    """The text between quotes: whatever could end them, or mean something to Mermaid or HTML, as its code point."""
    return _MERMAID_SPECIAL.sub(_code_point, _shortened(text))


def _code_point(match: re.Match[str]) -> str:
    return match[0] if ord(match[0]) > 0x7F else f"#{ord(match[0])};"


def _dot_text(text: str) -> str:
    """The text as a quoted string of DOT, in which an ampersand begins an entity and a backslash an escape."""
    escaped = _shortened(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
