-- What agents have written down of their own: every call once, whatever becomes of the log. Times are ms since 1970, UTC.

-- How far each log file was read. `fingerprint` has checksums of its first bytes and of the last ones before `offset`:
-- other bytes there mean another file, which is read from its beginning.
CREATE TABLE file (
    path    TEXT PRIMARY KEY,
    size    INTEGER NOT NULL,
    changed INTEGER NOT NULL,  -- the file's time of change, ns
    device  INTEGER NOT NULL,
    inode   INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    state   TEXT NOT NULL      -- what the lines before `offset` say about those behind it, as their reader writes it
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id      INTEGER PRIMARY KEY,
    source  TEXT NOT NULL,  -- the agent: claude, codex, …
    project TEXT NOT NULL,
    name    TEXT NOT NULL,
    is_own  INTEGER NOT NULL,  -- of an attempt of bursar's, by where its log lies
    UNIQUE (source, project, name, is_own)
) STRICT;

CREATE TABLE model (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE
) STRICT;

-- `id` is found from `message` (call_id.py), so that a call is found without an index beside the table.
CREATE TABLE call (
    id      INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id),
    model   INTEGER NOT NULL REFERENCES model (id),
    message TEXT NOT NULL,  -- the provider's ids; empty where the log has none
    request TEXT NOT NULL,
    at      INTEGER NOT NULL,
    is_sidechain INTEGER NOT NULL,
    speed   TEXT NOT NULL,
    input_tokens          INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    nano_usd INTEGER  -- NULL: nobody knows
) STRICT;

-- Sums over quarters of an hour, which are whole in every time zone; reports read these alone.
CREATE TABLE quarter (
    quarter INTEGER NOT NULL,  -- at / 900000
    session INTEGER NOT NULL,
    model   INTEGER NOT NULL,
    calls   INTEGER NOT NULL,
    input_tokens          INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,  -- of those whose cost is known
    unpriced INTEGER NOT NULL,  -- how many are not
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (quarter, session, model)
) STRICT, WITHOUT ROWID;

-- What providers last said of the limits of subscriptions.
CREATE TABLE plan_limit (
    source  TEXT NOT NULL,
    name    TEXT NOT NULL,
    minutes INTEGER NOT NULL,  -- its length
    percent REAL NOT NULL,     -- used, for people
    resets_at INTEGER NOT NULL,  -- s since 1970; 0: not said
    at      INTEGER NOT NULL,  -- when that was said, ms
    PRIMARY KEY (source, name, minutes)
) STRICT, WITHOUT ROWID;

-- List prices of the models that were met, so that a look at new lines need not load the price library.
CREATE TABLE price (
    model   TEXT PRIMARY KEY,
    library TEXT NOT NULL,  -- the release of the library that they are from
    data    TEXT NOT NULL   -- JSON: [[day from which on they hold, {counter: [rate, [tier, rate], …]}], …]; [] is unknown
) STRICT, WITHOUT ROWID;
