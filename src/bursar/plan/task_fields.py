"""One `<task>` element → one `Task`; what is wrong with it is noted, never raised."""

from __future__ import annotations

import hashlib
import re

from bursar.plan.checkpoints import parse_checkpoint
from bursar.plan.elements import KNOWN_CHILDREN, Child, Element
from bursar.plan.files import leaves_checkout, parse_files
from bursar.plan.metrics import METRIC_NAMES, parse_metrics
from bursar.plan.model import ContextMode, Task
from bursar.plan.source import Source, decode_entities, shortened
from bursar.plan.verify_commands import classify_verify

KNOWN_TYPES = frozenset({"auto", "tdd", "tracer", "code", "execute", "manual", "interactive"})
SUBAGENTS = ("general-purpose", "explore", "plan", "bash")
MAX_FILES_TEXT = 64 * 1024
CHECKPOINT_KINDS = frozenset({"", "human-verify", "decision", "human-action", "verify"})
_NAMES = ("name", "title", "n")
_ACTION_NAMES = ("action", "implementation", "details", "instructions", "description", "behavior")
_OWN_NAMES = frozenset({*_NAMES, *METRIC_NAMES, "files", "verify", "done", "id", "type", "depends-on"})
_BARE_TAG = re.compile(r"^[ \t]*(?:#+[ \t]*)?(?:\*\*)?</?[a-z_-]{1,30}>(?:\*\*)?[ \t]*$\n?", re.MULTILINE)
_UNCLOSED = re.compile(rf"^[ \t]*<(?:{'|'.join(sorted(KNOWN_CHILDREN))})>", re.MULTILINE)


def task_title(source: Source, element: Element) -> str:
    """What the task is called, label and all, on one line: `<name>`, `<title>`, `<n>`, `name=`, `title=`; or empty."""
    for name in _NAMES:
        for child in _children(element, name):
            title = " ".join(decode_entities(source.text[child.start : child.end]).split())
            if title:
                return title
    for name in ("name", "title"):
        if name in element.attributes and element.attributes[name].value.strip():
            return " ".join(element.attributes[name].value.split())
    return ""


def parse_task(source: Source, element: Element, number: str, name: str) -> Task:
    """The task with everything but its dependencies."""
    verify = _text(source, element, "verify") or _text(source, element, "verification")
    kind = _type(source, element)
    texts = _texts(source, element)
    checkpoint = parse_checkpoint(kind, _value(element, "gate"), texts) if kind.startswith("checkpoint") else None
    task = Task(
        number=number,
        name=name,
        type=kind,
        subagent=_subagent(source, element),
        model=_value(element, "model") or None,
        complexity=_complexity(source, element),
        is_parallel=_is_parallel(source, element),
        context_mode=_context_mode(source, element),
        files=_files(source, element),
        action=_take_action(source, element, texts),
        verify=verify,
        commands=classify_verify(verify).commands,
        done=_text(source, element, "done"),
        metrics=parse_metrics(source, [(c.name, c.start, c.end) for c in element.children if c.name in METRIC_NAMES]),
        is_tdd=kind == "tdd" or _value(element, "tdd").lower() == "true",
        checkpoint=checkpoint,
        details=texts,
        position=source.position(element.offset),
        digest=hashlib.sha256(source.text[element.offset : element.after].encode("utf-8", "surrogatepass")).hexdigest(),
    )
    _check_task(source, element, task)
    return task


def dedented(text: str) -> str:
    """`text` without blank ends and, where it begins on a line of its own, without the indentation all lines share.

    Nothing else changes, not even blanks at the end of a line.
    """
    body = text.rstrip()
    first = re.match(r"(?:[^\S\n]*\n)+", body)
    if first is None:
        return body.strip()
    body = body[first.end() :]
    lines = [line for line in body.split("\n") if line and not line.isspace()]
    shared = _common_indent(min(lines), max(lines))
    return body.removeprefix(shared).replace(f"\n{shared}", "\n") if shared else body


def _common_indent(one: str, other: str) -> str:
    """The blanks that both lines begin with; for the least and the greatest of many lines, those of all."""
    indent = one[: len(one) - len(one.lstrip())]
    if other.startswith(indent):
        return indent
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return indent[:length]


def _children(element: Element, name: str) -> list[Child]:
    return [child for child in element.children if child.name == name]


def _text(source: Source, element: Element, name: str) -> str:
    """The text of every child of this name, as written."""
    texts = (dedented(source.text[child.start : child.end]) for child in _children(element, name))
    return "\n".join(text for text in texts if text)


def _texts(source: Source, element: Element) -> dict[str, str]:
    """What the elements say that have no place of their own in a task, by name and in order."""
    found: dict[str, list[str]] = {}
    for child in element.children:
        if child.name not in _OWN_NAMES:
            found.setdefault(child.name, []).append(dedented(source.text[child.start : child.end]))
    return {name: text for name, texts in found.items() if (text := "\n".join(filter(None, texts)))}


def _take_action(source: Source, element: Element, texts: dict[str, str]) -> str:
    """What to do, taken out of `texts`. Plans without an `<action>` call it by other names, or just write it."""
    for name in _ACTION_NAMES:
        if name in texts:
            return texts.pop(name)
    return _loose_text(source, element)


def _loose_text(source: Source, element: Element) -> str:
    """What stands directly in a task, in no element; empty where an element that is never closed is part of it."""
    pieces, cursor = [], element.content.start
    for child in sorted(element.children, key=lambda child: child.offset):
        pieces.append(source.text[cursor : child.offset] if child.offset > cursor else "")
        cursor = max(cursor, child.after)
    text = "".join([*pieces, source.text[cursor : element.content.after]])
    text = _BARE_TAG.sub("", text).rstrip()
    return "" if _UNCLOSED.search(text) else dedented(text)


def _value(element: Element, name: str) -> str:
    return " ".join(element.attributes[name].value.split()) if name in element.attributes else ""


def _check_task(source: Source, element: Element, task: Task) -> None:
    """A task for an agent has a name and an action; a checkpoint needs neither."""
    if task.is_checkpoint:
        return
    if not task.name:
        source.error(element.offset, f"task {task.number} has no name", hint="give it a <name>")
    if not task.action:
        hint = "say in <action> what the agent should do"
        source.error(element.offset, f"task {task.number} has no action", hint=hint)


def _type(source: Source, element: Element) -> str:
    kind = _value(element, "type") or "auto"
    if kind.startswith("checkpoint"):
        what_happens = "it waits for a person like every checkpoint"
        is_known = kind.removeprefix("checkpoint").lstrip(":").strip() in CHECKPOINT_KINDS
    else:
        what_happens = "the task is given to an agent like `auto`"
        is_known = kind in KNOWN_TYPES
    if not is_known:
        source.warn(element.attributes["type"].offset, f"task type `{shortened(kind)}` is not known; {what_happens}")
    return kind


def _complexity(source: Source, element: Element) -> int | None:
    attribute = element.attributes.get("estimated-complexity")
    if attribute is None:
        return None
    text = attribute.value.strip()
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= 10:
        return int(text)
    message = f"estimated-complexity is `{shortened(text)}`, not a whole number from 1 to 10"
    source.error(attribute.offset, message)
    return None


def _is_parallel(source: Source, element: Element) -> bool:
    value = _value(element, "parallel")
    if value not in ("", "sequential", "can-parallelize"):
        message = f'parallel is `{shortened(value)}`, read as "sequential"'
        source.warn(element.attributes["parallel"].offset, message, hint='write "sequential" or "can-parallelize"')
    return value == "can-parallelize"


def _context_mode(source: Source, element: Element) -> ContextMode:
    value = _value(element, "context-mode")
    if not value:
        return ContextMode.FRESH
    if value in tuple(ContextMode):
        return ContextMode(value)
    message = f'context-mode is `{shortened(value)}`, read as "fresh"'
    source.warn(element.attributes["context-mode"].offset, message, hint='write "fresh" or "inherited"')
    return ContextMode.FRESH


def _subagent(source: Source, element: Element) -> str:
    """As written, but for capitals in a type that is known; another one is warned of."""
    value = _value(element, "subagent") or SUBAGENTS[0]
    if value.lower() in SUBAGENTS:
        return value.lower()
    message = f"subagent is `{shortened(value)}`, which is not known; the agent is started as for `{SUBAGENTS[0]}`"
    source.warn(element.attributes["subagent"].offset, message, hint=f"write one of {', '.join(SUBAGENTS)}")
    return value


def _files(source: Source, element: Element) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for child in _children(element, "files"):
        if child.end - child.start > MAX_FILES_TEXT:
            source.error(child.offset, f"`<files>` is longer than {MAX_FILES_TEXT // 1024} KiB")
            continue
        found = parse_files(source.text[child.start : child.end])
        for path in filter(leaves_checkout, found):
            source.warn(child.offset, f"`{shortened(path)}` in `<files>` leads out of the project")
        paths.update(dict.fromkeys(found))
    return tuple(paths)
