"""Mail really arrives at a mail server, and each chat service of the documents is really called, by its own host."""

from __future__ import annotations

import pytest

from bursar.budget import Level
from bursar.notify import Patience, build_message, deliver
from tests.integration.mail_server import mail_server, web_proxy

ONCE = Patience(tries=1, try_seconds=60.0)
MESSAGE = build_message(Level.CRITICAL, "budget `x` has reached 95 % of 10,000 tokens: 9,500 tokens", "shop", {})


def test_mail() -> None:
    with mail_server() as server:
        target = f"mailto://127.0.0.1:{server.port}?from=bursar@shop.test&to=ada@shop.test"
        delivery = deliver(MESSAGE, target, {}, patience=ONCE)
        assert (delivery.delivered, delivery.reason) == (True, "")
        mail = server.next_mail()
    assert mail["To"] == "ada@shop.test"
    assert "bursar · shop · critical" in str(mail["Subject"]) or mail["Subject"].startswith("=?utf-8?")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert MESSAGE.body in body.decode()


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("slack://T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx", "hooks.slack.com"),
        ("discord://1000000000/not-a-real-one", "discord.com"),
        ("tgram://100000000:not_a_real_one_at_all/20000000", "api.telegram.org"),
        (
            "workflows://prod-00.westeurope.logic.azure.com:443/0123456789abcdef/aSignature",
            "prod-00.westeurope.logic.azure.com",
        ),
    ],
    ids=["Slack", "Discord", "Telegram", "Teams"],
)
def test_a_chat_service_is_called(monkeypatch: pytest.MonkeyPatch, target: str, host: str) -> None:
    """Nothing leaves the machine: a proxy on loopback hears who is called, and refuses."""
    with web_proxy() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        delivery = deliver(MESSAGE, target, {}, patience=ONCE)
        assert proxy.next_heard() == f"{host}:443"
    assert (delivery.delivered, delivery.reason) == (False, "no connection, or no answer in time")
    assert delivery.target == f"{target.partition(':')[0]}://…"
