"""One adapter per agent CLI: how it is found, started, listened to and stopped.

Nothing here starts a process, meters or prices: `supervision` does the first, the rooms below do the others.
"""

from bursar.agents.claude.adapter import ClaudeAgent
from bursar.agents.claude.commands import read_command
from bursar.agents.codex.adapter import CodexAgent
from bursar.agents.command.adapter import CommandAgent
from bursar.agents.command.mapping import EventMapping, read_mapping
from bursar.agents.condition import Certainty, Condition, Problem
from bursar.agents.gemini.adapter import GeminiAgent
from bursar.agents.home import PrivateHome, furnish, give_back, mirror, strip
from bursar.agents.lines import MAX_LINE_BYTES, LineSplitter
from bursar.agents.mailbox import empty_mailbox, put_words, were_heard
from bursar.agents.opencode.adapter import OpencodeAgent
from bursar.agents.port import WIDE_PIPE_BYTES, Agent, Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.readers import open_reader
from bursar.agents.reset_times import find_reset, names_limit
from bursar.agents.subagent_tables import subagent_settings
from bursar.agents.unfollowed import open_folder, read_plain, remove_name

__all__ = [
    "MAX_LINE_BYTES",
    "WIDE_PIPE_BYTES",
    "Agent",
    "Certainty",
    "ClaudeAgent",
    "CodexAgent",
    "CommandAgent",
    "Condition",
    "EventMapping",
    "GeminiAgent",
    "Launch",
    "LaunchRequest",
    "LineSplitter",
    "OpencodeAgent",
    "PrivateHome",
    "Problem",
    "StopStep",
    "StreamReader",
    "empty_mailbox",
    "find_reset",
    "furnish",
    "give_back",
    "mirror",
    "names_limit",
    "open_folder",
    "open_reader",
    "put_words",
    "read_command",
    "read_mapping",
    "read_plain",
    "remove_name",
    "strip",
    "subagent_settings",
    "were_heard",
]
