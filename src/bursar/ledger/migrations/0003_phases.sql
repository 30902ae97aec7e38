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
