"""Graphs as Mermaid and DOT."""

from __future__ import annotations

from bursar.graph import Graph, Node, build_graph, render_dot, render_mermaid

NAMES = {"1": "Lay out", "2": 'Say "hi"\n& go', "3": ""}


def graph() -> Graph:
    built = build_graph([Node("1"), Node("2", ("1",), ("a.py",)), Node("3", files=("*.py",))])
    assert isinstance(built, Graph)
    return built


def test_mermaid() -> None:
    assert render_mermaid(graph(), NAMES, done=("1",)) == (
        "flowchart TD\n"
        '  subgraph wave1["wave 1"]\n'
        '    n1["1: Lay out"]\n'
        '    n3["3"]\n'
        "  end\n"
        '  subgraph wave2["wave 2"]\n'
        '    n2["2: Say #34;hi#34; #38; go"]\n'
        "  end\n"
        "  n1 ==> n2\n"
        '  n3 -.->|"a.py"| n2\n'
        "  classDef done fill:#cfe8cf\n"
        "  class n1 done"
    )


def test_dot() -> None:
    assert render_dot(graph(), NAMES, done=("1",), title='p"q') == (
        'digraph "p\\"q" {\n'
        '  node [shape=box, fontname="sans-serif"]\n'
        '  edge [fontname="sans-serif", fontsize=10]\n'
        '  n1 [label="1: Lay out", style=filled, fillcolor="#cfe8cf"]\n'
        '  n3 [label="3"]\n'
        "  { rank=same; n1; n3 }\n"
        '  n2 [label="2: Say \\"hi\\" &amp; go"]\n'
        "  { rank=same; n2 }\n"
        "  n1 -> n2 [penwidth=2.5]\n"
        '  n3 -> n2 [style=dashed, constraint=false, label="a.py"]\n'
        "}"
    )


def test_nothing_at_all() -> None:
    empty = build_graph([])
    assert isinstance(empty, Graph)
    assert render_mermaid(empty) == "flowchart TD"
    assert render_dot(empty).splitlines()[0] == 'digraph "" {'
