"""Where a person must act: what is asked, which answers it takes, and what those who come after are told.

Source: docs/decisions/0044-checkpoints.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bursar.errors import UserError
from bursar.events import TaskWaited
from bursar.graph import Graph
from bursar.journal import Answer, Journal, Option, Question, TaskRow, TaskState
from bursar.plan import Plan, Task
from bursar.run.context import RunContext

DECISION = "decision"
APPROVED = "approved"
CHECKPOINT_TYPES = ("decision", "human-action", "human-verify", "verify")  # a plan may have others
_VERIFY = frozenset({"human-verify", "verify"})
_YES = frozenset({"approved", "approve", "yes", "y", "ok", "pass", "passed"})
_MOST_CHARACTERS = 4_000


def kind_of(task: Task) -> str:
    """`human-verify`, `decision`, `human-action`, …; empty for a bare `checkpoint`."""
    return task.type.partition(":")[2].strip()


def build_question(run_id: str, task: Task) -> Question:
    """What the task's checkpoint asks, from its plan."""
    told = task.checkpoint
    parts = (
        [task.action]
        if told is None
        else [
            told.decision,
            told.context,
            _labelled("Built", told.what_built),
            _labelled("To verify", told.how_to_verify),
            told.instructions,
            task.action,
        ]
    )
    return Question(
        run_id=run_id,
        task=task.number,
        digest=task.digest,
        kind=kind_of(task),
        title=task.title,
        text="\n".join(part.strip() for part in parts if part.strip())[:_MOST_CHARACTERS],
        options=tuple(
            Option(id=each.id, name=each.name, pros=each.pros, cons=each.cons)
            for each in (told.options if told else ())
        ),
    )


def command_for(question: Question) -> str:
    """What a person types to pass it."""
    verb = "answer" if question.kind == DECISION else "approve"
    ending = "" if verb == "approve" else f" {'OPTION' if question.options else 'TEXT'}"
    return f"bursar {verb} {question.run_id} {question.task}{ending}"


def question_lines(question: Question) -> list[str]:
    """What a person is shown: the text, then the options by their ids."""
    return [*question.text.splitlines(), *(f"[{each.id}]{_rest_of_option(each)}" for each in question.options)]


def choose_answer(question: Question, text: str) -> str:
    """The answer as it is kept: an option's id, `approved`, or the text itself.

    An option is named by its id, its name, or (where no id says otherwise) its position.

    Raises:
        UserError: it is no answer to this question; the options are named.
    """
    if not text.strip():
        raise UserError(f"the answer to task {question.task} is empty", hint=_listed(question))
    said = " ".join(text.split()) if question.options or question.kind in _VERIFY else text.strip()
    if question.options:
        return _option(question, said).id
    if question.kind in _VERIFY:
        if said.lower() not in _YES:
            raise UserError(
                f"task {question.task} asks whether something is as it should be, and {said!r} does not say yes",
                hint=f"once it is (until then it waits): {command_for(question)}",
            )
        return APPROVED
    if len(said) > _MOST_CHARACTERS:
        raise UserError(f"the answer has {len(said):,} characters, and {_MOST_CHARACTERS:,} are the most")
    return said


def give_answer(journal: Journal, question: Question, text: str | None, by_user: str, at: str) -> Answer:
    """The checkpoint is passed, with that answer (None: approved); to be told to the conductor, if there is one.

    The same answer again changes nothing.

    Raises:
        UserError: it is no answer to the question, or another one was given before; nothing has changed.
    """
    if text is None and (question.kind == DECISION or question.options):
        raise UserError(
            f"task {question.task} ({question.title}) is to be decided, not approved", hint=_listed(question)
        )
    chosen = APPROVED if text is None else choose_answer(question, text)
    wanted = Answer(
        run_id=question.run_id, task=question.task, digest=question.digest, text=chosen, by_user=by_user, at=at
    )
    given = journal.controls.give_answer(wanted, answer_in_words(chosen, by_user))
    if given.text != chosen:
        raise UserError(
            f"task {question.task} was answered {given.text!r} by {given.by_user} at {given.at[:19]}Z,"
            " and an answer is not taken back",
            hint=f"change the task in its plan to have it asked again: bursar resume {question.run_id}",
        )
    return given


def answer_in_words(answer: str, by_user: str) -> str:
    """For a task's note."""
    return f"approved by {by_user}" if answer == APPROVED else f"answered by {by_user}: {answer}"


def decided_before(plan: Plan, graph: Graph, task: Task, answers: Sequence[Answer]) -> Iterable[tuple[Task, str]]:
    """Checkpoints that the task depends on, directly or not, with what was answered; approvals are left out."""
    given = {(each.task, each.digest): each.text for each in answers}
    above = _ancestors(graph, task.number)
    for each in plan.tasks:
        text = given.get((each.number, each.digest), APPROVED)
        if each.number in above and each.is_checkpoint and text != APPROVED:
            yield each, text


def decision_in_words(task: Task, answer: str) -> str:
    """The question and what was said to it, on one line."""
    asked = _asked(task)
    return f"{asked}{' ' if asked.endswith('?') else ': '}{_chosen(task, answer)}"


def decisions_in_words(decided: Iterable[tuple[Task, str]]) -> str:
    """What an agent is told of them, in Markdown; empty for none."""
    return "\n".join(f"- {_asked(task)}: {_chosen(task, answer)}" for task, answer in decided)


class Checkpoints:
    """The checkpoints of one run that wait for a person."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._waiting: dict[str, Task] = {}

    def passes(self, task: Task) -> bool:
        """Whether the checkpoint needs no person: its type does not, or one has answered this very question before."""
        return kind_of(task) in self._context.settings.auto_approved or self._was_answered(task)

    def pass_alone(self, task: Task) -> None:
        """It is written down why nobody is asked. Of options the first is taken, as its author put it there."""
        journal, run_id = self._context.stores.journal, self._context.run.id
        question = build_question(run_id, task)
        if self._was_answered(task):
            journal.set_task(run_id, task.number, TaskState.MERGED, note="answered before")
        elif not question.options:
            journal.set_task(run_id, task.number, TaskState.MERGED, note="approved without a person")
        else:
            journal.controls.put_question(question, "")
            given = give_answer(journal, question, question.options[0].id, "--auto-approve", self._context.now())
            journal.set_task(run_id, task.number, TaskState.MERGED, note=f"answered without a person: {given.text}")

    def ask(self, task: Task) -> None:
        """The checkpoint waits, and it is told how a person can pass it."""
        journal, run_id = self._context.stores.journal, self._context.run.id
        question = build_question(run_id, task)
        self._waiting[task.number] = task
        because = f"a person must act: {command_for(question)}"
        journal.controls.put_question(question, because)
        self._context.emit(
            TaskWaited(
                task=task.number,
                name=task.title,
                because=because,
                question=tuple(question_lines(question)),
                once=f"{run_id} {task.number} {task.digest}",
            )
        )

    def take_answers(self) -> list[TaskRow]:
        """Those that a person has passed meanwhile; they wait no more."""
        if not self._waiting:
            return []
        rows = self._context.stores.journal.tasks(self._context.run.id)
        passed = [row for row in rows if row.number in self._waiting and row.state is TaskState.MERGED]
        for row in passed:
            del self._waiting[row.number]
        return passed

    def _was_answered(self, task: Task) -> bool:
        answers = self._context.stores.journal.controls.answers(self._context.run.id)
        return any((each.task, each.digest) == (task.number, task.digest) for each in answers)


def _ancestors(graph: Graph, key: str) -> set[str]:
    depends_on = {node.key: node.depends_on for node in graph.nodes}
    found: set[str] = set()
    queue = list(depends_on.get(key, ()))
    while queue:
        above = queue.pop()
        if above not in found:
            found.add(above)
            queue += depends_on.get(above, ())
    return found


def _option(question: Question, said: str) -> Option:
    wanted = said.casefold()
    by_name = {each.name.casefold(): each for each in reversed(question.options) if each.name}
    by_id = {each.id.casefold(): each for each in reversed(question.options)}
    if (found := by_id.get(wanted) or by_name.get(wanted)) is not None:
        return found
    if said.isascii() and said.isdigit() and 1 <= int(said) <= len(question.options):
        return question.options[int(said) - 1]
    raise UserError(f"{said!r} is none of the options of task {question.task}", hint=_listed(question))


def _listed(question: Question) -> str:
    options = "".join(f"\n  {_option_in_words(each)}" for each in question.options)
    return f"{command_for(question)}{options}"


def _option_in_words(option: Option) -> str:
    return f"{option.id}{':' if option.name else ''}{_rest_of_option(option)}"


def _rest_of_option(option: Option) -> str:
    name = f" {option.name}" if option.name else ""
    pros = f" (+ {option.pros})" if option.pros else ""
    cons = f" (- {option.cons})" if option.cons else ""
    return f"{name}{pros}{cons}"


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text.strip()}" if text.strip() else ""


def _asked(task: Task) -> str:
    told = task.checkpoint
    return " ".join((told.decision if told is not None and told.decision else task.title).split())


def _chosen(task: Task, answer: str) -> str:
    options = task.checkpoint.options if task.checkpoint is not None else ()
    found = next((each for each in options if each.id == answer), None)
    text = answer if found is None or not found.name else f"{answer} ({found.name})"
    return " ".join(text.split())


def answers_by_task(answers: Iterable[Answer], plan: Plan) -> Mapping[str, Answer]:
    """What was answered to each checkpoint as the plan has it now."""
    digests = {task.number: task.digest for task in plan.tasks}
    return {each.task: each for each in answers if digests.get(each.task) == each.digest}
