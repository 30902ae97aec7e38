"""The scheduler against a plain reading of the rules, on graphs of any shape and in any order of events."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.graph import Graph, Node, build_graph
from bursar.run.scheduler import Scheduler, Standing

# What each entry may write, of all the files there are.
FILES = {
    "a": {"a"},
    "./a": {"a"},
    "b.py": {"b.py"},
    "c/../b.py": {"b.py"},
    "d/": {"d/x.py", "d/y.ts", "d/e/z.py"},
    "d/x.py": {"d/x.py"},
    "d/e": {"d/e/z.py"},
    "d/*.py": {"d/x.py"},
    "d/*.ts": {"d/y.ts"},
    "*.py": {"b.py"},
    "**/z.py": {"d/e/z.py"},
}
FINAL = {Standing.DONE, Standing.FAILED, Standing.SKIPPED}


def nodes_of_size(count: int) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.tuples(
        *(
            st.builds(
                Node,
                st.just(str(number)),
                st.lists(st.integers(0, number - 1).map(str), max_size=3).map(tuple) if number else st.just(()),
                st.lists(st.sampled_from(sorted(FILES)), max_size=2).map(tuple),
            )
            for number in range(count)
        )
    )


NODES = st.integers(0, 9).flatmap(nodes_of_size)


def graph_of(nodes: tuple[Node, ...]) -> Graph:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    return graph


@dataclass
class Model:
    """What every task is, by dependencies and files alone; it knows nothing of chains, edges or ready sets."""

    nodes: dict[str, Node]
    standing: dict[str, Standing] = field(default_factory=dict)

    def conflict(self, one: str, other: str) -> bool:
        files = [set().union(*(FILES[file] for file in self.nodes[key].files)) for key in (one, other)]
        return one != other and bool(files[0] & files[1])

    def running(self) -> list[str]:
        return [key for key, standing in self.standing.items() if standing is Standing.RUNNING]

    def check_offer(self, offered: list[str]) -> None:
        assert len(set(offered)) == len(offered)
        for key in offered:
            assert self.standing[key] is Standing.OPEN
            assert all(self.standing[name] is Standing.DONE for name in self.nodes[key].depends_on), f"{key} is early"
            assert not [other for other in (*self.running(), *offered) if self.conflict(key, other)], f"{key} conflicts"

    def fail(self, key: str) -> set[str]:
        """Marks the task failed; what is lost with it."""
        self.standing[key] = Standing.FAILED
        lost: set[str] = set()
        while True:
            more = {
                other
                for other, node in self.nodes.items()
                if self.standing[other] is Standing.OPEN and {key, *lost} & set(node.depends_on)
            }
            if not more:
                return lost
            lost |= more
            self.standing.update(dict.fromkeys(more, Standing.SKIPPED))

    def reopen(self, key: str) -> set[str]:
        """Marks the task open; what is lost with it, where what it depends on has been lost while it ran."""
        self.standing[key] = Standing.OPEN
        if not any(self.standing[name] in (Standing.FAILED, Standing.SKIPPED) for name in self.nodes[key].depends_on):
            return set()
        lost = {key, *self.fail(key)}
        self.standing[key] = Standing.SKIPPED
        return lost


def start_model(nodes: tuple[Node, ...]) -> Model:
    return Model({node.key: node for node in nodes}, {node.key: Standing.OPEN for node in nodes})


def step(scheduler: Scheduler, model: Model, data: st.DataObject) -> None:
    """One event out of those that can happen now, told to both."""
    offered, running = scheduler.ready(), model.running()
    model.check_offer(offered)
    moves = [("start", key) for key in offered]
    moves += [(move, key) for key in running for move in ("done", "fail", "reopen")]
    move, key = data.draw(st.sampled_from(moves), label="event")
    if move == "start":
        scheduler.started(key)
        model.standing[key] = Standing.RUNNING
    elif move == "done":
        scheduler.done(key)
        model.standing[key] = Standing.DONE
    elif move == "reopen":
        skipped = scheduler.reopened(key)
        assert {each.task for each in skipped} == model.reopen(key)
    else:
        skipped = scheduler.failed(key)
        assert {each.task for each in skipped} == model.fail(key)
        assert all(each.because in model.nodes[each.task].depends_on for each in skipped)


def run_to_the_end(scheduler: Scheduler, model: Model, data: st.DataObject) -> None:
    for _ in range(40):
        if not scheduler.ready() and not model.running():
            break
        step(scheduler, model, data)
    while scheduler.ready() or model.running():
        for key in model.running():
            scheduler.done(key)
            model.standing[key] = Standing.DONE
        for key in scheduler.ready()[:1]:
            model.check_offer(scheduler.ready())
            scheduler.started(key)
            model.standing[key] = Standing.RUNNING
    for key, standing in model.standing.items():
        assert scheduler.standing(key) is standing
        assert standing in FINAL, f"{key} was never offered"


@given(NODES, st.data())
@settings(max_examples=200, deadline=None)
def test_every_task_is_offered_in_its_time_and_none_is_forgotten(nodes: tuple[Node, ...], data: st.DataObject) -> None:
    run_to_the_end(Scheduler(graph_of(nodes)), start_model(nodes), data)


@given(NODES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_resume_with_any_tasks_done_keeps_conflicting_writers_apart(
    nodes: tuple[Node, ...], data: st.DataObject
) -> None:
    """Also where a task was done and one before it is to be done again, because its author has changed it."""
    done = data.draw(st.lists(st.sampled_from([node.key for node in nodes]), unique=True)) if nodes else []
    model = start_model(nodes)
    model.standing.update(dict.fromkeys(done, Standing.DONE))
    run_to_the_end(Scheduler(graph_of(nodes), done=done), model, data)


@given(NODES, st.dictionaries(st.integers(0, 9).map(str), st.integers(1, 100)))
@settings(max_examples=200, deadline=None)
def test_the_longest_chain_goes_first(nodes: tuple[Node, ...], lengths: dict[str, int]) -> None:
    graph = graph_of(nodes)

    def chain(key: str) -> int:
        return lengths.get(key, 1) + max((chain(after) for after in graph.dependents(key)), default=0)

    offered = Scheduler(graph, lengths=lengths).ready()
    position = [node.key for node in nodes]
    assert offered == sorted(offered, key=lambda key: (-chain(key), position.index(key)))


@given(NODES, st.data())
@settings(max_examples=150, deadline=None)
def test_an_adopted_task_keeps_other_writers_of_its_files_waiting(nodes: tuple[Node, ...], data: st.DataObject) -> None:
    """An earlier conductor started it: it runs, whether it would be on offer now or not."""
    scheduler, model = Scheduler(graph_of(nodes)), start_model(nodes)
    if nodes:
        adopted = data.draw(st.sampled_from([node.key for node in nodes]), label="adopted")
        scheduler.started(adopted)
        model.standing[adopted] = Standing.RUNNING
    run_to_the_end(scheduler, model, data)
