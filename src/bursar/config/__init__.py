"""Files, environment and flags become typed settings; and the one place where all parts are put together."""

from bursar.config.compose import build_agent, open_stores
from bursar.config.settings import FILE_NAME, AgentSettings, RunTable, Settings, load_settings

__all__ = [
    "FILE_NAME",
    "AgentSettings",
    "RunTable",
    "Settings",
    "build_agent",
    "load_settings",
    "open_stores",
]
