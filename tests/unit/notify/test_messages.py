"""What is sent: levels, sources, and no secrets."""

from __future__ import annotations

import pytest

from bursar.budget import Level
from bursar.notify import build_message
from bursar.notify.message import is_loud_enough, remove_secrets

SECRET = "sk-very-secret"


def test_a_message_names_project_level_and_text() -> None:
    message = build_message(Level.CRITICAL, "budget `x` has reached 90 %", "shop", {})
    assert (message.title, message.body) == ("bursar · shop · critical", "budget `x` has reached 90 %")
    assert build_message(Level.INFO, "x", "", {}).title == "bursar · info"


@pytest.mark.parametrize("name", ["AN_API_KEY", "GITHUB_TOKEN", "db_password", "CLIENT_SECRET", "AWS_CREDENTIALS"])
def test_secrets_of_the_environment_are_taken_out(name: str) -> None:
    message = build_message(Level.INFO, f"budget `{SECRET}` of {SECRET}!", f"x{SECRET}", {name: SECRET})
    assert message.body == "budget `***` of ***!"
    assert message.title == "bursar · x*** · info"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert remove_secrets("12345678-9", {"A_KEY": "12345678", "B_KEY": "12345678-9"}) == "***"


def test_what_is_no_secret_stays() -> None:
    environment = {"HOME": "/home/ada", "SHORT_KEY": "run", "EMPTY_TOKEN": ""}
    assert remove_secrets("run in /home/ada", environment) == "run in /home/ada"


def test_one_printable_line_of_bounded_length() -> None:
    assert remove_secrets("a\nb\x1b[2J\x00c\u202ed", {}) == "a b [2J c d"
    assert len(remove_secrets("x" * 10_000, {})) == 2000


@pytest.mark.parametrize(
    ("level", "least", "loud"),
    [("info", "info", True), ("info", "warning", False), ("warning", "warning", True), ("critical", "warning", True),
     ("warning", "critical", False)],
)  # fmt: skip
def test_levels(level: str, least: str, loud: bool) -> None:
    assert is_loud_enough(Level(level), Level(least)) is loud
