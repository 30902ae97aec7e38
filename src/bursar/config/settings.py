"""`bursar.toml` at the top of the repository, then the user's, then the environment; flags come last, from the command
line. The later goes before the earlier.

Every key is checked: an unknown one is an error, not a silence.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from bursar.budget import Unit, WindowLimit, parse_limit, parse_share
from bursar.config.files import project_file, read_settings_file, user_file
from bursar.config.ledger_place import URL_VARIABLE, check_ledger_url
from bursar.config.parallel import ParallelTable, check_parallel, parallel_in_environment
from bursar.config.prices import COUNTER_OF, PriceTable, check_prices
from bursar.config.sizes import parse_size
from bursar.config.windows import WindowTable, check_windows, window_limits
from bursar.errors import UserError
from bursar.money import NANO_PER_USD
from bursar.notify import check_target, mask_target
from bursar.pricing import PriceOverride

_KEYS_OF_BUDGETS = ("budget", "labels")  # see `budgets`
_ADDED_UP = ("price", "window")  # lists to which the later file adds, where others go in place of the earlier's


class RunTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[run]`: how runs are conducted.

    Attributes:
        verify_merged: work that others' was merged beside is verified again with it.
        fresh_attempts: at one task in one run, after its work could not be merged; then a person is asked.
        wrap_up_calls: an agent is told to wrap up when its limits have room for no more calls than that.
        wrap_up_window: the same, when so much of a window of its subscription is used.
    """

    agent: str = "claude"
    max_parallel: int = 5
    default_hold: str = "50k tokens"
    attempt_minutes: float = 60.0
    verify_minutes: float = 15.0
    verify_merged: bool = True
    fresh_attempts: int = 1
    forecast_seconds: float = 15.0
    wrap_up_calls: int = 2
    wrap_up_window: str = "98%"

    def wrap_up_percent(self) -> float:
        """The share of a window; 0 for never.

        Raises:
            UserError: it is no share of a whole.
        """
        if self.wrap_up_window in {"", "0", "0%"}:
            return 0.0
        try:
            return parse_share(self.wrap_up_window)
        except UserError as error:
            raise UserError(f"run.wrap_up_window: {error.message}", hint='wrap_up_window = "98%"') from error


class RoutingTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[routing]`: which model works on a task, and what comes after a failure.

    Attributes:
        policy: who chooses: the documented rules; what finished attempts have taught; or (`auto`) the latter once there
            are enough of them, and the rules before.
        value: what a finished task is worth to the learned policy.
        attempts: at one task in one run; each after a failure, on the next larger tier.
        escalate_named: a task whose plan names a model in full goes on with a larger one after a failure, too.
        attempt_cap: what one model may use on one task, like `1 USD`; then the task goes to the next larger tier.
        downgrade: a task for which there are too few dollars goes to a smaller tier.
        failover: agents that take over where the run's own is rate limited, in this order.
    """

    policy: Literal["auto", "rules", "learned"] = "auto"
    value: str = "5 USD"
    attempts: int = 3
    escalate_named: bool = False
    attempt_cap: str = ""
    downgrade: bool = False
    failover: list[str] = []

    def value_usd(self) -> float:
        """What a finished task is worth.

        Raises:
            UserError: it is no amount of USD.
        """
        worth = parse_limit(self.value)
        if worth.unit is not Unit.USD:
            raise UserError(f"routing.value must be in USD, not {self.value}", hint='value = "5 USD"')
        return worth.quantity / NANO_PER_USD


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[agents.NAME]`: one agent.

    Attributes:
        program: path or name of the CLI; by default what is on PATH.
        models: which model stands for a tier: small, medium, large.
        nested: leave sub-agents and workflows to the model.
        arguments: more arguments for the CLI.
        argv: for `command` alone: the program and its arguments, with {model}, {prompt}, {session_id}, {worktree}.
        env: variables of the user's that it gets beside those on its list; `PREFIX*` for all that begin so.
        repository_settings: what the repository says about the agent (hooks, servers, addresses) takes effect.
        private_home: each attempt has a home of its own, with the agent's login in it and nothing else.
        lane: who bills its calls. Dollars of a subscription charge no budget in USD; `unknown` counts at list price.
    """

    program: str | None = None
    models: dict[str, str] = {}
    nested: bool = False
    arguments: list[str] = []
    argv: list[str] = []
    env: list[str] = []
    repository_settings: bool = False
    private_home: bool = True
    lane: Literal["api", "subscription", "unknown"] = "unknown"

    def liberties(self) -> str:
        """In words, what is not kept from the agent; empty where everything is."""
        given = ["the repository's settings for it take effect"] if self.repository_settings else []
        given += [] if self.private_home else ["it lives in your home"]
        given += [f"it gets {', '.join(self.env)} of your environment"] if self.env else []
        return f" ({'; '.join(given)})" if given else ""


class NotifyTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[notify]`: who is told of alerts, beside the terminal.

    Attributes:
        targets: `desktop`, addresses that apprise knows (`json://HOST/PATH`, `slack://…`), or `env:NAME` for an
            address that stands in the environment.
        min_level: alerts from this level on are sent.
    """

    targets: list[str] = []
    min_level: Literal["info", "warning", "critical"] = "warning"


class LedgerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[ledger]`, in the user's own file alone: where the books are kept; empty for the state directory."""

    url: str = ""


class SandboxTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[sandbox]`: what agents and verify commands see of the machine. A project's file may not open it further.

    Attributes:
        network: who has it: all, agents alone, or nobody.
        readable, writable: paths of the user's that are seen in it; `~` is the home.
    """

    enabled: bool = False
    network: Literal["on", "agent", "off"] = "on"
    readable: list[str] = []
    writable: list[str] = []


class LimitsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[limits]`: what one attempt may take of the machine; 0 for no limit.

    Attributes:
        processes: of the agent and all that it starts, at once.
        file_size: of one file that it, or a verify command, writes.
        log_size: of what is kept of its output.
        disk: what its worktree and its home may take.
    """

    processes: int = 1000
    file_size: str = "20 GB"
    log_size: str = "64 MB"
    disk: str = "50 GB"

    def sizes(self) -> dict[str, int]:
        """`file_bytes`, `log_bytes` and `disk_bytes`.

        Raises:
            UserError: one is no size.
        """
        texts = (("file", "file_size", self.file_size), ("log", "log_size", self.log_size), ("disk", "disk", self.disk))
        return {f"{kind}_bytes": parse_size(text, f"limits.{name}") for kind, name, text in texts}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `bursar.toml`."""

    run: RunTable = RunTable()
    routing: RoutingTable = RoutingTable()
    agents: dict[str, AgentSettings] = {}
    notify: NotifyTable = NotifyTable()
    ledger: LedgerTable = LedgerTable()
    parallel: ParallelTable = ParallelTable()
    sandbox: SandboxTable = SandboxTable()
    limits: LimitsTable = LimitsTable()
    price: list[PriceTable] = []
    window: list[WindowTable] = []

    def windows(self) -> list[WindowLimit]:
        """How much of subscriptions' windows may be used."""
        return window_limits(self.window)

    def prices(self) -> list[PriceOverride]:
        """Prices that go before the list prices."""
        return [table.override() for table in self.price]

    def programs(self) -> list[str]:
        """What the settings would run, write to or count by, for people: programs, targets of alerts, prices."""
        lines = {name: (table.argv or [table.program or name]) + table.arguments for name, table in self.agents.items()}
        programs = [
            f"agent {name}: {shlex.join(words)}{self.agents[name].liberties()}" for name, words in sorted(lines.items())
        ]
        programs += [f"alerts go to {mask_target(target)}" for target in self.notify.targets]
        return programs + [f"calls of {table.model} are priced: {_price_text(table)}" for table in self.price]

    def digest(self) -> str:
        """Changes whenever the programs that a run would start, the places it would write to, or its prices change.

        Empty if none are named.
        """
        if not self.agents and not self.notify.targets and not self.price:
            return ""
        what: Any = [self.agents, self.notify.targets] if self.notify.targets else self.agents
        what = [what, self.price] if self.price else what
        return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()


def load_settings(root: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The project's settings with the user's and the environment's on top; defaults where nobody says anything.

    Raises:
        UserError: a file is not TOML, or a key or value is wrong.
    """
    table: dict[str, Any] = {}
    for found in (_read_project_table(root), _read_table(user_file(environment))):
        table = _merge(table, found)
    return _with_environment(msgspec.convert(table, Settings), environment)


def load_project_settings(root: Path) -> Settings:
    """What the project's own file says: others may have written it, so what it would start has to be approved.

    Raises:
        UserError: the file is not TOML, or a key or value is wrong.
    """
    return msgspec.convert(_read_project_table(root), Settings)


def load_user_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """What the user says, in their own file and the environment: nobody has to approve that.

    Raises:
        UserError: the file is not TOML, or a key or value is wrong.
    """
    return _with_environment(msgspec.convert(_read_table(user_file(environment)), Settings), environment)


def _read_project_table(root: Path) -> dict[str, Any]:
    """As `_read_table`; where the books are kept is not for a project to say."""
    path = project_file(root)
    table = _read_table(path)
    if "ledger" in table:
        raise UserError(
            f"{path}: `[ledger]` is not for a project's file: a repository does not say where your books are kept",
            hint=f"write it into {user_file()}, or export {URL_VARIABLE}",
        )
    opened = sorted({"readable", "writable"} & set(table.get("sandbox", {})))
    if opened:
        raise UserError(
            f"{path}: `sandbox.{opened[0]}` is not for a project's file: a repository does not open it",
            hint=f"write it into {user_file()}",
        )
    return table


def _read_table(path: Path) -> dict[str, Any]:
    """The file's own table but for the budgets, checked by itself; empty where there is none."""
    own = {key: value for key, value in read_settings_file(path).parse().items() if key not in _KEYS_OF_BUDGETS}
    _check(_convert(own, path), path)
    return own


def _convert(table: Mapping[str, Any], path: Path) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise UserError(f"{path}: {error}") from error


def _merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Table by table, key by key: the later goes before the earlier; a list is taken as a whole, but for prices."""
    merged = dict(earlier)
    for key, value in later.items():
        old = merged.get(key)
        if isinstance(old, list) and key in _ADDED_UP:
            merged[key] = [*old, *value]
        else:
            merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _price_text(table: PriceTable) -> str:
    stated = [f"{key} {text}" for key in COUNTER_OF if (text := getattr(table, key))]
    return ", ".join(([f"like {table.like}"] if table.like else []) + stated)


def _check(settings: Settings, path: Path) -> None:
    if settings.ledger.url:
        check_ledger_url(settings.ledger.url, f"{path}: ledger.url")
    run = settings.run
    if not 1 <= run.max_parallel <= 64:
        raise UserError(f"{path}: run.max_parallel must be from 1 to 64, not {run.max_parallel}")
    for name, minutes in (("attempt_minutes", run.attempt_minutes), ("verify_minutes", run.verify_minutes)):
        if not 0 < minutes <= 7 * 24 * 60:
            raise UserError(f"{path}: run.{name} must be more than 0 and at most a week, not {minutes}")
    if not 0 <= run.fresh_attempts <= 10:
        raise UserError(f"{path}: run.fresh_attempts must be from 0 to 10, not {run.fresh_attempts}")
    if not 0 <= run.forecast_seconds <= 24 * 60 * 60:
        raise UserError(f"{path}: run.forecast_seconds must be from 0 (never) to a day, not {run.forecast_seconds}")
    if not 0 <= run.wrap_up_calls <= 100:
        raise UserError(f"{path}: run.wrap_up_calls must be from 0 (never) to 100, not {run.wrap_up_calls}")
    run.wrap_up_percent()
    check_parallel(settings.parallel, f"{path}: parallel.")
    check_prices(settings.price, f"{path}: ")
    check_windows(settings.window, f"{path}: ")
    for agent, table in settings.agents.items():
        unknown = sorted(set(table.models) - {"small", "medium", "large"})
        if unknown:
            raise UserError(f"{path}: agents.{agent}.models knows small, medium and large, not {', '.join(unknown)}")
    if settings.limits.processes < 0:
        raise UserError(f"{path}: limits.processes must be 0 (none) or more, not {settings.limits.processes}")
    settings.limits.sizes()
    for shown in (*settings.sandbox.readable, *settings.sandbox.writable):
        if not os.path.isabs(os.path.expanduser(shown)):
            raise UserError(f"{path}: paths in [sandbox] are absolute or begin with ~, not {shown!r}")
    for number, target in enumerate(settings.notify.targets, 1):
        if problem := check_target(target):  # the target itself is not shown: it may hold a credential
            raise UserError(f"{path}: number {number} of notify.targets {problem}")


def _with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    run, agents = settings.run, dict(settings.agents)
    if agent := environment.get("BURSAR_AGENT"):
        run = msgspec.structs.replace(run, agent=agent)
    if program := environment.get("BURSAR_CLAUDE"):
        agents["claude"] = msgspec.structs.replace(agents.get("claude", AgentSettings()), program=program)
    parallel = parallel_in_environment(settings.parallel, environment)
    return msgspec.structs.replace(settings, run=run, agents=agents, parallel=parallel)
