"""Which answers a checkpoint takes, what is refused, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.errors import UserError
from bursar.graph import Graph, build_graph, plan_nodes
from bursar.journal import Answer, Journal, Option, Question, RunRow, RunState, TaskRow, TaskState, open_journal
from bursar.plan import Checkpoint, CheckpointOption, Plan, Task
from bursar.run import choose_answer, command_for, give_answer, question_lines
from bursar.run.checkpoints import build_question, decided_before, decision_in_words, decisions_in_words

AT = "2026-03-01T10:00:00.000+00:00"


def question(kind: str = "decision", *options: Option) -> Question:
    return Question(run_id="r", task="2", digest="d", kind=kind, title="Where", text="Where to?", options=options)


FILE, SERVER = Option(id="file", name="A file", pros="simple"), Option(id="server", name="A server", cons="work")
DECISION = question("decision", FILE, SERVER)


@pytest.mark.parametrize(
    ("asked", "said", "kept"),
    [
        (DECISION, "file", "file"),
        (DECISION, " FILE ", "file"),
        (DECISION, "a  server", "server"),
        (DECISION, "2", "server"),
        (question("decision", Option(id="2", name="first"), Option(id="1", name="second")), "2", "2"),
        (question("decision", Option(id="x"), Option(id="x", name="again")), "x", "x"),
        (question("decision"), " put it  there \n", "put it  there"),
        (question("human-action"), "it is in .env", "it is in .env"),
        (question("human-verify"), "Yes", "approved"),
        (question("verify"), "approved", "approved"),
    ],
)
def test_what_is_an_answer(asked: Question, said: str, kept: str) -> None:
    assert choose_answer(asked, said) == kept


@pytest.mark.parametrize(
    ("asked", "said", "words"),
    [
        (DECISION, "cloud", "'cloud' is none of the options of task 2"),
        (DECISION, "3", "'3' is none of the options"),
        (DECISION, "0", "'0' is none of the options"),
        (DECISION, "²", "is none of the options"),
        (DECISION, "", "the answer to task 2 is empty"),
        (question("decision"), "  ", "the answer to task 2 is empty"),
        (question("decision"), "x" * 4001, "the answer has 4,001 characters"),
        (question("human-verify"), "the colours are wrong", "does not say yes"),
    ],
)
def test_what_is_none(asked: Question, said: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        choose_answer(asked, said)
    assert words in refused.value.message


def test_the_options_are_named() -> None:
    with pytest.raises(UserError) as refused:
        choose_answer(DECISION, "cloud")
    assert refused.value.hint == "bursar answer r 2 OPTION\n  file: A file (+ simple)\n  server: A server (- work)"
    assert question_lines(DECISION) == ["Where to?", "[file] A file (+ simple)", "[server] A server (- work)"]
    assert command_for(question("decision")) == "bursar answer r 2 TEXT"
    assert command_for(question("human-verify")) == "bursar approve r 2"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    run = RunRow(
        id="r", project="/p", plan_path="/p/PLAN.md", plan_id="08-02", plan_digest="d", branch="main",
        base_commit="c0", limit=None, state=RunState.RUNNING, conductor="1/2/boot", started_at=AT,
    )  # fmt: skip
    opened.begin_run(run, [TaskRow(run_id="r", number="2", name="Where", digest="d")])
    yield opened
    opened.close()


def state_of(journal: Journal) -> tuple[TaskState, str]:
    (row,) = journal.tasks("r")
    return row.state, row.note


def test_an_answer_stands(journal: Journal) -> None:
    """The same again is fine, another is refused and changes nothing; to another text another may be given."""
    journal.controls.put_question(DECISION, "a person must act")
    assert state_of(journal) == (TaskState.WAITING, "a person must act")
    assert journal.controls.question("r", "2") == DECISION
    assert give_answer(journal, DECISION, "file", "ada", AT).text == "file"
    assert state_of(journal) == (TaskState.MERGED, "answered by ada: file")
    assert give_answer(journal, DECISION, "A file", "bob", AT).by_user == "ada"
    with pytest.raises(UserError, match="task 2 was answered 'file' by ada at 2026-03-01T10:00:00Z"):
        give_answer(journal, DECISION, "server", "bob", AT)
    with pytest.raises(UserError, match="is to be decided, not approved"):
        give_answer(journal, DECISION, None, "bob", AT)
    assert [each.text for each in journal.controls.answers("r")] == ["file"]
    changed = Question(run_id="r", task="2", digest="other", kind="human-verify", title="x", text="")
    journal.controls.put_question(changed, "again")
    assert give_answer(journal, changed, None, "bob", AT).text == "approved"
    assert state_of(journal) == (TaskState.MERGED, "approved by bob")


def made(number: str, *after: str, kind: str = "auto", checkpoint: Checkpoint | None = None) -> Task:
    return Task(
        number=number, name=f"T{number}", type=kind, depends_on=after, checkpoint=checkpoint, digest=f"d{number}"
    )


def test_who_depends_on_a_decision_is_told_however_far_away() -> None:
    told = Checkpoint(kind="decision", decision="Where\nto?", options=(CheckpointOption(id="file", name="A file"),))
    tasks = (
        made("1", kind="checkpoint:decision", checkpoint=told),
        made("2", "1"),
        made("3", "2", "5"),
        made("4"),
        made("5", kind="checkpoint:human-verify", checkpoint=Checkpoint(kind="human-verify")),
    )
    plan = Plan(path=Path("p"), id="01-01", phase="01-a", number="01", tasks=tasks)
    graph = build_graph(plan_nodes(plan))
    assert isinstance(graph, Graph)

    def answer(task: str, text: str, digest: str = "") -> Answer:
        return Answer(run_id="r", task=task, digest=digest or f"d{task}", text=text, by_user="ada", at=AT)

    answers = [answer("1", "file"), answer("5", "approved"), answer("1", "server", "of an older text")]
    words = {task.number: decisions_in_words(decided_before(plan, graph, task, answers)) for task in tasks}
    assert words == {"1": "", "2": "- Where to?: file (A file)", "3": "- Where to?: file (A file)", "4": "", "5": ""}
    assert decision_in_words(tasks[0], "file") == "Where to? file (A file)"
    assert build_question("r", tasks[0]).options == (Option(id="file", name="A file"),)
