"""An agent that does what its arguments say, one after the other; started with `python -I -S`, so it imports little.

say TEXT · init · start ID INPUT · call ID INPUT OUTPUT · result · error TEXT · tell WORD · child · orphan · ignore
polite · listen · wait · exit CODE. `tell` and the makers of processes write a line into the FIFO named by $TELL;
`listen` goes on when somebody opens the FIFO named by $HEAR for writing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

MODEL = "model-1"


def emit(**fields: Any) -> None:
    sys.stdout.write(line(**fields))
    sys.stdout.flush()


def line(**fields: Any) -> str:
    return json.dumps(fields) + "\n"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def init() -> None:
    emit(type="system", subtype="init", session_id="session-1", model=MODEL)


def start(call_id: str, tokens: str) -> None:
    usage = {"input_tokens": int(tokens), "output_tokens": 1}
    message = {"id": call_id, "model": MODEL, "usage": usage}
    emit(type="stream_event", event={"type": "message_start", "message": message})


def call(call_id: str, tokens: str, output: str) -> None:
    usage = {"input_tokens": int(tokens), "output_tokens": int(output)}
    message = {"id": call_id, "model": MODEL, "stop_reason": "end_turn", "usage": usage, "content": []}
    emit(type="assistant", message=message)


def result() -> None:
    emit(type="result", subtype="success", is_error=False, result="done")


def error(text: str) -> None:
    emit(type="result", subtype="success", is_error=True, result=text)


def tell(word: str) -> None:
    with open(os.environ["TELL"], "a", encoding="ascii") as fifo:
        fifo.write(word + "\n")


def child() -> None:
    """A tool in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        linger()


def orphan() -> None:
    """A grandchild in a session of its own whose parent is gone."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    linger()


def linger() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    tell(str(os.getpid()))
    wait()


def ignore() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def polite() -> None:
    """INT is answered with a result: past `sys.stdout`, within whose `flush` the signal may have come."""

    def finish(*_: object) -> None:
        os.write(1, line(type="result", subtype="success", is_error=False, result="done").encode())
        os._exit(0)

    signal.signal(signal.SIGINT, finish)


def listen() -> None:
    with open(os.environ["HEAR"], encoding="ascii") as fifo:
        fifo.read()


def wait() -> None:
    while True:
        signal.pause()


def leave(code: str) -> None:
    sys.stdout.flush()
    os._exit(int(code))


STEPS: dict[str, tuple[Callable[..., None], int]] = {
    "say": (say, 1),
    "init": (init, 0),
    "start": (start, 2),
    "call": (call, 3),
    "result": (result, 0),
    "error": (error, 1),
    "tell": (tell, 1),
    "child": (child, 0),
    "orphan": (orphan, 0),
    "ignore": (ignore, 0),
    "polite": (polite, 0),
    "listen": (listen, 0),
    "wait": (wait, 0),
    "exit": (leave, 1),
}


def main(words: list[str]) -> None:
    while words:
        step, count = STEPS[words[0]]
        step(*words[1 : 1 + count])
        words = words[1 + count :]


if __name__ == "__main__":
    main(sys.argv[1:])
