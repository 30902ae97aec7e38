"""Where bursar keeps what must outlive a run: outside every checkout. Cheap to import, for the quick commands."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LEDGER_FILE = "ledger.db"
JOURNAL_FILE = "journal.db"
HISTORY_FILE = "history.db"
AUDIT_FILE = "audit.jsonl"
FORECAST_FILE = "forecast.json"  # of a run, in its own folder
LOGS_FILE = "usage.db"
SPARES = "spares"  # in a run's folder: worktrees that are kept to be used again
SETTINGS_FILE = "bursar.toml"
VIEW_FOLDER = "git"  # in an attempt's folder: the git directory that it has to itself in a sandbox
LOGINS_FOLDER = "logins"  # in a run's folder: logins that its sandboxed attempts share
HOME_FOLDER = "home"  # in an attempt's folder: the agent's private home
JOURNAL_APPLICATION_ID = 0x6272736A  # "brsj" in the header of the journal's file


def state_dir() -> str:
    """`$BURSAR_STATE_DIR`, else `bursar` in `$XDG_STATE_HOME`, else in `~/.local/state`; it may not exist yet."""
    if given := os.environ.get("BURSAR_STATE_DIR"):
        return os.path.abspath(os.path.expanduser(given))
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.local/state")
    return os.path.join(base, "bursar")


def user_settings_file(environment: Mapping[str, str]) -> str:
    """`bursar/bursar.toml` in `$XDG_CONFIG_HOME`, else in `~/.config`; it may not exist."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "bursar", SETTINGS_FILE)


def attempt_homes(state: str) -> list[str]:
    """The private homes of all attempts there have been: agents' session logs lie in them as in a user's home."""
    folders = [os.path.join(run, "attempts") for run in _folders(os.path.join(state, "runs"))]
    homes = [os.path.join(attempt, HOME_FOLDER) for folder in folders for attempt in _folders(folder)]
    return [home for home in homes if os.path.isdir(home)]


def _folders(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []
