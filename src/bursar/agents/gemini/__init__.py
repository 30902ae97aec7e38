"""Gemini CLI: see README.md in this folder for what was observed of it, and of which version."""

__all__: list[str] = []
