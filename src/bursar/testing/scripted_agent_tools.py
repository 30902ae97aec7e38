"""What the scripted agent does to files, and the child it leaves behind when asked for that trouble."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def change_file(name: str, values: dict[str, Any]) -> str:
    """Perform `Write`, `Edit` or `Read`; the tool's answer.

    Raises:
        OSError: the file cannot be read or written.
        KeyError: an input is missing.
        ValueError: there is no such tool, or nothing to replace.
    """
    path = values.get("file_path", "")
    if name == "Write":
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return write_text(path, values["content"])
    if name == "Edit":
        text = read_text(path)
        if values["old_string"] not in text:
            raise ValueError("old_string not found")
        return write_text(path, text.replace(values["old_string"], values["new_string"], 1))
    if name == "Read":
        return read_text(path)
    raise ValueError(f"no such tool: {name}")


def leave_orphan(seconds: float) -> None:
    """A grandchild in its own session sleeps on after the agent is gone; it holds none of the agent's pipes."""
    started, write = os.pipe()  # closed by the last exec: then the orphan is there
    if child := os.fork():
        os.close(write)
        os.waitpid(child, 0)
        os.read(started, 1)
        os.close(started)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.execv("/bin/sleep", ["sleep", str(seconds)])


def read_text(path: str) -> str:
    """The text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_text(path: str, text: str) -> str:
    """The file holds the text; what the tool answers."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return f"File written: {path}"
