"""What types of subagent are to OpenCode, whose permission `edit` is that of all tools that change files."""

from __future__ import annotations

from types import MappingProxyType

from bursar.agents.subagents import SubagentSettings, Table

_READS = SubagentSettings(withheld=("edit",))

TYPES: Table = MappingProxyType({"explore": _READS, "plan": _READS, "bash": _READS})
