"""The command line: one file per command, and what several share. stdout is data, stderr is words."""

__all__: list[str] = []
