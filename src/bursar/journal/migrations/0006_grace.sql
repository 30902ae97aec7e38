-- How long agents that can be told to wrap up may take for that, where a run is asked to stop; 0: they are stopped at once.
ALTER TABLE request ADD COLUMN grace_seconds REAL NOT NULL DEFAULT 0;
