-- The journal: what happened, in order. Everything below it can be computed from it again, and `verify` does.
CREATE TABLE entries (
    number        INTEGER PRIMARY KEY,
    at            TEXT NOT NULL,              -- UTC, ISO 8601 with microseconds
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL,              -- of the reservation, or the name of the budget
    body          TEXT NOT NULL,              -- canonical JSON
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL
) STRICT;

CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

CREATE TABLE budgets (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    selector   TEXT NOT NULL,                 -- canonical JSON
    run        TEXT NOT NULL,                 -- the selector's label of that name; '' where it has none
    task       TEXT NOT NULL,
    unit       TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    period     TEXT NOT NULL,
    thresholds TEXT NOT NULL,                 -- canonical JSON: [[percent, level], …]
    on_limit   TEXT NOT NULL,
    spent      INTEGER NOT NULL CHECK (spent >= 0),
    reserved   INTEGER NOT NULL CHECK (reserved >= metered),
    metered    INTEGER NOT NULL CHECK (metered >= 0),
    unpriced   INTEGER NOT NULL CHECK (unpriced >= 0)
) STRICT;

CREATE INDEX budgets_by_run_and_task ON budgets (run, task);

CREATE TABLE reservations (
    id               INTEGER PRIMARY KEY,
    key              TEXT NOT NULL UNIQUE,
    request          TEXT NOT NULL,           -- canonical JSON: what the same key must come with
    labels           TEXT NOT NULL,           -- canonical JSON
    run              TEXT NOT NULL,           -- the label of that name; '' where it has none
    task             TEXT NOT NULL,
    place            TEXT NOT NULL,           -- what attempts count within; '' where no fence stands
    attempt          INTEGER NOT NULL,
    state            TEXT NOT NULL,
    held_tokens      INTEGER NOT NULL,
    held_nano_usd    INTEGER,                 -- null: unknown, here and below
    granted_tokens   INTEGER NOT NULL,
    granted_nano_usd INTEGER,
    metered_tokens   INTEGER NOT NULL,
    metered_nano_usd INTEGER NOT NULL,        -- the part that is known
    calls            INTEGER NOT NULL,
    unpriced_calls   INTEGER NOT NULL,
    charged_tokens   INTEGER,
    charged_nano_usd INTEGER,
    unknown_tokens   INTEGER NOT NULL,
    unknown_nano_usd INTEGER,
    ending           TEXT NOT NULL,           -- canonical JSON: what a repeat must come with; '' while held
    crediting        TEXT NOT NULL,
    budgets          TEXT NOT NULL,           -- canonical JSON: names
    CHECK ((charged_tokens IS NULL) = (state = 'held')),
    CHECK (held_tokens >= metered_tokens AND held_nano_usd >= metered_nano_usd)
) STRICT;

CREATE INDEX reservations_by_run_and_task ON reservations (run, task);
CREATE INDEX reservations_by_place ON reservations (place, attempt) WHERE place <> '';
CREATE INDEX reservations_held ON reservations (id) WHERE state = 'held';

CREATE TABLE calls (
    reservation           INTEGER NOT NULL REFERENCES reservations (id),
    call_id               TEXT NOT NULL,
    sequence              INTEGER NOT NULL,
    model                 TEXT NOT NULL,
    input_tokens          INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    nano_usd              INTEGER,
    provenance            TEXT NOT NULL,
    PRIMARY KEY (reservation, call_id, sequence)
) STRICT, WITHOUT ROWID;

-- One row for each threshold that will not fire again. Only those with a message have fired.
CREATE TABLE alerts (
    id        INTEGER PRIMARY KEY,
    budget    TEXT NOT NULL,
    period_id TEXT NOT NULL,
    percent   INTEGER NOT NULL,
    level     TEXT,
    at        TEXT NOT NULL,
    message   TEXT,
    UNIQUE (budget, period_id, percent)
) STRICT;
