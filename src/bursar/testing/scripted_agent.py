"""A coding agent that does what the fake model says: the same flags, events, signals and exit codes as Claude Code.

    python -m bursar.testing.scripted_agent -p PROMPT --output-format stream-json --verbose --model haiku

It makes real HTTP calls to `ANTHROPIC_BASE_URL`, runs `Write`, `Edit`, `Read` and `Bash` in its working directory, and
prints what the real CLI prints. It imports nothing outside its own seven files and little of the library
(`http.client` alone would cost 20 ms each time), because benchmarks start it thousands of times. Flags it does not
know are ignored.

Trouble is made on demand, by `BURSAR_TROUBLE` in the environment or by a tool call `Trouble {"do": …}` in the script;
both hold words separated by commas:

    ignore-int, ignore-term    the signal does nothing
    orphan=SECONDS             leave a child in a session of its own that sleeps so long
    garbage                    print lines that are not JSON, or not sensible
    huge-line=BYTES            print one line of that length
    no-result                  end without the closing statement
    true-counts                report as old versions did: `assistant` events with the whole usage, no partial messages
    deny=TOOL                  refuse that tool for want of permission
    exit=CODE                  end with that exit code
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from bursar.testing.scripted_agent_http import Connection, Cut, Refused
from bursar.testing.scripted_agent_limits import read_limits
from bursar.testing.scripted_agent_options import Options
from bursar.testing.scripted_agent_output import Interrupted, Output
from bursar.testing.scripted_agent_sums import Sums
from bursar.testing.scripted_agent_tools import Shell, change_file, leave_orphan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

VERSION = "0.0.0 (scripted)"
MAX_ATTEMPTS = 4
RETRY_SECONDS = 0.02
TERMINATED = 143


class Conversation:
    """One run: calls, tools, events, and the sums for the closing statement."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": options.prompt}]}]
        self.output = Output(options)
        self.sums = Sums()
        self.shell = Shell()
        self.denials: list[dict[str, Any]] = []
        self.rounds = 0
        self.last_text = ""
        self.trouble: dict[str, str] = {}

    def on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """SIGINT."""
        if "ignore-int" not in self.trouble:
            self.output.interrupt()

    def on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        """SIGTERM: clean up and leave without a word."""
        if "ignore-term" not in self.trouble:
            self.shell.kill()
            os._exit(TERMINATED)

    def run(self) -> int:
        """Talk until the model asks for nothing more; the exit code."""
        self.make_trouble(os.environ.get("BURSAR_TROUBLE", ""))
        signal.signal(signal.SIGINT, self.on_interrupt)
        signal.signal(signal.SIGTERM, self.on_terminate)
        try:
            return self.converse()
        except Interrupted:
            self.shell.kill()
            self.output.calm()
            where = "aborted_tools" if self.sums.open is None else "aborted_streaming"
            self.sums.close_open_call()
            return self.conclude(0, subtype="error_during_execution", is_error=True, terminal_reason=where)
        except Refused as refusal:
            words = f"API Error: {refusal.status or ''} {refusal}"
            return self.conclude(
                1, subtype="success", is_error=True, terminal_reason="api_error", result=words,
                api_error_status=refusal.status,
            )  # fmt: skip

    def converse(self) -> int:
        """The loop of calls and tools; the exit code."""
        mode = self.options.values.get("--permission-mode", "default")
        self.output.emit(
            "system",
            subtype="init",
            cwd=os.getcwd(),
            model=self.options.model,
            tools=["Bash", "Edit", "Read", "Write"],
            claude_code_version=VERSION,
            permissionMode=mode,
        )
        while True:
            content = self.call_with_retries()
            self.messages.append({"role": "assistant", "content": content})
            self.rounds += 1
            asked = [block for block in content if block["type"] == "tool_use"]
            if not asked:
                return self.conclude(
                    0, subtype="success", is_error=False, terminal_reason="completed", result=self.last_text
                )
            answers = [self.use_tool(block) for block in asked]
            self.messages.append({"role": "user", "content": answers + self.hear()})

    def call_with_retries(self) -> list[dict[str, Any]]:
        """The content of the model's next message; refusals that may pass and cut streams are tried again."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self.call(stream=attempt == 1)
            except (Cut, OSError) as error:
                status = error.status if isinstance(error, Cut) else None
                self.sums.open = None
                self.output.emit(
                    "system", subtype="api_retry", attempt=attempt, max_retries=MAX_ATTEMPTS, error_status=status
                )
                time.sleep(RETRY_SECONDS * attempt)
        raise Refused(status, "gave up")

    def call(self, *, stream: bool) -> list[dict[str, Any]]:
        """One request; the content of the reply."""
        self.sums.open = (self.options.model, {})
        tools = [{"name": name} for name in ("Bash", "Edit", "Read", "Write") if name not in self.options.disallowed]
        request = {
            "model": self.options.model,
            "max_tokens": 32000,
            "stream": stream,
            "tools": tools,
            "messages": self.messages,
        }
        connection = Connection(os.environ["ANTHROPIC_BASE_URL"], json.dumps(request).encode())
        try:
            if connection.status == 200:
                content = self.read_stream(connection) if stream else self.read_whole(connection)
                self.tell_limits(connection.headers)
                return content
            if self.tell_limits(connection.headers):
                raise Refused(connection.status, "You've hit your 5-hour limit")
            if connection.status in (408, 429) or connection.status >= 500:
                raise Cut(connection.status)
            raise Refused(connection.status, json.loads(connection.body())["error"]["message"])
        finally:
            connection.close()

    def tell_limits(self, headers: dict[str, str]) -> bool:
        """Print what the provider says of the subscription's windows, where it does; whether it refuses the call."""
        limits = read_limits(headers)
        if limits is not None:
            self.output.emit("rate_limit_event", rate_limit_info=limits)
        return limits is not None and limits["status"] == "rejected"

    def read_whole(self, connection: Connection) -> list[dict[str, Any]]:
        """The content of a reply that came in one piece."""
        message = json.loads(connection.body())
        self.tell(message)
        self.sums.count(message["model"], message["usage"])
        content: list[dict[str, Any]] = message["content"]
        return content

    def tell(self, message: dict[str, Any]) -> None:
        """Print one `assistant` event for each block of a message that is complete."""
        for block in message["content"]:
            self.output.emit("assistant", message={**message, "content": [block]}, parent_tool_use_id=None)
            self.last_text = block.get("text", self.last_text)

    def read_stream(self, connection: Connection) -> list[dict[str, Any]]:
        """The content of a reply that is streamed; its events are passed on as they come."""
        message: dict[str, Any] = {}
        usage: dict[str, Any] = {}
        block: dict[str, Any] = {}
        content: list[dict[str, Any]] = []
        is_old = "true-counts" in self.trouble
        is_partial = "--include-partial-messages" in self.options.flags and not is_old
        for event in connection.frames():
            kind = event["type"]
            if kind == "message_start":
                message = event["message"]
                usage = dict(message["usage"])
                self.sums.open = (message["model"], usage)
            elif kind == "content_block_start":
                block = event["content_block"]
            elif kind == "content_block_delta":
                delta = event["delta"]
                block = (
                    {**block, "text": delta["text"]}
                    if "text" in delta
                    else {**block, "input": json.loads(delta["partial_json"])}
                )
            elif kind == "content_block_stop":
                content.append(block)
                if not is_old:
                    self.tell({**message, "content": [block]})
            elif kind == "message_delta":
                usage.update(event["usage"])
            if is_partial:
                self.output.emit("stream_event", event=event, parent_tool_use_id=None)
        if is_old:
            self.tell({**message, "content": content, "usage": usage})
        self.sums.count(message["model"], usage)
        return content

    def conclude(self, code: int, **fields: Any) -> int:
        """Print the closing statement; the exit code."""
        statement = {
            **fields,
            "num_turns": self.rounds,
            "total_cost_usd": 0,
            "permission_denials": self.denials,
            **self.sums.stated(),
        }
        if "no-result" not in self.trouble:
            self.output.conclude(statement, self.last_text)
        return int(self.trouble.get("exit", code))

    def use_tool(self, block: dict[str, Any]) -> dict[str, Any]:
        """Run one tool and print its answer; the block for the next request."""
        name, values = block["name"], block["input"]
        is_error = False
        if name in self.options.disallowed or self.trouble.get("deny") == name:
            self.denials.append({"tool_name": name, "tool_use_id": block["id"], "tool_input": values})
            self.output.emit("system", subtype="permission_denied", tool_name=name, tool_use_id=block["id"])
            answer, is_error = f"Permission to use {name} has been denied.", True
        else:
            try:
                answer = self.perform(name, values)
            except (OSError, KeyError, ValueError) as error:
                answer, is_error = f"{type(error).__name__}: {error}", True
        result = {"tool_use_id": block["id"], "type": "tool_result", "content": answer, "is_error": is_error}
        self.output.emit("user", message={"role": "user", "content": [result]}, parent_tool_use_id=None)
        return result

    def hear(self) -> list[dict[str, Any]]:
        """What the hook after tools has for the model, as blocks for the next request.

        It is only run where it would find something: a process for each tool would be much of what this agent costs.
        """
        before = "test ! -e "
        command = self.options.hook
        if not command.startswith(before):
            return []
        mailbox = command[len(before) : command.index(" || ")].strip("'")
        if not os.path.exists(mailbox):
            return []
        said = json.loads(self.shell.run(command, self.rounds))["hookSpecificOutput"]["additionalContext"]
        return [{"type": "text", "text": f"PostToolUse hook additional context: {said}"}]

    def perform(self, name: str, values: dict[str, Any]) -> str:
        """Do what the model asked for; the answer."""
        if name == "Bash":
            return self.shell.run(values["command"], self.rounds)
        if name == "Trouble":
            self.make_trouble(values["do"])
            return "trouble made"
        return change_file(name, values)

    def make_trouble(self, words: str) -> None:
        """Do what has to be done at once, remember the rest."""
        wanted = {word.partition("=")[0]: word.partition("=")[2] for word in words.split(",") if word}
        self.trouble.update(wanted)
        if "orphan" in wanted:
            leave_orphan(float(wanted["orphan"]))
        if "garbage" in wanted:
            for line in (b"npm warn deprecated\n", b"{\n", b"[1]\n", b"\xff\xfe\n", b'{"type":"assistant"}\n', b"\n"):
                self.output.write(line)
        if "huge-line" in wanted:
            self.output.write(b"x" * int(wanted["huge-line"]) + b"\n")


def main() -> NoReturn:
    """Run, and leave without waiting for the interpreter to tidy up."""
    code = Conversation(Options(sys.argv[1:])).run()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
