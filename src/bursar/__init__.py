"""bursar runs coding agents on a budget you can trust."""

__version__ = "0.1.0"
