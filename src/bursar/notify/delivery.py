"""Getting one message to one target: some tries, longer and longer pauses between them, and then an end to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bursar.errors import UserError
from bursar.notify.message import Message
from bursar.notify.targets import mask_target, resolve_target
from bursar.notify.trial import Request, Sent, send_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is tried: so many tries of so many seconds, after each a pause that is `growth` times the last one."""

    tries: int = 4
    try_seconds: float = 15.0
    pause_seconds: float = 0.5
    growth: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How it ended. `target` is masked; `reason` is empty if it was delivered."""

    target: str
    delivered: bool
    tries: int
    reason: str = ""


SendOnce = Callable[[Request, float], Sent]
PATIENCE = Patience()


def deliver(
    message: Message,
    target: str,
    environment: Mapping[str, str] = os.environ,
    *,
    patience: Patience = PATIENCE,
    send: SendOnce = send_once,
    pause: Callable[[float], object] = time.sleep,
) -> Delivery:
    """The message was delivered to `target` (as it is configured), or trying has ended; never raises for a target."""
    shown = mask_target(target)
    try:
        request = Request(target=resolve_target(target, environment), message=message)
    except UserError as error:
        return Delivery(target=shown, delivered=False, tries=0, reason=error.message)
    seconds = patience.pause_seconds
    for number in range(1, patience.tries + 1):
        sent = send(request, patience.try_seconds)
        if sent.delivered or sent.is_final or number == patience.tries:
            break
        pause(seconds)
        seconds *= patience.growth
    return Delivery(target=shown, delivered=sent.delivered, tries=number, reason=sent.reason)
