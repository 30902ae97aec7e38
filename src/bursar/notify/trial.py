"""One try at delivering a message, by a process of its own (`sender`), so that its time limit holds."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from bursar.notify.message import Message

SENDER_MODULE = "bursar.notify.sender"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where: a target with no `env:` left in it."""

    target: str
    message: Message


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """How one try went. `is_final`: trying again cannot help. The reason quotes nothing of the target."""

    delivered: bool
    reason: str = ""
    is_final: bool = False


def send_once(request: Request, seconds: float) -> Sent:
    """How one try went, after at most `seconds`; the process that tried is gone by then."""
    command = [sys.executable, "-P", "-m", SENDER_MODULE]
    try:
        done = subprocess.run(
            command,
            input=msgspec.json.encode(request),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=Sent)
    except subprocess.TimeoutExpired:
        return Sent(delivered=False, reason=f"no answer within {seconds:g} s")
    except (OSError, msgspec.MsgspecError):
        return Sent(delivered=False, reason="the sender could not be run")
