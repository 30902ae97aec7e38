-- What estimates learn by: the type of the work, which task it was, and what was known before it ran (JSON, numbers).
-- `origin` is empty for what was observed here, else the name of what it was imported from.
ALTER TABLE observation ADD COLUMN task_type TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE observation ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE observation ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE observation ADD COLUMN origin TEXT NOT NULL DEFAULT '';

CREATE INDEX observation_at ON observation (at, key);

-- A person's word on the type of a task, by the task's digest; it goes before what was inferred.
CREATE TABLE correction (
    digest    TEXT PRIMARY KEY,
    task_type TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows of imports that were refused, as they came; kept so that nothing is dropped in silence.
CREATE TABLE quarantine (
    origin TEXT NOT NULL,
    line   INTEGER NOT NULL,
    text   TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (origin, line)
) STRICT, WITHOUT ROWID;
