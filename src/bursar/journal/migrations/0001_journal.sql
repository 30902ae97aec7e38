-- What happened to runs, tasks and attempts. Times are UTC, ISO 8601. States are stored as they are printed.
CREATE TABLE run (
    id          TEXT PRIMARY KEY,
    project     TEXT NOT NULL,
    plan_path   TEXT NOT NULL,
    plan_id     TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    branch      TEXT,
    base_commit TEXT NOT NULL,
    budget_limit TEXT,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'stopped', 'interrupted')),
    conductor   TEXT,
    started_at  TEXT NOT NULL,
    ended_at    TEXT
) STRICT;
CREATE INDEX run_by_plan ON run (project, plan_path, started_at);

CREATE TABLE task (
    run_id      TEXT NOT NULL REFERENCES run (id),
    position    INTEGER NOT NULL,  -- in the plan; -1 once the plan has lost the task
    number      TEXT NOT NULL,
    name        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'running', 'waiting', 'merged', 'failed', 'stopped', 'skipped')),
    merge_commit TEXT,
    note        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    key         TEXT PRIMARY KEY,
    run_id      TEXT NOT NULL,
    task        TEXT NOT NULL,
    number      INTEGER NOT NULL,
    model       TEXT NOT NULL,
    directory   TEXT NOT NULL,
    base_commit TEXT NOT NULL,
    session_id  TEXT NOT NULL,
    worktree    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('planned', 'merging', 'succeeded', 'failed', 'stopped', 'interrupted')),
    started_at  TEXT NOT NULL,
    merge_commit TEXT,
    note        TEXT NOT NULL DEFAULT '',
    ended_at    TEXT,
    digest      TEXT NOT NULL DEFAULT '',
    FOREIGN KEY (run_id, task) REFERENCES task (run_id, number),
    UNIQUE (run_id, task, number)
) STRICT, WITHOUT ROWID;

-- Content that a person has approved to be run, by its sha256.
CREATE TABLE approval (
    digest      TEXT PRIMARY KEY,
    plan_path   TEXT NOT NULL,
    approved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What `bursar status` prints: it reads this view alone.
CREATE VIEW run_overview AS
SELECT run.id, run.project, run.plan_id, run.plan_path, run.state, run.conductor, run.budget_limit,
       run.started_at, run.ended_at,
       COUNT(task.number) AS tasks,
       COALESCE(SUM(task.state = 'merged'), 0) AS merged,
       COALESCE(SUM(task.state = 'running'), 0) AS running,
       COALESCE(SUM(task.state IN ('failed', 'stopped', 'skipped')), 0) AS not_done
FROM run LEFT JOIN task ON task.run_id = run.id AND task.position >= 0
GROUP BY run.id;
