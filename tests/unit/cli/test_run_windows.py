"""`--window-limit`: what it means and what it refuses."""

from __future__ import annotations

import pytest

from bursar.budget import WindowLimit
from bursar.cli.parsing import parser
from bursar.cli.run_windows import add_window_flags, window_limits_of
from bursar.errors import UserError


def limits(*texts: str) -> list[WindowLimit]:
    options = parser("run", "")
    add_window_flags(options)
    return window_limits_of(options.parse_args([word for text in texts for word in ("--window-limit", text)]))


def test_an_agent_may_be_named() -> None:
    assert limits("5h=80%", "codex:7d = 50 %") == [
        WindowLimit(agent="", minutes=300, percent=80.0),
        WindowLimit(agent="codex", minutes=10_080, percent=50.0),
    ]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["5h"], "--window-limit takes [AGENT:]WINDOW=PERCENT, not '5h'"),
        (["nobody:5h=80%"], "--window-limit takes [AGENT:]WINDOW=PERCENT, not 'nobody:5h=80%'"),
        ([":5h=80%"], "--window-limit takes [AGENT:]WINDOW=PERCENT, not ':5h=80%'"),
        (["5 hours=80%"], "--window-limit: the window `5 hours` is no length of time"),
        (["5h=0.8"], "--window-limit: the limit `0.8` is no share of a window"),
        (["5h=80%", "300m=90%"], "--window-limit stands there twice for the same window"),
    ],
)
def test_what_means_no_window(texts: list[str], says: str) -> None:
    with pytest.raises(UserError) as raised:
        limits(*texts)
    assert raised.value.message == says
