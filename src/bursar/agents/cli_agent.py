"""What the adapters of CLIs from npm have in common: which program, which models, how to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from bursar.agents.port import StopStep
from bursar.agents.programs import find_program


class CliAgent:
    """One CLI: `program` by setting (a path or a name), else the one on PATH that bears the agent's name.

    `models` maps tiers to model names and goes before the built-in mapping; `nested` leaves sub-agents, and what else
    the adapter withholds, to the model; `extra_arguments` come last on the command line.
    """

    NAME: ClassVar[str]
    PACKAGE: ClassVar[str]
    TIERS: ClassVar[Mapping[str, str]]
    STOP_LADDER: ClassVar[tuple[StopStep, ...]]

    def __init__(
        self,
        program: str | None = None,
        models: Mapping[str, str] = MappingProxyType({}),
        *,
        nested: bool = False,
        extra_arguments: tuple[str, ...] = (),
    ) -> None:
        self._program = program
        self._models = {**self.TIERS, **models}
        self._nested = nested
        self._extra_arguments = extra_arguments

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
            SetupError: it is not installed.
        """
        return find_program(self._program or self.NAME, hint=f"npm install -g {self.PACKAGE}")

    def model_for(self, model_or_tier: str) -> str:
        """The name to hand to the CLI; what is no tier passes through."""
        return self._models.get(model_or_tier, model_or_tier)


def read_output_cap(environment: Mapping[str, str], variable: str, *, otherwise: int) -> int:
    """The most output tokens of one call by that variable; `otherwise` where it holds no whole number above 0."""
    given = environment.get(variable, "")
    return int(given) if given.isascii() and given.isdigit() and int(given) else otherwise
