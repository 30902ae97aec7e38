"""Whatever nodes are called, a drawing says it, and nothing but it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bursar.graph import Graph, Node, build_graph, render_dot, render_mermaid

HOSTILE = st.sampled_from(
    [
        '"',
        "\\",
        "]",
        "`",
        "%%{init:",
        "}%%",
        "#",
        "#35;",
        "&amp;",
        "<b>",
        "-->",
        "end",
        "\n",
        "\r\n",
        "\\N",
        "|",
        ";",
        "n1",
    ]
)
NAMES = st.lists(st.one_of(HOSTILE, st.text(max_size=5)), max_size=6).map("".join)
MERMAID_NODE = re.compile(r'    n1\["([^"`%\\<>&\[\]{}|;]*|(?:[^"`%\\<>&\[\]{}|;]|#\d+;)*)"\]')
DOT_NODE = re.compile(r'  n1 \[label="((?:[^"\\]|\\["\\])*)"\]')


def graph_of(key: str) -> Graph:
    graph = build_graph([Node(key)])
    assert isinstance(graph, Graph)
    return graph


def shown(key: str, name: str) -> str:
    """The key and the name on one line of at most 80 characters."""
    text = re.sub(r"\s+", " ", f"{key}: {name}" if name and name != key else key).strip()
    return text if len(text) <= 80 else text[:79] + "…"


def lines_of(text: str) -> list[str]:
    """Split at line feeds alone: the other signs that Python takes for line ends are none to a drawing program."""
    return text.split("\n")


@given(NAMES, NAMES)
def test_mermaid_says_the_name_and_nothing_else(key: str, name: str) -> None:
    lines = lines_of(render_mermaid(graph_of(key), {key: name}))
    assert [line for number, line in enumerate(lines) if number != 2] == [
        "flowchart TD",
        '  subgraph wave1["wave 1"]',
        "  end",
    ]
    node = MERMAID_NODE.fullmatch(lines[2])
    assert node is not None
    assert re.sub(r"#(\d+);", lambda match: chr(int(match[1])), node[1]) == shown(key, name)


@given(NAMES, NAMES)
def test_dot_says_the_name_and_nothing_else(key: str, name: str) -> None:
    lines = lines_of(render_dot(graph_of(key), {key: name}, title=name))
    assert re.fullmatch(r'digraph "((?:[^"\\]|\\["\\])*)" \{', lines[0])
    assert lines[4:] == ["  { rank=same; n1 }", "}"]
    node = DOT_NODE.fullmatch(lines[3])
    assert node is not None
    assert re.sub(r"\\(.)", r"\1", node[1]).replace("&amp;", "&") == shown(key, name)
