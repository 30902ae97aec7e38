"""Any program that prints the same events as Claude Code: see README.md in this folder."""

__all__: list[str] = []
