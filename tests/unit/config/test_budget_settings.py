"""`[[budget]]` tables: what they mean, and everything that can be wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bursar.budget import (
    PERIOD_THRESHOLDS,
    RUN_THRESHOLDS,
    Amount,
    Budget,
    Counting,
    Level,
    Limit,
    OnLimit,
    Period,
    PeriodKind,
    Threshold,
    Unit,
    is_retired,
    title_of,
)
from bursar.clock import SystemClock
from bursar.config import configured_budgets, define_budgets, read_budgets, variable_of
from bursar.errors import UserError
from bursar.ledger import Denial, MemoryLedger, ReserveRequest


class NoonClock(SystemClock):
    """It is always noon."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


def read(root: Path, text: str, **environment: str) -> tuple[Budget, ...]:
    (root / "bursar.toml").write_text(text)
    return configured_budgets(root, {"HOME": str(root / "home"), **environment})


def one(root: Path, lines: str) -> Budget:
    (budget,) = read(root, '[[budget]]\nname = "b"\n' + lines)
    return budget


def problems(root: Path, text: str, **environment: str) -> tuple[str, ...]:
    (root / "bursar.toml").write_text(text)
    return read_budgets(root, {"HOME": str(root / "home"), **environment}).problems


def test_a_whole_table(tmp_path: Path) -> None:
    budget = one(
        tmp_path,
        'limit = "200 USD"\nmatch = { agent = "claude" }\nperiod = "monthly"\ntimezone = "Europe/Zurich"\n'
        'on_limit = "warn"\nthresholds = [0.5, 1]\nallow_unknown_price = true\n',
    )
    assert title_of(budget.name) == "b"
    assert budget.limit == Limit(200_000_000_000, Unit.USD)
    assert budget.selector == {"project": str(tmp_path), "agent": "claude"}
    assert budget.period == Period(PeriodKind.MONTHLY, 0, "Europe/Zurich")
    assert budget.thresholds == (Threshold(50, Level.INFO), Threshold(100, Level.CRITICAL))
    assert (budget.on_limit, budget.allows_unknown_price) == (OnLimit.WARN, True)


def test_defaults(tmp_path: Path) -> None:
    budget = one(tmp_path, 'limit = "5k tokens"\n')
    assert (budget.period.kind, budget.on_limit) == (PeriodKind.ALWAYS, OnLimit.BLOCK)
    assert (budget.thresholds, budget.counts) == (RUN_THRESHOLDS, Counting.TOTAL)
    assert (budget.stop_percent, budget.allows_unknown_price) == (None, False)


@pytest.mark.parametrize("period", ["daily", "weekly", "monthly", "5h"])
def test_periods_have_thresholds_of_their_own(tmp_path: Path, period: str) -> None:
    assert one(tmp_path, f'limit = "5 USD"\nperiod = "{period}"\n').thresholds == PERIOD_THRESHOLDS


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("thresholds = { warning = 0.8, stop = 1.5 }", "the stop at 1.5 is past the limit"),
        ('thresholds = { stop = 0.95 }\non_limit = "warn"', 'a `stop` blocks, and `on_limit` is "warn"'),
    ],
)
def test_a_stop_that_could_not_stop(tmp_path: Path, lines: str, problem: str) -> None:
    """It was taken, and then either every command failed or nothing was ever stopped."""
    (found,) = problems(tmp_path, f'[[budget]]\nname = "b"\nlimit = "5 USD"\n{lines}\n')
    assert problem in found


def test_thresholds_as_a_table_and_a_stop(tmp_path: Path) -> None:
    budget = one(
        tmp_path,
        'limit = "1 USD"\nthresholds = { info = 0.29, half = 0.5, warning = 0.8, critical = 0.9, stop = 0.95 }',
    )
    assert [(each.percent, each.level, each.name) for each in budget.thresholds] == [
        (29, Level.INFO, ""),  # 0.29 is 29 percent, whatever floats make of it
        (50, Level.INFO, "half"),
        (80, Level.WARNING, ""),
        (90, Level.CRITICAL, ""),
        (95, Level.CRITICAL, "stop"),
    ]
    assert budget.stop_percent == 95


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "limit = 5\n",
        'limit = "5 EUR"\n',
        'limit = "5 USD"\nmatch = "phase"\n',
        'limit = "5 USD"\nmatch = { phase = 8 }\n',
        'limit = "5 USD"\nmatch = { phase = "" }\n',
        'limit = "5 USD"\nmatch = { phase = "a\\u0007" }\n',
        'limit = "5 USD"\nmatch = { fase = "a" }\n',
        'limit = "5 USD"\nperiod = "hourly"\n',
        'limit = "5 USD"\nperiod = 5\n',
        'limit = "5 USD"\nperiod = "367d"\n',
        'limit = "5 USD"\nperiod = "daily"\ntimezone = "../etc/passwd"\n',
        'limit = "5 USD"\nperiod = "run"\ntimezone = "Europe/Zurich"\n',
        'limit = "5 USD"\nthresholds = 0.5\n',
        'limit = "5 USD"\nthresholds = [0]\n',
        'limit = "5 USD"\nthresholds = [-0.5]\n',
        'limit = "5 USD"\nthresholds = [10.01]\n',
        'limit = "5 USD"\nthresholds = [0.005]\n',
        'limit = "5 USD"\nthresholds = [nan]\n',
        'limit = "5 USD"\nthresholds = [inf]\n',
        'limit = "5 USD"\nthresholds = [true]\n',
        'limit = "5 USD"\nthresholds = ["0.5"]\n',
        'limit = "5 USD"\nthresholds = [0.8, 0.5]\n',
        'limit = "5 USD"\nthresholds = [0.5, 0.5]\n',
        'limit = "5 USD"\nthresholds = { critical = 0.9, warning = 0.8 }\n',
        'limit = "5 USD"\non_limit = "stop"\n',
        'limit = "5 USD"\non_limit = []\n',
        'limit = "5 USD"\ncounts = "total"\n',
        'limit = "5 tokens"\ncounts = "input"\n',
        'limit = "5 tokens"\nallow_unknown_price = true\n',
        'limit = "5 USD"\nallow_unknown_price = 1\n',
        'limit = "5 USD"\nlimits = "5 USD"\n',
    ],
)
def test_what_is_wrong_is_said_once(tmp_path: Path, lines: str) -> None:
    (problem,) = problems(tmp_path, f'\n[[budget]]\nname = "b"\n{lines}')
    assert problem.startswith(f"{tmp_path}/bursar.toml:2: budget `b`: ")
    with pytest.raises(UserError):
        configured_budgets(tmp_path, {"HOME": str(tmp_path)})


@pytest.mark.parametrize("name", ['""', '" "', '"a@b"', '"a\\nb"', '"a\\u001b"', "5", f'"{"x" * 81}"'])
def test_a_name_that_nobody_can_read(tmp_path: Path, name: str) -> None:
    (problem,) = problems(tmp_path, f'[[budget]]\nname = {name}\nlimit = "5 USD"\n')
    assert "(without a usable name): `name`: " in problem


@pytest.mark.parametrize(
    "text", ['[budget]\nname = "b"\n', "budget = 5\n", "budget = [5]\n", "labels = 5\n", 'labels = ["a b"]\n', "x = \n"]
)
def test_what_is_no_table_of_budgets(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"{tmp_path}/bursar.toml: ")


def test_own_labels_can_be_declared(tmp_path: Path) -> None:
    text = '[[budget]]\nname = "b"\nlimit = "5 USD"\nmatch = { team = "x" }\n'
    assert len(problems(tmp_path, text)) == 1
    (budget,) = read(tmp_path, 'labels = ["team"]\n' + text)
    assert budget.selector["team"] == "x"


def test_the_environment_changes_limits_and_nothing_else(tmp_path: Path) -> None:
    text = '[[budget]]\nname = "my day-1"\nlimit = "5 USD"\n'
    (before,) = read(tmp_path, text)
    assert variable_of("my day-1") == "BURSAR_BUDGET_MY_DAY_1"
    (after,) = read(tmp_path, text, BURSAR_BUDGET_MY_DAY_1="7 USD")
    assert (after.name, after.limit.quantity) == (before.name, 7_000_000_000)


def test_a_cloned_project_cannot_narrow_a_budget_of_the_user(tmp_path: Path) -> None:
    user = tmp_path / "home" / ".config" / "bursar" / "bursar.toml"
    user.parent.mkdir(parents=True)
    user.write_text('[[budget]]\nname = "all"\nlimit = "5 USD"\n')
    (budget,) = read(
        tmp_path, '[[budget]]\nname = "all"\nlimit = "500 USD"\nmatch = { task = "none" }\nperiod = "run"\n'
    )
    assert (budget.limit.quantity, budget.selector, budget.period.kind) == (5_000_000_000, {}, PeriodKind.ALWAYS)


@pytest.mark.parametrize(
    ("lines", "is_same"),
    [
        ('limit = "9 USD"\n', True),
        ('limit = "5 USD"\non_limit = "warn"\nthresholds = [0.1]\nallow_unknown_price = true\n', True),
        ('limit = "9 tokens"\n', False),
        ('limit = "5 USD"\nperiod = "5h"\n', False),
        ('limit = "5 USD"\nmatch = { task = "1" }\n', False),
    ],
)
def test_what_makes_it_another_budget(tmp_path: Path, lines: str, is_same: bool) -> None:
    assert (one(tmp_path, 'limit = "5 USD"\n').name == one(tmp_path, lines).name) is is_same


def ask(ledger: MemoryLedger, root: Path, key: str, tokens: int) -> bool:
    request = ReserveRequest(key=key, labels={"project": str(root)}, amount=Amount(tokens, 0))
    return not isinstance(ledger.reserve(request), Denial)


def test_a_ledger_follows_the_settings(tmp_path: Path) -> None:
    ledger = MemoryLedger(NoonClock())

    def follow(text: str) -> None:
        define_budgets(ledger, tmp_path, read(tmp_path, text))

    follow('[[budget]]\nname = "b"\nlimit = "100 tokens"\n')
    assert ask(ledger, tmp_path, "a", 80)
    assert not ask(ledger, tmp_path, "b", 80)
    entries = len(list(ledger.entries()))
    follow('[[budget]]\nname = "b"\nlimit = "100 tokens"\n')
    assert len(list(ledger.entries())) == entries  # nothing new, nothing written

    define_budgets(ledger, tmp_path / "other", ())  # another project has nothing to say about it
    assert not ask(ledger, tmp_path, "b", 80)

    follow("")
    assert [is_retired(balance.budget) for balance in ledger.budgets()] == [True]
    assert ask(ledger, tmp_path, "b", 80)
    follow('[[budget]]\nname = "b"\nlimit = "100 tokens"\n')
    (balance,) = ledger.budgets()
    assert (balance.reserved, balance.available, balance.overrun) == (160, 0, 60)
    assert list(ledger.verify()) == []


def test_two_settings_that_disagree_are_told_of_each_other(tmp_path: Path) -> None:
    """Each command defines the budget as its own settings have it: the later one holds, and says what it changed."""
    ledger = MemoryLedger(NoonClock())

    def follow(text: str) -> list[str]:
        return list(define_budgets(ledger, tmp_path, read(tmp_path, text)))

    low, high = (f'[[budget]]\nname = "b"\nlimit = "{limit} tokens"\n' for limit in (100, 300))
    assert follow(low) == []
    assert follow(low) == []
    assert follow(high) == [
        "budget `b` is changed by these settings: its limit was 100 tokens and is 300 tokens from now on"
    ]
    assert follow(low) == [
        "budget `b` is changed by these settings: its limit was 300 tokens and is 100 tokens from now on"
    ]
    (said,) = follow(low + 'on_limit = "warn"\nthresholds = [0.5]\n')
    assert "`on_limit` was block and is warn from now on; its thresholds was 0.8, 0.9, 0.95 and is 0.5" in said
    assert follow("") == []
    assert follow(low) == []  # it comes back


def test_a_ledger_that_others_use_keeps_what_may_be_in_their_settings(tmp_path: Path) -> None:
    """Somebody whose settings did not have it took the limit away from all, and was not told."""
    home, here, ledger = tmp_path / "home" / ".config" / "bursar", tmp_path / "here", MemoryLedger(NoonClock())
    home.mkdir(parents=True)
    here.mkdir()
    table = '[[budget]]\nname = "{}"\nlimit = "9 tokens"\n'

    def define(own: str, of_project: str) -> None:
        (home / "bursar.toml").write_text(own)
        (here / "bursar.toml").write_text(of_project)
        budgets = configured_budgets(here, {"HOME": str(tmp_path / "home")})
        define_budgets(ledger, here, budgets, is_shared=True)

    def limiting() -> list[tuple[str, str]]:
        known = [each.budget for each in ledger.budgets()]
        return sorted((title_of(each.name), str(each.period)) for each in known if not is_retired(each))

    define(table.format("theirs") + 'period = "daily"\n', table.format("project's"))
    define("", "")
    assert limiting() == [("theirs", "daily")]
    define(table.format("theirs") + 'period = "weekly"\n', "")
    assert limiting() == [("theirs", "weekly")]


def test_a_variable_that_means_two_budgets_is_a_problem(tmp_path: Path) -> None:
    """Else, one of the two would have a limit that somebody believes to have changed."""
    tables = "".join(f'[[budget]]\nname = "{name}"\nlimit = "5 tokens"\n' for name in ("a-b", "a_b"))
    (tmp_path / "bursar.toml").write_text(tables)
    none = {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    assert read_budgets(tmp_path, none).problems == ()
    (problem,) = read_budgets(tmp_path, none | {"BURSAR_BUDGET_A_B": "9 tokens"}).problems
    assert problem == "BURSAR_BUDGET_A_B: two budgets answer to it, `a-b` and `a_b`; give one of them another name"
