-- A run may be of several plans: `scope` says what was asked for (JSON), and each of its plans has a row.
ALTER TABLE run ADD COLUMN scope TEXT;

CREATE TABLE run_plan (
    run_id     TEXT NOT NULL REFERENCES run (id),
    position   INTEGER NOT NULL,  -- in the run; -1 once the run has lost the plan
    plan_id    TEXT NOT NULL,     -- tasks of the plan are numbered PLAN_ID/TASK
    path       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    phase      TEXT NOT NULL DEFAULT '',
    phase_name TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, plan_id)
) STRICT, WITHOUT ROWID;

-- What `bursar status` and `bursar parallel status` say of the phases of a run.
CREATE VIEW phase_overview AS
SELECT run_plan.run_id, run_plan.phase, MIN(run_plan.phase_name) AS phase_name, MIN(run_plan.position) AS position,
       COUNT(DISTINCT run_plan.plan_id) AS plans,
       COUNT(task.number) AS tasks,
       COALESCE(SUM(task.state = 'merged'), 0) AS merged,
       COALESCE(SUM(task.state = 'running'), 0) AS running,
       COALESCE(SUM(task.state = 'waiting'), 0) AS waiting,
       COALESCE(SUM(task.state = 'failed'), 0) AS failed,
       COALESCE(SUM(task.state = 'stopped'), 0) AS stopped,
       COALESCE(SUM(task.state = 'skipped'), 0) AS skipped
FROM run_plan LEFT JOIN task ON task.run_id = run_plan.run_id AND task.position >= 0
     AND substr(task.number, 1, length(run_plan.plan_id) + 1) = run_plan.plan_id || '/'
WHERE run_plan.position >= 0 AND run_plan.phase <> ''
GROUP BY run_plan.run_id, run_plan.phase;

-- Runs of other machines, for looking at: nothing is gone on with, and no money of theirs is in the ledger here.
CREATE TABLE imported_run (
    run_id      TEXT PRIMARY KEY REFERENCES run (id),
    digest      TEXT NOT NULL,  -- of what was imported
    content     TEXT NOT NULL,
    imported_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
