"""The private home from its opening to its end, also where its supervisor was killed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from bursar.agents import PrivateHome
from bursar.supervision import close_home, open_home
from bursar.supervision.agent_home import HOME_FILE, AgentHome


@pytest.fixture
def home(tmp_path: Path) -> PrivateHome:
    (tmp_path / "attempt").mkdir()
    login = tmp_path / "user" / "auth.json"
    login.parent.mkdir()
    login.write_text("old")
    return PrivateHome(
        folder=tmp_path / "attempt" / "home", logs=("logs",), shared={"a/auth.json": login}, written={"b": b"account"}
    )


def renew(home: PrivateHome) -> None:
    """As a CLI does it that puts a new file into the place of the link; and it has logged something."""
    draft = home.folder / "draft"
    draft.write_text("renewed")
    draft.replace(home.folder / "a/auth.json")
    (home.folder / "logs").mkdir()
    (home.folder / "logs/session.jsonl").write_text("log")


def left_in(home: PrivateHome) -> list[str]:
    return [str(path.relative_to(home.folder)) for path in home.folder.rglob("*") if not path.is_dir()]


def test_its_supervisor_looks_after_it(home: PrivateHome, tmp_path: Path) -> None:
    spec = open_home(tmp_path / "attempt", home)
    kept = AgentHome(spec, tmp_path / "attempt")
    renew(home)
    kept.look_after()
    assert (tmp_path / "user/auth.json").read_text() == "renewed"
    kept.close()
    assert left_in(home) == ["logs/session.jsonl"]
    assert not (tmp_path / "attempt" / HOME_FILE).exists()


def test_what_a_killed_supervisor_left_is_put_in_order(home: PrivateHome, tmp_path: Path) -> None:
    open_home(tmp_path / "attempt", home)
    renew(home)
    close_home(tmp_path / "attempt")
    assert (tmp_path / "user/auth.json").read_text() == "renewed"
    assert left_in(home) == ["logs/session.jsonl"]
    (home.folder / "later").write_text("x")
    close_home(tmp_path / "attempt")  # it was done: what came later is nobody's here
    assert "later" in left_in(home)


@pytest.mark.parametrize("content", ["", "not json", "{}", "[]"])
def test_a_broken_note_is_left_alone(content: str, home: PrivateHome, tmp_path: Path) -> None:
    open_home(tmp_path / "attempt", home)
    (tmp_path / "attempt" / HOME_FILE).write_text(content)
    close_home(tmp_path / "attempt")
    assert left_in(home)


def test_without_a_home_there_is_nothing_to_do(tmp_path: Path) -> None:
    AgentHome(None, tmp_path).close()
    close_home(tmp_path)


def test_odd_bytes_in_a_path(tmp_path: Path) -> None:
    """As the state directory or the user's home may have them."""
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    open_home(place, PrivateHome(folder=place / "home", shared={"a": place / "login"}, written={"b": b"x"}))
    close_home(place)
    assert list((place / "home").iterdir()) == []


@pytest.mark.parametrize("step", ["give_back", "mirror", "strip"])
def test_a_home_that_its_agent_has_locked_costs_nobody_the_attempt(
    step: str, home: PrivateHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To us, who may be its user and no more, nothing in it can be looked at."""

    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    spec = open_home(tmp_path / "attempt", home)
    own = AgentHome(msgspec.structs.replace(spec, mirrored={"place": "own"}), tmp_path / "attempt")
    monkeypatch.setattr(f"bursar.supervision.agent_home.{step}", locked)
    own.look_after()
    own.close()
