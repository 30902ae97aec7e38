"""What types of subagent are to Gemini CLI, whose tools are withheld by a policy."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from bursar.agents.subagents import SubagentSettings, Table

_READS = SubagentSettings(withheld=("write_file", "replace"))
READ_ONLY = Path(__file__).with_name("read_only.toml")  # withholds the same

TYPES: Table = MappingProxyType({"explore": _READS, "plan": _READS, "bash": _READS})
