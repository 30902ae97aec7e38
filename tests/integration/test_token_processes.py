"""`bursar token` as whole processes: many at once, killed, and quick to start."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bursar.clock import SystemClock
from bursar.ledger import State, open_ledger

SEED = int(os.environ.get("BURSAR_SEED", "20261121"))
SNAPSHOT = ".planning/token_budget.json"
HEAVY = (
    "aiohttp apprise apsw.shell asyncio concurrent.futures genai_prices http logging msgspec multiprocessing numpy"
    " pathlib psycopg psycopg2 pydantic ruamel sqlite3 ssl subprocess tomllib unittest urllib uuid secrets"
    " bursar.agents bursar.config.budgets bursar.config.compose bursar.config.files bursar.config.settings"
    " bursar.estimation bursar.graph bursar.history bursar.journal bursar.metering"
    " bursar.notify bursar.plan bursar.pricing bursar.processes bursar.reports bursar.routing bursar.run"
    " bursar.supervision bursar.verification bursar.worktrees bursar.budget.window decimal locale"
)


class Shop:
    """A checkout, and commands that are run in it by processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        (self.root / ".git").mkdir(parents=True)
        self.ledger_path = folder / "state" / "ledger.db"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BURSAR_", "XDG_"))},
            "BURSAR_STATE_DIR": str(folder / "state"),
            "HOME": str(folder / "home"),
        }

    def start(self, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bursar", "token", *map(str, words)]
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def token(self, *words: object) -> tuple[int, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return process.returncode, out

    def at_once(self, commands: Sequence[Sequence[object]]) -> list[tuple[int, str]]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda words: self.token(*words), commands))

    def report(self) -> Any:
        code, out = self.token("report")
        assert code == 0
        return json.loads(out)

    def snapshot(self) -> Any:
        return json.loads((self.root / SNAPSHOT).read_text(encoding="utf-8"))

    def check_books(self) -> None:
        ledger = open_ledger(self.ledger_path, SystemClock())
        assert list(ledger.verify()) == []
        ledger.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_eight_at_once_never_reach_the_stop(shop: Shop) -> None:
    """Of 190,000 − 1 tokens that may be held, nine times 20,000 fit, and then nothing of that size."""
    assert shop.token("init") == (0, "Token budget initialized for opus (200k limit)\n")
    answers = shop.at_once([("reserve", 20000, f"phase-{number}") for number in range(16)])
    granted = [json.loads(out) for code, out in answers if code == 0]
    denied = [json.loads(out) for code, out in answers if code == 1]
    assert (len(granted), len(denied)) == (9, 7)
    assert all(each["can_proceed"] for each in granted)
    assert not any(each["can_proceed"] for each in denied)
    assert max(each["utilization"] for each in granted) == 0.9
    assert {each["utilization"] for each in denied} == {1.0}
    assert len({each["reservation"] for each in granted}) == 9
    report = shop.report()
    assert report["reserved_tokens"] == 180000
    assert shop.snapshot() == report
    shop.check_books()


def test_one_key_from_eight_processes_is_one_hold(shop: Shop) -> None:
    shop.token("init")
    answers = shop.at_once([("reserve", 1000, "build", "--key", "job")] * 8)
    assert {code for code, _ in answers} == {0}
    assert len({out for _, out in answers}) == 1
    assert shop.report()["reserved_tokens"] == 1000


def test_one_of_eight_takes_an_old_snapshot_over(shop: Shop) -> None:
    (shop.root / ".planning").mkdir()
    (shop.root / SNAPSHOT).write_text('{"current_usage": 45000, "max_tokens": 200000}', encoding="utf-8")
    answers = shop.at_once([("reserve", 100, f"phase-{number}") for number in range(8)])
    assert {code for code, _ in answers} == {0}
    report = shop.report()
    assert (report["current_usage"], report["reserved_tokens"]) == (45000, 800)
    assert shop.snapshot() == report
    shop.check_books()


def test_the_last_snapshot_is_true_whatever_comes_together(shop: Shop) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    shop.token("init")
    shop.at_once([("reserve", 1000 + number, f"p{number}", "--key", f"k{number}") for number in range(8)])
    commands: list[Sequence[object]] = [("settle", f"k{number}", 900) for number in range(4)]
    commands += [("release", f"k{number}") for number in range(4, 6)]
    commands += [("record", 50, f"p{number}") for number in range(6, 8)]
    commands += [("record", 7, "alone")] * 4
    dice.shuffle(commands)
    assert {code for code, _ in shop.at_once(commands)} == {0}
    report = shop.report()
    assert shop.snapshot() == report
    assert report["current_usage"] == 4 * 900 + 2 * 50 + 4 * 7
    assert (report["reserved_tokens"], report["reservations"]) == (0, [])
    assert report["phase_breakdown"]["alone"] == 28
    shop.check_books()


def test_resets_that_come_together_are_sessions_of_their_own_and_forget_no_hold(shop: Shop) -> None:
    shop.token("init")
    answers = shop.at_once([("reset",), ("reserve", 1000, "a")] * 4)
    assert {code for code, _ in answers} == {0}
    report = shop.report()
    assert report["session"].endswith("-5")
    assert shop.snapshot() == report
    ledger = open_ledger(shop.ledger_path, SystemClock())
    holds = ledger.reservations({"project": str(shop.root.resolve())})
    assert len(holds) == 4
    assert all(hold.state is State.FORFEITED or hold.labels["session"] == report["session"] for hold in holds)
    ledger.close()
    shop.check_books()


def test_holds_outlive_a_killed_process_and_the_snapshot_is_never_half(shop: Shop) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    shop.token("init", "--max-tokens", 1000000)
    for number in range(12):
        process = shop.start("reserve", 100, "a", "--key", f"k{number}")
        try:
            process.wait(timeout=dice.uniform(0.02, 0.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        if process.returncode == 0:
            assert json.loads(out)["can_proceed"] is True
        assert shop.snapshot()["max_tokens"] == 1000000
    for number in range(12):
        assert shop.token("reserve", 100, "a", "--key", f"k{number}")[0] == 0  # held before or not: it is now, once
    report = shop.report()
    assert report["reserved_tokens"] == 1200
    assert shop.snapshot() == report
    shop.check_books()


@pytest.mark.parametrize("words", [["reserve", "5", "x"], ["report"], ["reserve", "0", "x"], ["--help"]])
def test_nothing_heavy_is_on_the_way(shop: Shop, words: list[str]) -> None:
    shop.token("init")
    code = (
        "import sys\nfrom bursar.cli.main import main\n"
        f"try:\n    main(['token', *{words!r}])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.root, env=shop.environment, capture_output=True, text=True, check=True
    )
    assert found.stderr.splitlines()[-1] == "[]"


def test_settings_are_opened_only_where_there_are_some(shop: Shop) -> None:
    """What the test above relies on: with a settings file the budgets in it are read, and count."""
    (shop.root / "bursar.toml").write_text('[[budget]]\nname = "all"\nlimit = "10 tokens"\n')
    shop.token("init")
    code, out = shop.token("reserve", 11, "x")
    assert code == 1
    assert [each["available"] for each in json.loads(out)["blocked_by"]] == [10]
