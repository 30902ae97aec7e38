"""What the adapters of CLIs from npm have in common: which program, which models, how to stop it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from bursar.agents.environment import allowed
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import MAILBOX
from bursar.agents.port import LaunchRequest, StopStep
from bursar.agents.programs import find_program
from bursar.errors import SetupError

MODEL_OPTIONS = frozenset({"--model", "-m"})


class CliAgent:
    """One CLI: `program` by setting (a path or a name), else the one on PATH that bears the agent's name.

    `models` maps tiers to model names and goes before the built-in mapping; `nested` leaves sub-agents, and what else
    the adapter withholds, to the model; `extra_arguments` come last on the command line; `passed` names variables of
    the user's that it gets beside its own (`NAME`, `PREFIX*`); `repository_settings` lets what a repository says about
    the agent take effect; without `private_home` it lives in the user's home; `environment` is the user's own.
    """

    NAME: ClassVar[str]
    PACKAGE: ClassVar[str]
    TIERS: ClassVar[Mapping[str, str]]
    STOP_LADDER: ClassVar[tuple[StopStep, ...]]
    VARIABLES: ClassVar[frozenset[str]] = frozenset()
    """Variables that are the agent's own, beside those on the base list."""
    PREFIXES: ClassVar[tuple[str, ...]] = ()
    """With what such variables begin."""
    HOME_VARIABLES: ClassVar[frozenset[str]] = frozenset()
    """Variables that say where its home is: with a private home they would lead out of it."""

    ALIAS_VARIABLES: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Names of models that mean what a variable of the user's says, where it is set."""

    OUTPUT_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Options that choose the form of what it prints."""
    READABLE_OUTPUTS: ClassVar[frozenset[str]] = frozenset()
    """Of these forms those that are read; one that the user chooses goes before ours."""

    def __init__(
        self,
        program: str | None = None,
        models: Mapping[str, str] = MappingProxyType({}),
        *,
        nested: bool = False,
        extra_arguments: tuple[str, ...] = (),
        passed: tuple[str, ...] = (),
        repository_settings: bool = False,
        private_home: bool = True,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._program = program
        self._models = {**self.TIERS, **models}
        self._aliases = {alias: environment.get(name, "") for alias, name in self.ALIAS_VARIABLES.items()}
        self._nested = nested
        self._extra_arguments = extra_arguments
        self._passed = passed
        self._repository_settings = repository_settings
        self._private_home = private_home

    @property
    def name(self) -> str:
        """What settings and labels call it."""
        return self.NAME

    @property
    def stop_ladder(self) -> tuple[StopStep, ...]:
        """How to end it politely."""
        return self.STOP_LADDER

    def find(self) -> str:
        """The program's absolute path.

        Raises:
            SetupError: it is not installed, or its arguments choose an output that cannot be metered.
        """
        if (words := self.unreadable_output()) is not None:
            what = f"`{words}` in agents.{self.NAME}.arguments chooses an output that cannot be metered"
            raise SetupError(what, hint="take it out: bursar chooses what it can read")
        return find_program(self._program or self.NAME, hint=f"npm install -g {self.PACKAGE}")

    def unreadable_output(self) -> str | None:
        """The user's arguments that choose another output than what is read; None where none does."""
        for option, chosen in self._options():
            if option in self.OUTPUT_OPTIONS and chosen not in self.READABLE_OUTPUTS:
                return f"{option} {chosen}".rstrip()
        return None

    def model_for(self, model_or_tier: str) -> str:
        """The model that the CLI will ask, so that what is held and priced is of that one; what is no tier passes.

        One that the user's arguments name goes before all others; a variable of the user's says what an alias means.
        """
        named = [value for option, value in self._options() if option in MODEL_OPTIONS and value]
        model = named[-1] if named else self._models.get(model_or_tier, model_or_tier)
        return self._aliases.get(model) or model

    def _options(self) -> Iterator[tuple[str, str]]:
        """The user's arguments, each with what it would be given: `--a=b`, or `--a b`."""
        for word, following in zip_longest(self._extra_arguments, self._extra_arguments[1:], fillvalue=""):
            option, is_joined, value = word.partition("=")
            yield option, value if is_joined else following

    def home_of(self, request: LaunchRequest, environment: Mapping[str, str]) -> PrivateHome | None:
        """The private home for an attempt; None where the agent lives in the user's."""
        if request.home is None or not self._private_home:
            return None
        return self.furnishing(request.home, environment)

    @staticmethod
    def mailbox_of(request: LaunchRequest, home: PrivateHome | None) -> Path | None:
        """Where it is told something while it works; None where it is not to be, or has no home of its own."""
        return home.folder / MAILBOX if home is not None and request.listens else None

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Never, but for those that say otherwise."""
        return False

    def furnishing(self, folder: Path, environment: Mapping[str, str]) -> PrivateHome:
        """What the private home in that folder is to hold; `environment` is the user's own."""
        raise NotImplementedError

    def passes(
        self, environment: Mapping[str, str], home: PrivateHome | None, prefixes: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """What passes of the user's environment; HOME is the private home, if there is one."""
        names = self.VARIABLES.union(self._passed, () if home else self.HOME_VARIABLES)
        kept = allowed(environment, names, (*self.PREFIXES, *prefixes))
        if home is None:
            return kept
        outside = self.HOME_VARIABLES.difference(self._passed)
        return {name: value for name, value in kept.items() if name not in outside} | {"HOME": str(home.folder)}


def read_output_cap(environment: Mapping[str, str], variable: str, *, otherwise: int) -> int:
    """The most output tokens of one call by that variable; `otherwise` where it holds no whole number above 0."""
    given = environment.get(variable, "")
    return int(given) if given.isascii() and given.isdigit() and int(given) else otherwise
