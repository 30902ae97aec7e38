"""Claude Code's transcripts: where they lie and what their lines say."""

from bursar.logs.claude.places import LogFile, find_files, find_roots
from bursar.logs.claude.records import MARKER, read_line

__all__ = ["MARKER", "LogFile", "find_files", "find_roots", "read_line"]
