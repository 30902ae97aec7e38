-- What an agent that was told to wrap up has said is left to do.
ALTER TABLE remainder ADD COLUMN said_left TEXT NOT NULL DEFAULT '';

-- An attempt whose work was done and could not be merged: what the next one is owed, and how many there were.
CREATE TABLE refusal (
    attempt     TEXT PRIMARY KEY REFERENCES attempt (key),
    tip         TEXT NOT NULL,  -- the merged work that it did not fit onto
    files       TEXT,           -- JSON: those in conflict; NULL where none are
    reason      TEXT NOT NULL,  -- why it was red in the merged work; else empty
    log         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
