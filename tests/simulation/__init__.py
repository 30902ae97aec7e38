"""Seeded whole runs with faults: see `bursar.testing.simulation`."""
