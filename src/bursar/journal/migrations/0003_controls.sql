-- What people ask of a run that is being conducted. It is meant for that conductor: a later one goes by what is said to it.
CREATE TABLE request (
    id          INTEGER PRIMARY KEY,
    run_id      TEXT NOT NULL REFERENCES run (id),
    conductor   TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('pause', 'stop', 'cancel')),
    by_user     TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX request_by_conductor ON request (run_id, conductor);

-- A run that was ended for good; its row says `interrupted`, and is read as `cancelled`.
CREATE TABLE cancellation (
    run_id      TEXT PRIMARY KEY REFERENCES run (id),
    by_user     TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was added to a run's limit; a key counts once.
CREATE TABLE top_up (
    run_id      TEXT NOT NULL REFERENCES run (id),
    key         TEXT NOT NULL,
    amount      TEXT NOT NULL,
    new_limit   TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    at          TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- What a checkpoint asks, as the plan had it when it was reached, and what a person has answered to that.
CREATE TABLE question (
    run_id      TEXT NOT NULL,
    task        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    options     TEXT NOT NULL,  -- JSON: [[id, name, pros, cons], …]
    PRIMARY KEY (run_id, task),
    FOREIGN KEY (run_id, task) REFERENCES task (run_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE answer (
    run_id      TEXT NOT NULL,
    task        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    text        TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    at          TEXT NOT NULL,
    PRIMARY KEY (run_id, task, digest),
    FOREIGN KEY (run_id, task) REFERENCES task (run_id, number)
) STRICT, WITHOUT ROWID;

-- What an attempt that was cut off has left for the next one, and which attempt goes on with what.
CREATE TABLE remainder (
    attempt     TEXT PRIMARY KEY REFERENCES attempt (key),
    agent       TEXT NOT NULL,
    session_id  TEXT,
    home        TEXT NOT NULL,
    work_commit TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE continuation (
    attempt     TEXT PRIMARY KEY REFERENCES attempt (key),
    continues   TEXT NOT NULL REFERENCES attempt (key)
) STRICT, WITHOUT ROWID;

DROP VIEW run_overview;
CREATE VIEW run_overview AS
SELECT run.id, run.project, run.plan_id, run.plan_path,
       CASE WHEN cancellation.run_id IS NULL THEN run.state ELSE 'cancelled' END AS state,
       run.conductor, run.budget_limit, run.started_at, run.ended_at,
       COUNT(task.number) AS tasks,
       COALESCE(SUM(task.state = 'merged'), 0) AS merged,
       COALESCE(SUM(task.state = 'running'), 0) AS running,
       COALESCE(SUM(task.state IN ('failed', 'stopped', 'skipped')), 0) AS not_done
FROM run
LEFT JOIN cancellation ON cancellation.run_id = run.id
LEFT JOIN task ON task.run_id = run.id AND task.position >= 0
GROUP BY run.id;
