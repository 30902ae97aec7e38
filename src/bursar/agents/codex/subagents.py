"""What types of subagent are to Codex, which has one tool for everything: a shell."""

from __future__ import annotations

from types import MappingProxyType

from bursar.agents.subagents import AS_EVERY, SubagentSettings, Table

_READS = SubagentSettings(mode='sandbox_mode="read-only"')

TYPES: Table = MappingProxyType({"explore": _READS, "plan": _READS, "bash": AS_EVERY})
