"""The keys of one instance of a job list: what each may hold, and what it becomes."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from bursar.plan.job_list import Instance, OutputFormat
from bursar.plan.json_text import Json
from bursar.plan.source import Source, shortened

FIELDS = (
    "name", "command", "prompt", "description", "permission_mode", "output_format", "session_id", "clear_history",
    "compact_history", "pre_commands", "allowed_tools", "max_tokens_per_command",
)  # fmt: skip
PERMISSION_MODES = ("acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "manual", "plan")
LARGEST_TOKENS = 2**53 - 1  # what every JSON reader can count to
_LONGEST_NAME = 100
_TOOL = re.compile(r"[A-Za-z_][\w.*-]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?")
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_AGENT_COMMAND = re.compile(r"/[^\s/]+(?:\s|$)")

Members = Mapping[str, tuple[int, Json]]


def read_instance(source: Source, item: Json, members: Members, number: str) -> Instance:
    """The instance; whatever is wrong with it is noted, and read as if it were absent."""
    fields = _Fields(source, members)
    text = _told(source, item, fields)
    instance = Instance(
        number=number,
        name=_name(fields, text, number),
        text=text,
        description=fields.text("description") or "",
        permission_mode=fields.choice("permission_mode", PERMISSION_MODES),
        output_format=OutputFormat(fields.choice("output_format", tuple(OutputFormat)) or OutputFormat.TEXT),
        session_id=_session_id(fields),
        clears_history=fields.flag("clear_history"),
        compacts_history=fields.flag("compact_history"),
        pre_commands=_pre_commands(fields),
        allowed_tools=_allowed_tools(fields),
        max_tokens=fields.tokens("max_tokens_per_command"),
        position=source.position(item.offset),
    )
    _check_compaction(fields, instance)
    return replace(instance, digest=_digest(instance))


def _check_compaction(fields: _Fields, instance: Instance) -> None:
    """Where there is nothing to sum up, that is said.

    Source: docs/decisions/0038-compacting-before-an-instance.md
    """
    if instance.compacts_history and not instance.continues:
        fields.warn("compact_history", "there is no history to compact: the conversation is a new one")


def _told(source: Source, item: Json, fields: _Fields) -> str:
    """The `command` or the `prompt`, of which there should be exactly one; empty where there is none."""
    command, prompt = fields.text("command", is_due=True), fields.text("prompt", is_due=True)
    has_command, has_prompt = fields.has("command"), fields.has("prompt")
    if has_command and has_prompt:
        fields.tell("prompt", "both `command` and `prompt`: an agent is told one thing", "take one away")
    if not has_command and not has_prompt:
        source.error(item.offset, "neither `command` nor `prompt`: the agent is told nothing", hint='"prompt": "…"')
    return command or prompt or ""


def _name(fields: _Fields, text: str, number: str) -> str:
    name = fields.text("name", is_due=True)
    if name is None:
        first = " ".join(text.split()[:1]).lstrip("/") or "instance"
        return f"{first[:40]}-{number}"
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        fields.tell("name", f"a name is one line of at most {_LONGEST_NAME} characters")
    return name


def _session_id(fields: _Fields) -> str | None:
    given = fields.text("session_id", is_due=True)
    if given is not None and not _UUID.fullmatch(given):
        fields.tell("session_id", f"a session's id is a UUID, not `{shortened(given)}`", "uuidgen")
    return given


def _pre_commands(fields: _Fields) -> tuple[str, ...]:
    """Shell commands; one of the agent's own would be a model call that no attempt stands for."""
    for item in fields.texts("pre_commands") or ():
        if isinstance(item.value, str) and _AGENT_COMMAND.match(item.value):
            hint = "write it at the beginning of the prompt, or say clear_history or compact_history"
            fields.tell_at(item, f"`{shortened(item.value)}` is a command of the agent, not of the shell", hint)
    return tuple(str(item.value) for item in fields.texts("pre_commands") or ())


def _allowed_tools(fields: _Fields) -> tuple[str, ...] | None:
    """Names of tools, with what they may be used for in brackets: nothing that could pass for an option."""
    items = fields.texts("allowed_tools")
    for item in items or ():
        if not _TOOL.fullmatch(str(item.value)):
            fields.tell_at(item, f"`{shortened(str(item.value))}` is no tool", 'like "Read" or "Bash(git log:*)"')
    return None if items is None else tuple(str(item.value) for item in items)


def _digest(instance: Instance) -> str:
    """Of all that makes the work what it is: the name and the description may change."""
    what = [
        instance.text, instance.permission_mode, instance.session_id, instance.clears_history,
        instance.compacts_history, instance.pre_commands, instance.allowed_tools,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


class _Fields:
    """The members of one object, each asked for by the type that it should have. `null` is as good as absent."""

    def __init__(self, source: Source, members: Members) -> None:
        self._source = source
        self._members = {key: each for key, each in members.items() if each[1].value is not None}
        self._told: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self._members

    def offset(self, key: str) -> int:
        """Where the value stands; for keys that are there."""
        return self._members[key][1].offset

    def tell(self, key: str, message: str, hint: str | None = None) -> None:
        """Once for each key."""
        if key not in self._told:
            self._told.add(key)
            self._source.error(self.offset(key), message, hint=hint)

    def warn(self, key: str, message: str) -> None:
        self._source.warn(self.offset(key), message)

    def tell_at(self, item: Json, message: str, hint: str) -> None:
        self._source.error(item.offset, message, hint=hint)

    def text(self, key: str, *, is_due: bool = False) -> str | None:
        """A text; `is_due`: it must say something."""
        if not self.has(key):
            return None
        value = self._members[key][1].value
        if not isinstance(value, str):
            self.tell(key, f"`{key}` should be text, not {_kind(value)}")
            return None
        if is_due and not value.strip():
            self.tell(key, f"`{key}` is empty")
            return None
        if "\0" in value:
            self.tell(key, f"`{key}` holds a NUL character")
        return value

    def choice(self, key: str, known: tuple[str, ...]) -> str | None:
        value = self.text(key)
        if value is None or value in known:
            return value
        near = difflib.get_close_matches(value[:60], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
        self.tell(key, f"`{key}` cannot be `{shortened(value)}`", hint)
        return None

    def flag(self, key: str) -> bool:
        value = self._members[key][1].value if self.has(key) else False
        if not isinstance(value, bool):
            self.tell(key, f"`{key}` should be true or false, not {_kind(value)}")
        return value is True

    def tokens(self, key: str) -> int | None:
        value = self._members[key][1].value if self.has(key) else None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_TOKENS:
            self.tell(key, f"`{key}` should be a whole number of tokens from 1 to {LARGEST_TOKENS}")
            return None
        return value

    def texts(self, key: str) -> list[Json] | None:
        """The texts of a list, each with its place; None where there is none."""
        if not self.has(key):
            return None
        value = self._members[key][1].value
        if not isinstance(value, list):
            self.tell(key, f"`{key}` should be a list of texts, not {_kind(value)}", f'"{key}": ["…"]')
            return []
        for item in value:
            if not isinstance(item.value, str) or not item.value.strip() or "\0" in item.value:
                self.tell(key, f"`{key}` should hold texts alone, and none of them empty")
                return []
        return value


def _kind(value: object) -> str:
    """The JSON type, for a message."""
    kinds = {bool: "true or false", str: "text", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return kinds.get(type(value), "null")
