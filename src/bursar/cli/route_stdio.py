"""`bursar route --stdio`: JSON objects, one a line, each answered. Nothing that is read ends it but its end."""

from __future__ import annotations

import json
import sys
import traceback
from typing import BinaryIO

from bursar.errors import OK
from bursar.estimation import DocumentedLearner, Estimator
from bursar.routing import BadRequest, LearnedPolicy, Policy, RouteDesk, RulesPolicy

_MOST_BYTES = 16_000_000  # of one request


def serve(policy: str) -> int:
    """Every line of stdin is answered on stdout; 0 when stdin closes."""
    desk = RouteDesk(build_policy(policy), DocumentedLearner() if policy == "rules" else Estimator())
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while line := _read_line(source):
        sink.write(_answer(desk, line).encode() + b"\n")
        sink.flush()
    return OK


def build_policy(name: str) -> Policy:
    """The policy of that name, with nothing learned yet."""
    return RulesPolicy() if name == "rules" else LearnedPolicy()


def _read_line(source: BinaryIO) -> bytes:
    line = source.readline(_MOST_BYTES)
    if len(line) == _MOST_BYTES:
        while line and not line.endswith(b"\n"):
            line = source.readline(_MOST_BYTES)
        return b"\0"  # no JSON: it is refused like other lines that are none
    return line


def _answer(desk: RouteDesk, line: bytes) -> str:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return json.dumps({"error": "not a JSON object"})
    try:
        return json.dumps(desk.answer(request), allow_nan=False)
    except BadRequest as error:
        return json.dumps({"error": str(error)})
    except Exception as error:  # noqa: BLE001 — others are waiting for the next answers; this one says that we failed
        traceback.print_exception(error)
        return json.dumps({"error": f"a bug in bursar: {type(error).__name__}"})
