"""Seconds of CPU that linking takes, by the shape of the graph, and whether it grows with the graph alone.

    python benchmarks/graph.py [--count 10000] [--repeat 3]

`ratio` is the time of all nodes over ten times the time of a tenth of them: 1.0 is linear. Aim: 10,000 nodes in 1 s.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

from bursar.graph import Graph, Node, build_graph

Shape = Callable[[int], Sequence[Node]]


def usual(count: int) -> list[Node]:
    """A few dependencies each, three files, some of them shared."""
    return [
        Node(
            str(n),
            tuple(dict.fromkeys(str(n - step) for step in (1, 7, 50) if n % 10 and n >= step)),
            (f"src/m{n % 300}/a.py", f"src/m{n}/b.py", f"tests/test_{n // 2}.py"),
        )
        for n in range(count)
    ]


def chain(count: int) -> list[Node]:
    """Each waits for the one before, and all write one file."""
    return [Node(str(n), (str(n - 1),) if n else (), ("a.py",)) for n in range(count)]


def one_file(count: int) -> list[Node]:
    """All write one file, and nothing else orders them."""
    return [Node(str(n), (), ("a.py",)) for n in range(count)]


def layers(count: int) -> list[Node]:
    """Layers of a hundred, each node waiting for all of the layer before: 100 dependencies a node."""
    return [
        Node(str(n), tuple(map(str, range((n // 100 - 1) * 100, n // 100 * 100))) if n >= 100 else (), (f"f{n % 700}",))
        for n in range(count)
    ]


def ladder(count: int) -> list[Node]:
    """Two long chains that write the same files: every pair has to be looked for through thousands of others."""
    return [Node(str(n), (str(n - 2),) if n > 1 else (), (f"f{n // 2 % 900}", f"g{n % 901}")) for n in range(count)]


def folder_writers(count: int) -> list[Node]:
    """Every tenth writes a whole folder in which the others write files."""
    return [
        Node(str(n), (), ("src/api/",) if n % 10 == 0 else (f"src/api/{n}.py", f"src/{n}.py", f"docs/{n}/x.md"))
        for n in range(count)
    ]


def deep_folders(count: int) -> list[Node]:
    """Folders within folders, sixty deep, each written as a whole by somebody."""
    return [
        Node(str(n), (), ("/".join("abcdefghij"[(n // 60 + d) % 10] for d in range(n % 60 + 1)),)) for n in range(count)
    ]


def patterns_here(count: int) -> list[Node]:
    """Each has a pattern in a folder of its own."""
    return [Node(str(n), (), (f"src/m{n}/*.py", f"src/m{n + 1}/x.py", f"src/m{n}/**/t.py")) for n in range(count)]


def patterns_in_one_folder(count: int) -> list[Node]:
    """As many patterns in one folder as there are nodes, and as many files."""
    return [Node(str(n), (), (f"src/*_{n}.py", f"src/a_{n}.py")) for n in range(count)]


def one_pattern(count: int) -> list[Node]:
    """Every other node writes all Python files, wherever they are."""
    return [Node(str(n), (), ("**/*.py",) if n % 2 else (f"src/{n}.py",)) for n in range(count)]


def patterns_everywhere(count: int) -> list[Node]:
    """Patterns that begin at the top, each different, over files everywhere."""
    return [Node(str(n), (), (f"**/*{n}*.py", f"src/m{n % 50}/f{n}.py")) for n in range(count)]


SHAPES: Sequence[Shape] = (
    usual,
    chain,
    one_file,
    layers,
    ladder,
    folder_writers,
    deep_folders,
    patterns_here,
    patterns_in_one_folder,
    one_pattern,
    patterns_everywhere,
)


def main() -> None:
    """Prints a line for each shape."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()
    print(f"{'shape':<24}{'nodes':>8}{'edges':>10}{'conflicts':>11}{'s CPU':>8}{'ratio':>7}")
    for shape in SHAPES:
        print(measured(shape, chosen.count, chosen.repeat), flush=True)


def measured(shape: Shape, count: int, repeat: int) -> str:
    """The line of one shape."""
    tenth, _ = timed(shape(count // 10), repeat * 3)
    seconds, graph = timed(shape(count), repeat)
    edges = sum(map(len, graph.waits_for.values()))
    ratio = seconds / (10 * tenth) if tenth else float("nan")
    name = shape.__name__.replace("_", " ")
    return f"{name:<24}{count:>8}{edges:>10}{len(graph.conflicts):>11}{seconds:>8.2f}{ratio:>7.2f}"


def timed(nodes: Sequence[Node], repeat: int) -> tuple[float, Graph]:
    """The median CPU time of linking, with waves and critical path, and the graph."""
    times = []
    graph = linked(nodes)
    for _ in range(repeat):
        start = time.process_time()
        graph = linked(nodes)
        graph.waves(), graph.critical_path()
        times.append(time.process_time() - start)
    return statistics.median(times), graph


def linked(nodes: Sequence[Node]) -> Graph:
    """The graph of nodes that are known to have one."""
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    return graph


if __name__ == "__main__":
    main()
