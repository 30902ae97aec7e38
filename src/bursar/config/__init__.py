"""Files, environment and flags become typed settings; and the one place where all parts are put together.

What is behind this door is imported when it is asked for: quick commands need the budgets, and not the whole house.
"""

from bursar.doors import open_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.config.budgets import (
        BudgetSettings,
        ConfiguredBudget,
        configured_budgets,
        define_budgets,
        list_problems,
        read_budgets,
        variable_of,
    )
    from bursar.config.compose import KNOWN_AGENTS, build_agent, build_notifier, build_sandbox, open_stores
    from bursar.config.editing import set_budget
    from bursar.config.files import FILE_NAME, project_file, user_file
    from bursar.config.ledger_place import URL_VARIABLE, find_ledger_place
    from bursar.config.parallel import ParallelSettings, ParallelTable, read_parallel, variable_of_parallel
    from bursar.config.settings import load_project_settings, load_settings, load_user_settings
    from bursar.config.tables import AgentSettings, NotifyTable, RoutingTable, RunTable, Settings
    from bursar.config.windows import WINDOW_AGENTS

__all__ = [
    "FILE_NAME",
    "KNOWN_AGENTS",
    "URL_VARIABLE",
    "WINDOW_AGENTS",
    "AgentSettings",
    "BudgetSettings",
    "ConfiguredBudget",
    "NotifyTable",
    "ParallelSettings",
    "ParallelTable",
    "RoutingTable",
    "RunTable",
    "Settings",
    "build_agent",
    "build_notifier",
    "build_sandbox",
    "configured_budgets",
    "define_budgets",
    "find_ledger_place",
    "list_problems",
    "load_project_settings",
    "load_settings",
    "load_user_settings",
    "open_stores",
    "project_file",
    "read_budgets",
    "read_parallel",
    "set_budget",
    "user_file",
    "variable_of",
    "variable_of_parallel",
]

if not TYPE_CHECKING:
    __getattr__ = open_late(
        __name__,
        {
            "budgets": (
                "BudgetSettings",
                "ConfiguredBudget",
                "configured_budgets",
                "define_budgets",
                "list_problems",
                "read_budgets",
                "variable_of",
            ),
            "compose": ("KNOWN_AGENTS", "build_agent", "build_notifier", "build_sandbox", "open_stores"),
            "editing": ("set_budget",),
            "files": ("FILE_NAME", "project_file", "user_file"),
            "ledger_place": ("URL_VARIABLE", "find_ledger_place"),
            "parallel": ("ParallelSettings", "ParallelTable", "read_parallel", "variable_of_parallel"),
            "settings": ("load_project_settings", "load_settings", "load_user_settings"),
            "tables": ("AgentSettings", "NotifyTable", "RoutingTable", "RunTable", "Settings"),
            "windows": ("WINDOW_AGENTS",),
        },
    )
