"""A small API without a framework."""
