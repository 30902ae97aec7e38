"""A fake of the model APIs on loopback (Anthropic Messages, OpenAI Responses, Gemini) that obeys a script and bills.

It is what bursar's numbers are checked against: whatever an agent or a meter says was used, `ModelServer.billed()` is
what a provider would ask for. Verified against Claude Code 2.1.330 (streams, plain JSON, `HEAD` and `GET` probes,
`count_tokens`), Codex 0.169.0, Gemini CLI 0.61.0 and OpenCode 1.18.33. The path tells which API is meant. It binds
127.0.0.1 only and looks at no credential.

    python -m bursar.testing.model_server --script FILE [--port 0] [--print-port] [--ledger FILE]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from bursar.testing.model_server_dialects import Dialect
from bursar.testing.model_server_frames import usage_at_start
from bursar.testing.model_server_http import HttpFront
from bursar.testing.model_server_tools import spell_tool
from bursar.testing.script import Reply, Script, Step, read_script
from bursar.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCall:
    """One line of the bill.

    Attributes:
        id: the message id that the agent was given.
        task: the marker the script found in the prompt; empty if none.
        path: the path that was asked for, with any prefix.
        usage: what is billed. While the call streams, or after a cut: the input, and the output that was sent.
        is_complete: the reply was sent to its end.
        was_cut: the connection was dropped, by the script or by the agent hanging up.
        tools: names of the tools that the request offered.
    """

    id: str
    model: str
    task: str
    path: str
    usage: Usage
    when: datetime
    is_complete: bool = False
    was_cut: bool = False
    tools: tuple[str, ...] = ()


class ModelServer:
    """The fake, serving from its own threads between `start` and `stop`; a context manager does both.

    `requests` counts every request for a reply, the refused ones too; `calls` holds those that are billed.
    """

    def __init__(
        self, script: Script, *, port: int = 0, ledger: Path | None = None, keep_requests: bool = False
    ) -> None:
        self.script = script
        self.requests = 0
        self.request_bodies: list[Mapping[str, Any]] = []
        self._keep_requests = keep_requests
        self._calls: dict[str, ServedCall] = {}
        self._faults: Counter[tuple[str, int]] = Counter()
        self._gates: dict[str, threading.Event] = {}
        self._reached: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()
        self._ledger: TextIO | None = ledger.open("a", encoding="utf-8") if ledger else None
        self._http = HttpFront(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """What belongs into `ANTHROPIC_BASE_URL` or `GOOGLE_GEMINI_BASE_URL`; for the others with `/v1` after it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """It answers from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """It answers no more; replies that wait at a gate are dropped."""
        for gate in self._all_gates():
            gate.set()
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()
        if self._ledger:
            self._ledger.close()
            self._ledger = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def calls(self) -> tuple[ServedCall, ...]:
        """Every billed call so far, oldest first."""
        with self._lock:
            return tuple(self._calls.values())

    def billed(self, *, task: str | None = None) -> Usage:
        """What all calls (of `task`, if given) are billed at, cut ones included."""
        return sum((call.usage for call in self.calls if task in (None, call.task)), NOTHING)

    def open_gate(self, name: str) -> None:
        """Replies that wait for `name`, now or later, go on."""
        self.gate(name).set()

    def gate(self, name: str) -> threading.Event:
        """The gate of that name, closed until it is opened."""
        with self._lock:
            return self._gates.setdefault(name, threading.Event())

    def wait_until_reached(self, name: str, timeout: float = 30.0) -> bool:
        """Wait until one more reply stands at the gate `name`: its first frame has been sent. False after `timeout`."""
        return self._arrivals(name).acquire(timeout=timeout)

    # What follows is for the request handler.

    def admit(
        self, dialect: Dialect, request: Mapping[str, Any], body: Mapping[str, Any], path: str
    ) -> tuple[Step, ServedCall | None]:
        """The step to serve, and the line opened on the bill; None where the step is a refusal by status.

        `request` is what `dialect` made of the `body`.
        """
        reply = self.script.reply(request)
        tools = tuple(str(tool.get("name", "")) for tool in request.get("tools") or ())
        with self._lock:
            self.requests += 1
            if self._keep_requests:
                self.request_bodies.append(body)
            step = _in_words_of(dialect, self._after_faults(reply), tools)
            if step.status is not None:
                return step, None
            call = ServedCall(
                id=dialect.call_id(len(self._calls) + 1),
                model=str(request.get("model", "")),
                task=reply.task,
                path=path,
                usage=usage_at_start(step.usage),
                when=datetime.now(UTC),
                tools=tools,
            )
            self._write(call)
        return step, call

    def bill(self, call: ServedCall, usage: Usage, *, was_cut: bool = False) -> None:
        """The call is billed at `usage`; written before the reply's last byte, so that whoever has read it finds it."""
        with self._lock:
            self._write(replace(call, usage=usage, is_complete=not was_cut, was_cut=was_cut))

    def arrive_at(self, gate: str) -> threading.Event:
        """One more reply stands at the gate; it goes on when the event is set."""
        self._arrivals(gate).release()
        return self.gate(gate)

    def _after_faults(self, reply: Reply) -> Step:
        step = reply.step
        if not step.has_fault or step.times is None:
            return step
        key = (reply.task, reply.number)
        self._faults[key] += 1
        return step if self._faults[key] <= step.times else replace(step, status=None, cut=False)

    def _write(self, call: ServedCall) -> None:
        self._calls[call.id] = call
        if self._ledger:
            self._ledger.write(json.dumps(asdict(call) | {"when": call.when.isoformat()}) + "\n")
            self._ledger.flush()

    def _arrivals(self, name: str) -> threading.Semaphore:
        with self._lock:
            return self._reached.setdefault(name, threading.Semaphore(0))

    def _all_gates(self) -> list[threading.Event]:
        with self._lock:
            return list(self._gates.values())


def _in_words_of(dialect: Dialect, step: Step, offered: Collection[str]) -> Step:
    """The step with the tools that the agent offers, and with usage that its API can state."""
    tools = tuple(spell_tool(tool, offered) for tool in step.tools)
    return replace(step, tools=tools, usage=dialect.billable(step.usage))


def read_bill(ledger: Path) -> tuple[ServedCall, ...]:
    """The calls in a `--ledger` file; of several lines with one id the last counts. Missing file: none."""
    if not ledger.exists():
        return ()
    calls: dict[str, ServedCall] = {}
    for line in ledger.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        data |= {
            "usage": Usage(**data["usage"]),
            "when": datetime.fromisoformat(data["when"]),
            "tools": tuple(data["tools"]),
        }
        calls[data["id"]] = ServedCall(**data)
    return tuple(calls.values())


def main(argv: list[str] | None = None) -> int:
    """Serve until INT or TERM; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bursar.testing.model_server", description="A fake model API.")
    parser.add_argument("--script", type=Path, required=True, help="what to answer, as JSON")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--print-port", action="store_true", help="print the port on a line of its own, then serve")
    parser.add_argument("--ledger", type=Path, help="append each billed call to this file, a JSON line each")
    options = parser.parse_args(argv)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    with ModelServer(read_script(options.script), port=options.port, ledger=options.ledger) as server:
        print(server.port if options.print_port else server.url, flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
