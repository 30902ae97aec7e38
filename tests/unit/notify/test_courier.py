"""The outbox is emptied: in order, side by side, with an end to it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Level
from bursar.clock import SystemClock
from bursar.notify import AuditLog, Delivery, Message, Patience, build_message
from bursar.notify.courier import Courier
from bursar.notify.outbox import Outbox
from bursar.notify.targets import mask_target

PATIENCE = 30.0


class FakePost:
    """Delivers to every target but those that are dead; remembers in which order, and with how many tries."""

    def __init__(self, dead: frozenset[str] = frozenset()) -> None:
        self.seen: list[tuple[str, str, int]] = []
        self.before: Mapping[str, threading.Event] = {}
        self.after: Mapping[str, threading.Event] = {}
        self._dead = dead

    def __call__(self, message: Message, target: str, patience: Patience) -> Delivery:
        if target in self.before:
            assert self.before[target].wait(PATIENCE)
        self.seen.append((target, message.body, patience.tries))
        if target in self.after:
            self.after[target].set()
        lives = target not in self._dead
        return Delivery(target=mask_target(target), delivered=lives, tries=1, reason="" if lives else "dead")


class Place:
    """An outbox, an audit log and a courier."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outbox = Outbox(str(folder / "outbox"))

    def post(self, text: str, *targets: str) -> None:
        self.outbox.post(build_message(Level.WARNING, text, "", {}), targets)

    def serve(self, fake: FakePost) -> None:
        Courier(self.outbox, AuditLog(str(self.folder / "audit.jsonl"), SystemClock()), fake).serve()

    @property
    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_to_do(place: Place) -> None:
    place.serve(FakePost())
    assert not (place.folder / "outbox").exists()


def test_each_target_gets_its_messages_in_order(place: Place) -> None:
    for text in ("one", "two", "three"):
        place.post(text, "a://1", "b://2")
    fake = FakePost()
    place.serve(fake)
    for target in ("a://1", "b://2"):
        assert [text for each, text, _ in fake.seen if each == target] == ["one", "two", "three"]
    assert place.outbox.waiting() == []
    assert place.outbox.take_failures() == []


def test_a_target_that_hangs_holds_up_nobody_and_later_messages_are_seen(place: Place) -> None:
    """The slow one is let go only after the quick one has had what was posted meanwhile."""
    late = threading.Event()
    fake = FakePost()
    fake.before = {"slow://1": late}
    fake.after = {"late://3": late}
    place.post("one", "slow://1", "quick://2")
    place.post("two", "late://3")
    place.serve(fake)
    assert [target for target, _, _ in fake.seen][-1] == "slow://1"


def test_what_cannot_be_delivered_is_counted_told_and_audited(place: Place) -> None:
    place.post("one", "dead://s3cret", "a://1")
    place.serve(FakePost(frozenset({"dead://s3cret"})))
    assert place.outbox.take_failures() == [Delivery(target="dead://…", delivered=False, tries=1, reason="dead")]
    events = {event["target"]: event for event in place.audit}
    assert events["dead://…"]["delivered"] is False
    assert (events["a://…"]["delivered"], events["a://…"]["message"]) == (True, "one")
    assert "s3cret" not in (place.folder / "audit.jsonl").read_text()


def test_a_dead_target_has_one_try_for_each_message_after_the_first(place: Place) -> None:
    for text in ("one", "two", "three"):
        place.post(text, "dead://1")
    fake = FakePost(frozenset({"dead://1"}))
    place.serve(fake)
    assert [tries for _, _, tries in fake.seen] == [4, 1, 1]
    assert place.outbox.waiting() == []


def test_what_waited_for_more_than_a_day_is_not_sent(place: Place) -> None:
    place.post("one", "a://1")
    (path,) = (place.folder / "outbox").glob("*.json")
    parcel = json.loads(path.read_text())
    path.write_text(json.dumps(parcel | {"posted_at": parcel["posted_at"] - 25 * 3600}))
    fake = FakePost()
    place.serve(fake)
    assert fake.seen == []
    assert [failure.reason for failure in place.outbox.take_failures()] == ["it waited for more than a day"]


def test_while_another_courier_is_at_it_nothing_is_done(place: Place) -> None:
    place.post("one", "a://1")
    lock = place.outbox.lock()
    assert lock is not None
    fake = FakePost()
    place.serve(fake)
    assert fake.seen == []
    os.close(lock)
    place.serve(fake)
    assert len(fake.seen) == 1
