"""A script's tool calls in the words of the agent at hand: each CLI offers tools under names of its own.

A script says `Write` and `Bash`. What the request offers decides: a tool of that very name is used as it is, else the
first of the spellings below that is offered.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping
from typing import Any

from bursar.testing.script import ToolCall

Inputs = Mapping[str, Any]
Spelling = Callable[[Inputs], dict[str, Any]]


def spell_tool(call: ToolCall, offered: Collection[str]) -> ToolCall:
    """The call as the agent that offers `offered` understands it; unchanged where no spelling fits."""
    if call.name in offered:
        return call
    for sign, name, spelling in _SPELLINGS.get(call.name, ()):
        if sign in offered:
            return ToolCall(name, spelling(call.input))
    return call


def _shell_command(inputs: Inputs) -> dict[str, Any]:
    return {"command": inputs["command"], "description": "run"}


def _shell_cmd(inputs: Inputs) -> dict[str, Any]:
    return {"cmd": inputs["command"], "yield_time_ms": 30_000}


def _write_by_shell(inputs: Inputs) -> dict[str, Any]:
    content, path = shlex.quote(inputs["content"]), shlex.quote(inputs["file_path"])
    return {"cmd": f"printf %s {content} > {path}"}


def _write_path(inputs: Inputs) -> dict[str, Any]:
    return {"file_path": inputs["file_path"], "content": inputs["content"]}


def _write_camel(inputs: Inputs) -> dict[str, Any]:
    return {"filePath": inputs["file_path"], "content": inputs["content"]}


# What the request offers → the tool that is called. Codex offers newer models `exec`, a script that calls tools; it
# understands a plain call of what that script would call as well (0.169.0).
_SPELLINGS: Mapping[str, tuple[tuple[str, str, Spelling], ...]] = {
    "Bash": (
        ("exec_command", "exec_command", _shell_cmd),
        ("exec", "exec_command", _shell_cmd),
        ("run_shell_command", "run_shell_command", _shell_command),
        ("bash", "bash", _shell_command),
    ),
    "Write": (
        ("exec_command", "exec_command", _write_by_shell),
        ("exec", "exec_command", _write_by_shell),
        ("write_file", "write_file", _write_path),
        ("write", "write", _write_camel),
    ),
}
