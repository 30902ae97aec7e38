-- One row per finished attempt. Times are UTC, ISO 8601; money is nano-USD, NULL where the price is unknown.
CREATE TABLE observation (
    key          TEXT PRIMARY KEY,
    at           TEXT NOT NULL,
    project      TEXT NOT NULL,
    plan_id      TEXT NOT NULL,
    task         TEXT NOT NULL,
    subagent     TEXT NOT NULL,
    complexity   INTEGER,
    agent        TEXT NOT NULL,
    model        TEXT NOT NULL,
    outcome      TEXT NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'stopped', 'interrupted')),
    tokens       INTEGER NOT NULL,
    nano_usd     INTEGER,
    calls        INTEGER NOT NULL,
    wall_seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;
