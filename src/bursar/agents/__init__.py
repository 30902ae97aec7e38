"""One adapter per agent CLI."""

from bursar.agents.port import Agent, Launch, LaunchRequest, StopStep, StreamReader

__all__ = ["Agent", "Launch", "LaunchRequest", "StopStep", "StreamReader"]
