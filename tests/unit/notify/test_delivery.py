"""How often is tried, how long is paused, and when it is no use."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.budget import Level
from bursar.notify import Delivery, Patience, build_message, deliver
from bursar.notify.trial import Request, Sent

MESSAGE = build_message(Level.WARNING, "budget `x` has reached 80 %", "shop", {})
TARGET = "json://ada:s3cret@host/p4th"
PATIENCE = Patience(tries=4, try_seconds=15.0, pause_seconds=0.5, growth=4.0)
NO = Sent(delivered=False, reason="the service answered 500")
NEVER = Sent(delivered=False, reason="the service answered 404", is_final=True)
YES = Sent(delivered=True)


class FakeSender:
    """Answers what it is told to; remembers what it was asked, and the pauses between."""

    def __init__(self, answers: Sequence[Sent]) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []
        self.limits: list[float] = []
        self.pauses: list[float] = []

    def __call__(self, request: Request, seconds: float) -> Sent:
        self.requests.append(request)
        self.limits.append(seconds)
        return self._answers.pop(0)


def send(sender: FakeSender, target: str = TARGET, environment: dict[str, str] | None = None) -> Delivery:
    return deliver(MESSAGE, target, environment or {}, patience=PATIENCE, send=sender, pause=sender.pauses.append)


def test_delivered_at_once() -> None:
    sender = FakeSender([YES])
    assert send(sender) == Delivery(target="json://host/…", delivered=True, tries=1)
    assert sender.requests == [Request(target=TARGET, message=MESSAGE)]
    assert (sender.limits, sender.pauses) == ([15.0], [])


def test_delivered_after_failures_with_longer_and_longer_pauses() -> None:
    sender = FakeSender([NO, NO, NO, YES])
    assert send(sender) == Delivery(target="json://host/…", delivered=True, tries=4)
    assert sender.pauses == [0.5, 2.0, 8.0]


def test_given_up_in_the_end_and_no_pause_after_the_last_try() -> None:
    sender = FakeSender([NO, NO, NO, NO, YES])
    delivery = send(sender)
    assert delivery == Delivery(target="json://host/…", delivered=False, tries=4, reason="the service answered 500")
    assert len(sender.pauses) == 3


def test_a_refusal_that_will_not_change_is_not_tried_again() -> None:
    sender = FakeSender([NEVER, YES])
    assert send(sender).tries == 1
    assert sender.pauses == []


def test_the_address_comes_from_the_environment_and_only_its_name_is_shown() -> None:
    sender = FakeSender([NEVER])
    delivery = send(sender, "env:HOOK", {"HOOK": TARGET})
    assert (sender.requests[0].target, delivery.target) == (TARGET, "env:HOOK")


def test_an_address_that_is_not_there_is_not_tried() -> None:
    sender = FakeSender([])
    delivery = send(sender, "env:HOOK")
    assert (delivery.delivered, delivery.tries) == (False, 0)
    assert "HOOK is not set" in delivery.reason
