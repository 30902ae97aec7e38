-- What was charged to each phase of a session, so that nobody has to add up all its operations to know.
CREATE TABLE phases (
    session TEXT NOT NULL,
    phase   TEXT NOT NULL,
    first   INTEGER NOT NULL,                 -- number of the entry in which the phase was first heard of
    tokens  INTEGER NOT NULL CHECK (tokens >= 0),
    PRIMARY KEY (session, phase)
) STRICT, WITHOUT ROWID;

INSERT INTO phases (session, phase, first, tokens)
SELECT labels ->> '$.session', labels ->> '$.phase', min(opened.number), sum(ifnull(charged_tokens, 0))
FROM reservations
JOIN (SELECT key, min(number) AS number FROM entries WHERE kind IN ('reserved', 'charged') GROUP BY key) AS opened
    ON opened.key = reservations.key
WHERE labels ->> '$.session' IS NOT NULL AND labels ->> '$.phase' IS NOT NULL
GROUP BY 1, 2;

-- One index serves run, task and attempt: a fence stands within a task of a run. What is held is found by its run.
DROP INDEX reservations_by_run_and_task;
DROP INDEX reservations_by_place;
DROP INDEX reservations_held;
CREATE INDEX reservations_by_run_and_task ON reservations (run, task, attempt);
CREATE INDEX reservations_held ON reservations (run, id) WHERE state = 'held';

-- A threshold that a raised limit has put out of reach again may fire anew: what it said before stays, and is over.
CREATE TABLE fired (
    id        INTEGER PRIMARY KEY,
    budget    TEXT NOT NULL,
    period_id TEXT NOT NULL,
    percent   INTEGER NOT NULL,
    level     TEXT,
    at        TEXT NOT NULL,
    message   TEXT,
    is_over   INTEGER NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1))
) STRICT;

INSERT INTO fired (id, budget, period_id, percent, level, at, message)
SELECT id, budget, period_id, percent, level, at, message FROM alerts;

DROP TABLE alerts;
ALTER TABLE fired RENAME TO alerts;
CREATE UNIQUE INDEX alerts_in_force ON alerts (budget, period_id, percent) WHERE is_over = 0;
CREATE INDEX alerts_by_budget ON alerts (budget);
