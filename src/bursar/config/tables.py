"""The tables of `bursar.toml`: one structure each, with its defaults, and all of them together.

Those of budgets, prices, windows and parallel phases have modules of their own.
"""

from __future__ import annotations

import hashlib
import shlex
from typing import Any, Literal

import msgspec

from bursar.budget import Lane, Unit, WindowLimit, parse_limit, parse_share
from bursar.config.parallel import ParallelTable
from bursar.config.prices import COUNTER_OF, PriceTable
from bursar.config.sizes import parse_size
from bursar.config.windows import WindowTable, window_limits
from bursar.errors import UserError
from bursar.money import NANO_PER_USD
from bursar.notify import mask_target
from bursar.pricing import PriceOverride


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
        events: for `command` alone: where in its lines is what, if they are not those of Claude Code.
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
    events: dict[str, str | bool] | None = None
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

    def lanes(self) -> dict[str, Lane]:
        """Who bills an agent's calls, by the agent's name; those that are not named are not in it."""
        return {name: Lane(agent.lane) for name, agent in self.agents.items()}

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
        agents = {name: _without_absent(table) for name, table in self.agents.items()}
        what: Any = [agents, self.notify.targets] if self.notify.targets else agents
        what = [what, self.price] if self.price else what
        return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()


def _without_absent(table: AgentSettings) -> dict[str, Any]:
    """The table as it was before there was a mapping of events, where there is none: what was approved stays so."""
    data: dict[str, Any] = msgspec.to_builtins(table)
    return {key: value for key, value in data.items() if key != "events" or value is not None}


def _price_text(table: PriceTable) -> str:
    stated = [f"{key} {text}" for key in COUNTER_OF if (text := getattr(table, key))]
    return ", ".join(([f"like {table.like}"] if table.like else []) + stated)
