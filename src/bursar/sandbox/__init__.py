"""A sandbox around agents and verify commands, by bubblewrap: what they see of the machine, and what they may write.

It refuses to run anything without a sandbox where one was asked for: it is there and works, or it is an error.
"""

from bursar.sandbox.bubblewrap import Network, Placed, Sandbox, open_sandbox
from bursar.sandbox.tools import tool_folders

__all__ = ["Network", "Placed", "Sandbox", "open_sandbox", "tool_folders"]
