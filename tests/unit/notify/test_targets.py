"""What a target may look like, and that a credential in it is never shown."""

from __future__ import annotations

import pytest

from bursar.errors import SetupError, UserError
from bursar.notify import check_target, mask_target, require_library
from bursar.notify import targets as room
from bursar.notify.targets import resolve_target


@pytest.mark.parametrize(
    "text",
    ["desktop", "json://127.0.0.1:8080/x", "slack://A/B/C", "mailto://a:b@example.com", "env:BURSAR_HOOK", "x+y://z"],
)
def test_targets_that_are_some(text: str) -> None:
    assert check_target(text) == ""


@pytest.mark.parametrize(
    "text",
    ["", "Desktop", "slack", "slack:A/B/C", "://x", "1slack://x", "env:", "env:1X", "env:A B", "env:A-B", " desktop",
     "desktop ", "json://host/\n", "json://host/\x1b[2J", "terminal"],
)  # fmt: skip
def test_targets_that_are_none(text: str) -> None:
    assert check_target(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("desktop", "desktop"),
        ("env:BURSAR_HOOK", "env:BURSAR_HOOK"),
        ("json://127.0.0.1:8080/s3cret", "json://127.0.0.1:8080/…"),
        ("JSONS://example.org?token=s3cret", "jsons://example.org/…"),
        ("json://ada:s3cret@example.org/x", "json://example.org/…"),
        ("json://[::1]:80/s3cret", "json://[::1]:80/…"),
        ("json://ada:s3/cret@example.org/x", "json://…"),
        ("json://ada:33/cret@example.org/x", "json://…"),
        ("json://ada:#s3cret@example.org/", "json://…"),
        ("json://s3 cret/x", "json://…"),
        ("slack://T1/s3cret/C", "slack://…"),
        ("tgram://s3cret:x/1", "tgram://…"),
        ("mailto://ada:s3cret@example.org", "mailto://…"),
        ("s3cret", "…"),
        ("env:s3cret word", "…"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert mask_target(text) == shown
    assert "s3" not in mask_target(text)


def test_an_address_from_the_environment() -> None:
    assert resolve_target("env:HOOK", {"HOOK": "json://h/s3cret"}) == "json://h/s3cret"
    assert resolve_target("json://env:HOOK@h/", {"HOOK": "x"}) == "json://env:HOOK@h/"


@pytest.mark.parametrize("value", [None, "", "s3cret", "env:HOOK", "env:OTHER", "json://s3cret\n"])
def test_an_environment_without_an_address(value: str | None) -> None:
    with pytest.raises(UserError) as raised:
        resolve_target("env:HOOK", {} if value is None else {"HOOK": value, "OTHER": "json://h/s3cret"})
    assert "HOOK" in raised.value.message
    assert "s3cret" not in f"{raised.value.message} {raised.value.hint}"


def test_without_apprise_only_the_desktop_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    require_library([])
    require_library(["desktop"])
    with pytest.raises(SetupError, match="apprise is needed to send alerts to slack://…") as raised:
        require_library(["desktop", "slack://A/B/C"])
    assert raised.value.hint == "pip install 'bursar[notify]'"
