"""What was done and what it cost, as the SUMMARY file of a plan. Its presence means that the plan is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bursar.plan.front_matter import MAX_CHARACTERS
from bursar.plan.model import Plan

_MARKDOWN_SPECIAL = re.compile(r"([\\|`*_<>\[\]#])")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z-]*[A-Za-z]")
_YAML_CONSTANTS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_MAX_FILES = 500
_LIST_LIMITS = (_MAX_FILES, 100, 20)  # the first that leaves the front matter short enough for our own reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTask:
    """One task as it ended.

    Attributes:
        commit: the commit id it was merged as; None where it left none (a checkpoint).
        files: what it changed.
        model: the model that did it, None where no agent was started.
        tokens: metered over all its attempts, cache included; None where unknown.
        seconds: wall time over all its attempts.
        verdict: what verification said, in a few words.
    """

    number: str
    name: str
    commit: str | None = None
    files: tuple[str, ...] = ()
    model: str | None = None
    tokens: int | None = None
    seconds: float | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the plan was run.

    Attributes:
        parallel_batches: stretches of work without a gap in which two or more attempts ran at once.
        subagent_spawns: attempts that were started.
        total_subagent_tokens: metered in those attempts, cache included.
        main_context_tokens: used outside them; None where it cannot be known.
        parallelization_efficiency: the attempts' wall times added up over the time in which at least one ran; None
            where none ran.
        token_savings_vs_sequential: None where it cannot be known.
        unknown_outcome_tokens: charged for attempts whose outcome is unknown; not part of the total.
        cost_usd: decimal text, None where a price is unknown.
    """

    parallel_batches: int
    subagent_spawns: int
    total_subagent_tokens: int
    main_context_tokens: int | None = None
    parallelization_efficiency: float | None = None
    token_savings_vs_sequential: int | None = None
    unknown_outcome_tokens: int = 0
    cost_usd: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that a SUMMARY file says. `started` and `completed` carry a time zone.

    Attributes:
        files_created: new in the project; `files_modified` are the others that changed.
        requirements_completed: the requirements that the plan was written for.
        decisions: what people decided at its checkpoints, a sentence each.
    """

    id: str
    phase: str
    plan: str
    tasks: tuple[SummaryTask, ...]
    execution: Execution
    started: datetime
    completed: datetime
    objective: str = ""
    subsystem: str | None = None
    tags: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    affects: tuple[str, ...] = ()
    requirements_completed: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    files_created: tuple[str, ...] = ()
    files_modified: tuple[str, ...] = ()

    @property
    def duration_minutes(self) -> int:
        """From the start to the end, rounded up."""
        return max(0, -int(-(self.completed - self.started).total_seconds() // 60))


def summary_path(plan: Path) -> Path:
    """Where the summary of the plan at this path belongs: `08-02-PLAN.md` → `08-02-SUMMARY.md`, beside it."""
    stem = plan.stem
    if stem == "PLAN":
        return plan.with_name("SUMMARY.md")
    return plan.with_name(f"{stem.removesuffix('-PLAN')}-SUMMARY.md")


def build_summary(
    plan: Plan,
    *,
    tasks: tuple[SummaryTask, ...],
    execution: Execution,
    started: datetime,
    completed: datetime,
    files_created: tuple[str, ...] = (),
    files_modified: tuple[str, ...] = (),
    decisions: tuple[str, ...] = (),
) -> Summary:
    """The summary of a plan that is done; what it is about comes from the plan's own front matter."""
    values = plan.front_matter
    return Summary(
        id=plan.id,
        phase=plan.phase,
        plan=plan.number,
        tasks=tasks,
        execution=execution,
        started=started,
        completed=completed,
        objective=plan.objective,
        subsystem=next(iter(_texts(values, "subsystem") or _texts(values, "domain")), None),
        tags=_texts(values, "tags"),
        requires=_texts(values, "requires") or _texts(values, "depends_on"),
        provides=_texts(values, "provides"),
        affects=_texts(values, "affects"),
        requirements_completed=_texts(values, "requirements"),
        decisions=decisions,
        files_created=files_created,
        files_modified=files_modified,
    )


def render_summary(summary: Summary) -> str:
    """The SUMMARY file's text: YAML front matter that any YAML reader takes, then a page for people."""
    fronts = (_front_matter(summary, limit) for limit in _LIST_LIMITS)
    front = next((front for front in fronts if len(front) <= MAX_CHARACTERS), _front_matter(summary, 0))
    return f"---\n{front}---\n\n{_body(summary)}"


def _texts(values: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = values.get(key)
    entries = value if isinstance(value, list) else [value]
    return tuple(entry for entry in entries if isinstance(entry, str) and entry)


def _front_matter(summary: Summary, limit: int) -> str:
    """The block between the lines of dashes, with at most `limit` files of each kind and as many tasks."""
    tasks = summary.tasks[:limit]
    run = summary.execution
    lines = [
        f"phase: {_text(summary.phase)}",
        f"plan: {_text(summary.plan)}",
        f"subsystem: {_text(summary.subsystem)}",
        f"tags: {_list(summary.tags)}",
        f"requires: {_list(summary.requires)}",
        f"provides: {_list(summary.provides)}",
        f"affects: {_list(summary.affects)}",
        f"requirements-completed: {_list(summary.requirements_completed)}",
        *_decisions(summary.decisions[:limit]),
        "key-files:",
        f"  created: {_block(summary.files_created[:limit])}",
        f"  modified: {_block(summary.files_modified[:limit])}",
        f"duration: {summary.duration_minutes}min",
        f"started: {_text(_instant(summary.started))}",
        f"completed: {_text(_instant(summary.completed))}",
        "execution:",
        f"  parallel_batches: {run.parallel_batches}",
        f"  subagent_spawns: {run.subagent_spawns}",
        f"  total_subagent_tokens: {run.total_subagent_tokens}",
        f"  main_context_tokens: {_number(run.main_context_tokens)}",
        f"  parallelization_efficiency: {_number(run.parallelization_efficiency)}",
        f"  token_savings_vs_sequential: {_number(run.token_savings_vs_sequential)}",
        f"  unknown_outcome_tokens: {run.unknown_outcome_tokens}",
        f"  cost_usd: {_text(run.cost_usd)}",
        "tasks:" if tasks else "tasks: []",
        *(_task_line(task) for task in tasks),
    ]
    return "\n".join(lines) + "\n"


def _decisions(decisions: tuple[str, ...]) -> list[str]:
    return ["key-decisions:", *(f"  - {_text(each)}" for each in decisions)] if decisions else []


def _task_line(task: SummaryTask) -> str:
    return (
        f"  - {{number: {_text(task.number)}, name: {_text(task.name)}, commit: {_text(task.commit)}, "
        f"model: {_text(task.model)}, tokens: {_number(task.tokens)}}}"
    )


def _text(text: str | None) -> str:
    """A YAML scalar that reads back as this very text, or `null`."""
    if text is None:
        return "null"
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_CONSTANTS:
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0x20 <= code <= 0x7E or 0xA1 <= code <= 0x1FFF or 0x3041 <= code <= 0xD7FF or 0x1F300 <= code <= 0x1FAFF:
        return character
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"


def _block(texts: tuple[str, ...]) -> str:
    return "".join(f"\n    - {_text(text)}" for text in texts) if texts else "[]"


def _number(number: float | None) -> str:
    if number is None:
        return "null"
    return str(number) if isinstance(number, int) else f"{number:.2f}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(summary: Summary) -> str:
    objective = summary.objective.strip().split("\n\n")[0]
    parts = [f"# {_cell(summary.id)} summary", _prose(objective), _table(summary.tasks), _cost(summary.execution)]
    if summary.decisions:
        parts += ["## Decisions", "\n".join(f"- {_cell(each)}" for each in summary.decisions)]
    files = [f"- {_cell(path)} (new)" for path in summary.files_created]
    files += [f"- {_cell(path)}" for path in summary.files_modified]
    if files:
        listed, rest = files[:_MAX_FILES], len(files) - _MAX_FILES
        parts += ["## Files", "\n".join([*listed, f"- and {rest} more"] if rest > 0 else listed)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(tasks: tuple[SummaryTask, ...]) -> str:
    rows = [
        "| task | name | model | tokens | time | commit | verified |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    for task in tasks:
        tokens = "unknown" if task.tokens is None else f"{task.tokens:,}"
        seconds = "" if task.seconds is None else f"{task.seconds:.0f} s"
        cells = (task.number, task.name, task.model or "", tokens, seconds, (task.commit or "")[:10], task.verdict)
        rows.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(rows)


def _cost(run: Execution) -> str:
    cost = "unknown cost" if run.cost_usd is None else f"{run.cost_usd} USD"
    lines = [
        f"Metered {run.total_subagent_tokens:,} tokens (cache included) in {run.subagent_spawns} attempts: {cost}."
    ]
    if run.unknown_outcome_tokens:
        lines.append(f"Charged for unknown outcomes, apart from these: {run.unknown_outcome_tokens:,} tokens.")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text on one line that markdown shows as it is."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(printable.split()))


def _prose(text: str) -> str:
    """A paragraph of the author's as a quotation, so that nothing in it can pass for structure of the summary."""
    lines = ("".join(c if c.isprintable() else " " for c in line).rstrip() for line in text.splitlines())
    return "\n".join(f"> {line}" for line in lines)
