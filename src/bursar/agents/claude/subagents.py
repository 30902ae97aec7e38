"""What types of subagent are to Claude Code."""

from __future__ import annotations

from types import MappingProxyType

from bursar.agents.subagents import SubagentSettings, Table

_EDITS = ("Edit", "MultiEdit", "NotebookEdit", "Write")
_READS = SubagentSettings(withheld=_EDITS, mode="--permission-mode default")

TYPES: Table = MappingProxyType({"explore": _READS, "plan": _READS, "bash": SubagentSettings(withheld=_EDITS)})
