"""`bursar alert test`: who gets it, what is said of it, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bursar.cli.main import main
from bursar.notify import targets as room
from tests.integration.webhooks import webhook


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout named `shop`, seen from a folder within."""
    shop = tmp_path / "shop"
    (shop / ".git").mkdir(parents=True)
    (shop / "src").mkdir()
    monkeypatch.chdir(shop / "src")
    return shop


def configure(project: Path, *targets: str) -> None:
    (project / "bursar.toml").write_text(f"[notify]\ntargets = {json.dumps(targets)}\n", encoding="utf-8")


def test_everybody_gets_it(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as one, webhook(500, 200) as other:
        monkeypatch.setenv("BURSAR_TEST_HOOK", other.target)
        configure(project, one.target, "env:BURSAR_TEST_HOOK")
        assert main(["alert", "test"]) == 0
        assert one.next_message()["title"] == "bursar · shop · info"
        assert other.received.qsize() == 2
    said = capsys.readouterr()
    assert said.out == f"delivered  {one.shown}\ndelivered  env:BURSAR_TEST_HOOK after 2 tries\n"
    assert said.err == ""


def test_somebody_does_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with webhook() as one, webhook(403) as other:
        configure(project, one.target, other.target, "env:BURSAR_NOT_SET")
        assert main(["alert", "test"]) == 1
    assert capsys.readouterr().out == (
        f"delivered  {one.shown}\n"
        f"failed     {other.shown}: the service answered 403\n"
        "failed     env:BURSAR_NOT_SET: the environment variable BURSAR_NOT_SET is not set\n"
    )


def test_nothing_is_configured(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alert", "test"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: no targets for alerts are configured\n\nhint: ")


def test_a_target_on_the_command_line_goes_instead(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with webhook() as one, webhook() as other:
        configure(project, one.target)
        assert main(["alert", "test", "--target", other.target, "--json"]) == 0
        assert (one.received.qsize(), other.received.qsize()) == (0, 1)
    assert json.loads(capsys.readouterr().out) == [
        {"target": other.shown, "delivered": True, "tries": 1, "reason": ""},
    ]


@pytest.mark.parametrize("target", ["", "slack:s3cret", "s3cret", "env:s3 cret", "json://s3cret\x1b"])
def test_a_target_that_is_none_is_refused_and_not_repeated(
    project: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    configure(project, target)
    assert main(["alert", "test"]) == 2
    assert main(["alert", "test", "--target", target]) == 2
    said = capsys.readouterr()
    assert "number 1 of notify.targets" in said.err
    assert "--target number 1" in said.err
    assert "s3" not in said.err


@pytest.mark.parametrize("arguments", [[], ["send"], ["test", "x"], ["test", "--target"]])
def test_arguments_that_are_none(project: Path, arguments: list[str]) -> None:
    assert main(["alert", *arguments]) == 2


def test_without_apprise(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    configure(project, "desktop", "slack://A/B/s3cret")
    assert main(["alert", "test"]) == 6
    said = capsys.readouterr()
    assert said.err == ("error: apprise is needed to send alerts to slack://…\n\nhint: pip install 'bursar[notify]'\n")
    assert said.out == ""
