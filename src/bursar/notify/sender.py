"""One message to one target: `python -m bursar.notify.sender` with a request on standard input.

It is a process of its own, because then a time limit holds whatever the other side does, and because apprise (250 ms to
import, with a logger that quotes addresses) stays out of everybody else's memory and output. The address comes by
standard input: arguments can be read by every user of the machine.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys

import msgspec

from bursar.budget import Level
from bursar.notify.message import Message
from bursar.notify.targets import DESKTOP, LIBRARY_HINT
from bursar.notify.trial import Request, Sent

_STATUS = re.compile(r"error=(\d{3})\b")
_TRY_AGAIN = frozenset({408, 425, 429})
_URGENCY = {Level.INFO: "low", Level.WARNING: "normal", Level.CRITICAL: "critical"}


def main() -> None:
    """Answers the request on standard input with a `Sent` on standard output."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sent = _to_desktop(request.message) if request.target == DESKTOP else _through_apprise(request)
    sys.stdout.buffer.write(msgspec.json.encode(sent))


def _to_desktop(message: Message) -> Sent:
    program = shutil.which("notify-send")
    if program is None:
        return Sent(delivered=False, reason="there is no `notify-send` (Debian: libnotify-bin)", is_final=True)
    arguments = [f"--urgency={_URGENCY[message.level]}", "--app-name=bursar", "--", message.title, message.body]
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Sent(delivered=done.returncode == 0, reason="" if done.returncode == 0 else "no desktop took it")


def _through_apprise(request: Request) -> Sent:
    try:
        import apprise
    except ImportError:
        return Sent(delivered=False, reason=f"apprise is not installed: {LIBRARY_HINT}", is_final=True)
    heard = _Ear()
    logging.getLogger("apprise").addHandler(heard)
    kinds = {Level.INFO: apprise.NotifyType.INFO, Level.WARNING: apprise.NotifyType.WARNING}
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="bursar", app_desc="bursar", storage_mode="memory"))
    if not sender.add(request.target):
        return Sent(delivered=False, reason="apprise does not understand this address", is_final=True)
    delivered = sender.notify(
        title=request.message.title,
        body=request.message.body,
        notify_type=kinds.get(request.message.level, apprise.NotifyType.FAILURE),
        body_format=apprise.NotifyFormat.TEXT,
    )
    return Sent(delivered=True) if delivered else heard.verdict()


class _Ear(logging.Handler):
    """Keeps of apprise's log what may be repeated: an HTTP status."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._status: int | None = None
        self._was_cut_off = False

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if found := _STATUS.search(text):
            self._status = int(found[1])
        self._was_cut_off |= "connection error" in text.lower()

    def verdict(self) -> Sent:
        """Why it was not delivered. A refusal of the request itself will be the same the next time."""
        if self._status is not None:
            is_final = 400 <= self._status < 500 and self._status not in _TRY_AGAIN
            return Sent(delivered=False, reason=f"the service answered {self._status}", is_final=is_final)
        if self._was_cut_off:
            return Sent(delivered=False, reason="no connection, or no answer in time")
        return Sent(delivered=False, reason="the service did not take it")


if __name__ == "__main__":
    main()
