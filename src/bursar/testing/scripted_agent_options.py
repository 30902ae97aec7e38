"""The scripted agent's command line: Claude Code's flags, as far as they matter to it."""

from __future__ import annotations

import sys

MODELS = {"haiku": "claude-haiku-5-5", "sonnet": "claude-sonnet-5-5", "opus": "claude-opus-5-5"}
VALUE_FLAGS = {
    "--model", "--session-id", "--output-format", "--permission-mode", "--append-system-prompt", "--mcp-config",
    "--settings", "--setting-sources", "--input-format", "--max-turns", "--max-budget-usd", "--resume", "--effort",
}  # fmt: skip
LIST_FLAGS = {"--allowedTools", "--allowed-tools", "--disallowedTools", "--disallowed-tools", "--add-dir", "--tools"}


class Options:
    """What the command line says; the prompt comes from it or from stdin."""

    def __init__(self, argv: list[str]) -> None:
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.flags: set[str] = set()
        self.words: list[str] = []
        self._parse(list(argv))
        self.prompt = self.words[0] if self.words else sys.stdin.read()
        name = self.values.get("--model", "sonnet")
        self.model = MODELS.get(name, name)
        self.session_id = self.values.get("--session-id", "00000000-0000-4000-8000-000000000000")
        self.output_format = self.values.get("--output-format", "text")
        listed = self.lists.get("--disallowedTools", []) + self.lists.get("--disallowed-tools", [])
        self.hook = _hook_after_tools(self.values.get("--settings", ""))
        self.disallowed = {name for item in listed for name in item.replace(",", " ").split()}

    def _parse(self, rest: list[str]) -> None:
        while rest:
            word = rest.pop(0)
            name, sign, value = word.partition("=")
            if not word.startswith("-"):
                self.words.append(word)
            elif name in VALUE_FLAGS:
                self.values[name] = value if sign else rest.pop(0) if rest else ""
            elif name in LIST_FLAGS:
                taken = self.lists.setdefault(name, [value] if sign else [])
                while not sign and rest and not rest[0].startswith("-"):
                    taken.append(rest.pop(0))
            else:
                self.flags.add(word)


def _hook_after_tools(settings: str) -> str:
    """The command that the settings have run after each tool; empty without one."""
    if not settings:
        return ""
    import json

    table = json.loads(settings).get("hooks", {}).get("PostToolUse", [])
    return next((str(hook["command"]) for entry in table for hook in entry["hooks"]), "")
