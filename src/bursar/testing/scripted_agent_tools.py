"""What the scripted agent does to files, its shell, and the child it leaves behind when asked for that trouble."""

from __future__ import annotations

import os
import signal

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


class Shell:
    """Runs one command at a time, in a session of its own as the real CLI does it."""

    def __init__(self) -> None:
        self._pid: int | None = None

    def run(self, command: str, number: int) -> str:
        """What the command prints; `number` is no other command's of this process."""
        import subprocess  # only where a script needs it: 6 ms

        name = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"scripted-agent-{os.getpid()}-{number}")
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(name)
        with os.fdopen(descriptor, "r+b") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            self._pid = process.pid
            code = process.wait()
            self._pid = None
            output.seek(0)
            text = output.read().decode(errors="replace")
        return text if code == 0 else f"Exit code {code}\n{text}"

    def kill(self) -> None:
        """End the process group of the command that runs, if one does."""
        if self._pid is not None:
            try:
                os.killpg(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


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
