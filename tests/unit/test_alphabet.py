"""Small things that everything else stands on: errors, ids, paths, the clock."""

from __future__ import annotations

import os
import re

import pytest

from bursar import errors
from bursar.clock import SystemClock
from bursar.ids import RandomIds
from bursar.paths import state_dir


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UserError, 2),
        (errors.InvalidPlan, 3),
        (errors.SetupError, 6),
        (errors.AgentError, 1),
        (errors.StoreError, 6),
        (errors.KeyReused, 6),
        (errors.LedgerBusy, 6),
        (errors.OutcomeUnknown, 6),
        (errors.InternalError, 70),
    ],
)
def test_each_error_ends_a_command_with_its_documented_code(error: type[errors.BursarError], code: int) -> None:
    raised = error("words", hint="try this")
    assert (raised.exit_code, str(raised), raised.hint) == (code, "words", "try this")
    assert re.search(rf"{error.__name__}\b", errors.__doc__ or "")


def test_ids_are_short_safe_and_different() -> None:
    ids = RandomIds()
    made = {ids.new_id() for _ in range(2000)}
    assert len(made) == 2000
    assert all(re.fullmatch("[2-9a-hjkmnp-tv-z]{8}", each) for each in made)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ids.new_uuid())


def test_the_clock_tells_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() is not None
    assert clock.now().isoformat().endswith("+00:00")
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"BURSAR_STATE_DIR": "/x/y/../z", "XDG_STATE_HOME": "/s"}, "/x/z"),
        ({"BURSAR_STATE_DIR": "~/own"}, "/home/ada/own"),
        ({"BURSAR_STATE_DIR": "here"}, os.path.join(os.getcwd(), "here")),
        ({"XDG_STATE_HOME": "/s"}, "/s/bursar"),
        ({"XDG_STATE_HOME": "not/absolute"}, "/home/ada/.local/state/bursar"),
        ({"XDG_STATE_HOME": "", "BURSAR_STATE_DIR": ""}, "/home/ada/.local/state/bursar"),
        ({}, "/home/ada/.local/state/bursar"),
    ],
)
def test_where_state_is_kept(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("BURSAR_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (variables | {"HOME": "/home/ada"}).items():
        monkeypatch.setenv(name, value)
    assert state_dir() == expected
