"""What a plan's types of subagent are to an agent CLI: which tools it is without, and in which mode it works.

One table per adapter, from these three types; `general-purpose` is what the adapter does anyway. A task that is due to
write files is never kept from writing them, whatever its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubagentSettings:
    """One type's settings with one CLI.

    Attributes:
        withheld: names of tools, as the CLI has them, that the model is not offered.
        mode: the permission mode or sandbox, in the CLI's words; None: as for every attempt.
    """

    withheld: tuple[str, ...] = ()
    mode: str | None = None

    def __str__(self) -> str:
        parts = [f"without {', '.join(self.withheld)}"] if self.withheld else []
        return "; ".join([*parts, *([self.mode] if self.mode else [])]) or "as every attempt"


AS_EVERY = SubagentSettings()
Table = Mapping[str, SubagentSettings]


def settings_of(table: Table, subagent: str, *, writes_files: bool) -> SubagentSettings:
    """The settings of a task's type; those of every attempt for one that is due to write files."""
    return AS_EVERY if writes_files else table.get(subagent, AS_EVERY)
