"""Alerts that really leave the process, through apprise, to a webhook on loopback."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Level
from bursar.notify import Delivery, Notifier, Patience, build_message, deliver
from bursar.notify.notifier import OUTBOX
from bursar.notify.outbox import Outbox
from tests.integration.webhooks import HANG, Webhook, webhook

QUICK = Patience(tries=3, try_seconds=30.0, pause_seconds=0.0)
MESSAGE = build_message(Level.WARNING, "budget `x` has reached 80 % of 200,000 tokens: 160,000 tokens", "shop", {})


def send(hook: Webhook, patience: Patience = QUICK) -> Delivery:
    return deliver(MESSAGE, hook.target, {}, patience=patience)


def test_a_webhook_gets_title_text_and_level() -> None:
    with webhook() as hook:
        assert send(hook) == Delivery(target=hook.shown, delivered=True, tries=1)
        got = hook.next_message()
    assert (got["title"], got["message"], got["type"]) == ("bursar · shop · warning", MESSAGE.body, "warning")


def test_tried_again_after_a_failure_of_the_service() -> None:
    with webhook(500, 503, 200) as hook:
        assert send(hook) == Delivery(target=hook.shown, delivered=True, tries=3)
        assert hook.received.qsize() == 3


def test_given_up_when_the_service_goes_on_failing() -> None:
    with webhook(500) as hook:
        delivery = send(hook)
        assert hook.received.qsize() == 3
    assert delivery == Delivery(target=hook.shown, delivered=False, tries=3, reason="the service answered 500")


def test_a_refusal_is_final() -> None:
    with webhook(404, 200) as hook:
        delivery = send(hook)
    assert (delivery.tries, delivery.reason) == (1, "the service answered 404")


def test_too_many_requests_is_not_final() -> None:
    with webhook(429, 200) as hook:
        assert send(hook).tries == 2


def test_a_target_that_hangs_is_given_up_in_time() -> None:
    """Only the time limit can end this: the webhook answers when the test is over."""
    with webhook(HANG) as hook:
        delivery = send(hook, Patience(tries=1, try_seconds=3.0))
        assert not hook.released.is_set()
    assert not delivery.delivered
    assert delivery.reason in {"no answer within 3 s", "no connection, or no answer in time"}


def test_nobody_listens() -> None:
    with webhook() as hook:
        pass
    delivery = send(hook)
    assert (delivery.delivered, delivery.tries) == (False, 3)
    assert delivery.reason == "no connection, or no answer in time"


def test_an_address_that_apprise_does_not_know() -> None:
    delivery = deliver(MESSAGE, "nosuchservice://s3cret", {}, patience=QUICK)
    assert (delivery.tries, delivery.target) == (1, "nosuchservice://…")
    assert delivery.reason == "apprise does not understand this address"


@pytest.mark.parametrize(("code", "delivered"), [(0, True), (1, False)])
def test_the_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, delivered: bool) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/said\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert deliver(MESSAGE, "desktop", {}, patience=QUICK).delivered is delivered
    expected = f"--urgency=normal|--app-name=bursar|--|{MESSAGE.title}|{MESSAGE.body}|"
    assert (tmp_path / "said").read_text() == expected


def test_no_desktop_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    delivery = deliver(MESSAGE, "desktop", {}, patience=QUICK)
    assert (delivery.delivered, delivery.tries) == (False, 1)
    assert "notify-send" in delivery.reason


def test_without_apprise_the_reason_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    with webhook() as hook:
        delivery = send(hook)
        assert hook.received.empty()
    assert (delivery.delivered, delivery.tries) == (False, 1)
    assert delivery.reason == "apprise is not installed: pip install 'bursar[notify]'"


def test_nothing_but_a_sender_loads_apprise() -> None:
    modules = "bursar.cli.run, bursar.cli.alert, bursar.notify.courier, bursar.supervision.spawner"
    code = f"import sys, {modules}; sys.exit('apprise' in sys.modules)"
    path = os.pathsep.join(filter(None, sys.path))
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False).returncode == 0


def test_text_that_is_no_unicode_is_nobodys_trouble(tmp_path: Path) -> None:
    notifier = Notifier(tmp_path, ["json://127.0.0.1/"], environment={})
    notifier.alert("critical", "x", at="\ud800")
    notifier.alert("deafening", "x")
    assert len(notifier.undelivered()) == 1


def wait_for_courier(state: Path) -> None:
    """The process that delivers has given its lock back; it held it before the first message was out."""
    with (state / OUTBOX / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def audit(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "audit.jsonl").read_text(encoding="utf-8").splitlines()]


def test_an_alert_is_delivered_by_a_process_of_its_own(tmp_path: Path) -> None:
    with webhook(500, 200) as hook:
        notifier = Notifier(tmp_path, ["env:BURSAR_TEST_HOOK"], source="shop", environment=_environment(hook))
        notifier.check()
        notifier.alert("info", "too quiet")
        notifier.alert("critical", "loud", at="noon")
        notifier.alert("critical", "loud", at="noon")
        assert [hook.next_message()["message"] for _ in range(2)] == ["loud", "loud"]
        wait_for_courier(tmp_path)
        assert hook.received.empty()
    (event,) = audit(tmp_path)
    assert (event["event"], event["target"]) == ("delivery", "env:BURSAR_TEST_HOOK")
    assert (event["delivered"], event["tries"]) == (True, 2)
    assert notifier.undelivered() == []


def test_what_could_not_be_delivered_is_told_once_and_counted(tmp_path: Path) -> None:
    with webhook(404) as hook:
        notifier = Notifier(tmp_path, [hook.target], environment=_environment(hook))
        notifier.alert("warning", "one")
        notifier.alert("warning", "two")
        for _ in range(2):
            hook.next_message()
        wait_for_courier(tmp_path)
    later = Notifier(tmp_path, [])
    assert later.undelivered() == [f"2 alerts could not be delivered to {hook.shown}: the service answered 404"]
    assert notifier.undelivered() == later.undelivered() == []
    assert [event["delivered"] for event in audit(tmp_path)] == [False, False]


def test_messages_of_a_killed_courier_are_taken_up_by_the_next_command(tmp_path: Path) -> None:
    """As it is left behind: the message waits, and nobody has the lock."""
    with webhook() as hook:
        Outbox(str(tmp_path / OUTBOX)).post(MESSAGE, [hook.target])
        notifier = Notifier(tmp_path, [], environment=_environment(hook))
        assert notifier.undelivered() == []
        assert hook.next_message()["message"] == MESSAGE.body
        wait_for_courier(tmp_path)
        assert notifier.undelivered() == []
        assert hook.received.empty()


def test_an_outbox_that_cannot_be_written_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / OUTBOX).write_text("a file")
    notifier = Notifier(tmp_path, ["desktop", "json://127.0.0.1/"])
    notifier.alert("critical", "one")
    assert notifier.undelivered() == ["2 alerts could not be delivered to anyone: File exists"]
    assert notifier.undelivered() == []


def test_no_targets_cost_nothing(tmp_path: Path) -> None:
    Notifier(tmp_path, []).alert("critical", "one")
    assert list(tmp_path.iterdir()) == []


def _environment(hook: Webhook) -> dict[str, str]:
    return {**os.environ, "BURSAR_TEST_HOOK": hook.target, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
