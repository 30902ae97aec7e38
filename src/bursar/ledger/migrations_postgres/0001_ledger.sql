-- Which of these files the schema has had.
CREATE TABLE bursar_migrations (
    number     BIGINT PRIMARY KEY,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The journal: what happened, in order. Everything below it can be computed from it again, and `verify` does.
-- Texts are compared by code point, as everywhere else, whatever the collation of the database. Names can be longer than
-- what fits into a B-tree (2,704 bytes): they are found, and kept apart, by hashes.
CREATE TABLE entries (
    number        BIGINT PRIMARY KEY,
    at            TEXT COLLATE "C" NOT NULL,      -- UTC, ISO 8601 with microseconds
    kind          TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,      -- of the reservation, or the name of the budget
    body          TEXT COLLATE "C" NOT NULL,      -- canonical JSON; not jsonb, which would write it anew
    previous_hash TEXT COLLATE "C" NOT NULL,
    hash          TEXT COLLATE "C" NOT NULL
);

-- The end of the journal, so that nobody can cut some off. One row; only the trigger below changes it.
CREATE TABLE head (
    is_only BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (is_only),
    number  BIGINT NOT NULL,
    hash    TEXT COLLATE "C" NOT NULL
);

INSERT INTO head (number, hash) VALUES (0, repeat('0', 64));

CREATE FUNCTION entries_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER entries_are_never_changed BEFORE UPDATE OR DELETE ON entries
FOR EACH ROW EXECUTE FUNCTION entries_are_append_only();

CREATE TRIGGER entries_are_never_emptied BEFORE TRUNCATE ON entries
FOR EACH STATEMENT EXECUTE FUNCTION entries_are_append_only();

-- The chain cannot fork: an entry follows the head, or is refused.
CREATE FUNCTION entries_follow_the_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE head SET number = NEW.number, hash = NEW.hash
    WHERE head.number = NEW.number - 1 AND head.hash = NEW.previous_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entry % does not follow the last one', NEW.number
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER entries_move_the_head AFTER INSERT ON entries
FOR EACH ROW EXECUTE FUNCTION entries_follow_the_head();

CREATE FUNCTION digest_of(name TEXT) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(convert_to(name, 'UTF8'));

CREATE TABLE budgets (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 TEXT COLLATE "C" NOT NULL,
    selector             TEXT COLLATE "C" NOT NULL,   -- canonical JSON
    run                  TEXT COLLATE "C" NOT NULL,   -- the selector's label of that name; '' where it has none
    task                 TEXT COLLATE "C" NOT NULL,
    unit                 TEXT COLLATE "C" NOT NULL,
    counts               TEXT COLLATE "C" NOT NULL,
    period               TEXT COLLATE "C" NOT NULL,
    timezone             TEXT COLLATE "C",            -- null: UTC
    quantity             BIGINT NOT NULL CHECK (quantity > 0),
    thresholds           TEXT COLLATE "C" NOT NULL,   -- canonical JSON: [[percent, level], …]
    on_limit             TEXT COLLATE "C" NOT NULL,
    stop_percent         BIGINT,                      -- null: the limit may be reached
    allows_unknown_price BIGINT NOT NULL CHECK (allows_unknown_price IN (0, 1)),
    last_period          TEXT COLLATE "C",            -- the latest in which something was put on it
    EXCLUDE USING hash (name WITH =)
);

CREATE INDEX budgets_by_run ON budgets USING hash (run);

CREATE TABLE balances (
    budget    BIGINT NOT NULL REFERENCES budgets (id),
    period_id TEXT COLLATE "C" NOT NULL,
    spent     BIGINT NOT NULL CHECK (spent >= 0),
    reserved  BIGINT NOT NULL CHECK (reserved >= metered),
    metered   BIGINT NOT NULL CHECK (metered >= 0),
    unpriced  BIGINT NOT NULL CHECK (unpriced >= 0),
    exempt    BIGINT NOT NULL CHECK (exempt >= 0)     -- operations on a subscription that the figures leave out
);

CREATE UNIQUE INDEX balances_once ON balances (budget, digest_of(period_id));

CREATE TABLE reservations (
    id                     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key                    TEXT COLLATE "C" NOT NULL,
    request                TEXT COLLATE "C" NOT NULL, -- canonical JSON: what the same key must come with
    labels                 TEXT COLLATE "C" NOT NULL, -- canonical JSON
    run                    TEXT COLLATE "C" NOT NULL, -- the label of that name; '' where it has none
    task                   TEXT COLLATE "C" NOT NULL,
    place                  TEXT COLLATE "C" NOT NULL, -- what attempts count within; '' where no fence stands
    attempt                BIGINT NOT NULL,
    budgets                TEXT COLLATE "C" NOT NULL, -- canonical JSON: [[name, period], …]
    exempt                 TEXT COLLATE "C" NOT NULL, -- the same, of budgets that leave it out
    state                  TEXT COLLATE "C" NOT NULL,
    held_tokens            BIGINT NOT NULL,
    held_nano_usd          BIGINT,                    -- null: unknown, here and below
    held_fresh_tokens      BIGINT,                    -- null: nobody said, so at most the tokens beside it
    held_output_tokens     BIGINT,
    granted_tokens         BIGINT NOT NULL,
    granted_nano_usd       BIGINT,
    granted_fresh_tokens   BIGINT,
    granted_output_tokens  BIGINT,
    metered_tokens         BIGINT NOT NULL,
    metered_nano_usd       BIGINT NOT NULL,           -- the part that is known
    metered_fresh_tokens   BIGINT,                    -- null: all the metered ones
    metered_output_tokens  BIGINT,
    calls                  BIGINT NOT NULL,
    unpriced_calls         BIGINT NOT NULL,
    charged_tokens         BIGINT,
    charged_nano_usd       BIGINT,
    charged_fresh_tokens   BIGINT,
    charged_output_tokens  BIGINT,
    unknown_tokens         BIGINT NOT NULL,
    unknown_nano_usd       BIGINT,
    ending                 TEXT COLLATE "C" NOT NULL, -- canonical JSON: what a repeat must come with; '' while held
    crediting              TEXT COLLATE "C" NOT NULL,
    EXCLUDE USING hash (key WITH =),
    CHECK ((charged_tokens IS NULL) = (state = 'held')),
    CHECK (held_tokens >= metered_tokens AND held_nano_usd >= metered_nano_usd)
);

CREATE INDEX reservations_by_run ON reservations USING hash (run);
CREATE INDEX reservations_by_task ON reservations USING hash (task);
CREATE INDEX reservations_by_place ON reservations USING hash (place) WHERE place <> '';
CREATE INDEX reservations_held ON reservations (id) WHERE state = 'held';

-- The texts of an agent are kept as canonical JSON: a text of PostgreSQL cannot hold every character.
CREATE TABLE calls (
    reservation           BIGINT NOT NULL REFERENCES reservations (id),
    call_id               TEXT COLLATE "C" NOT NULL,
    sequence              BIGINT NOT NULL,
    model                 TEXT COLLATE "C" NOT NULL,
    input_tokens          BIGINT NOT NULL,
    cache_read_tokens     BIGINT NOT NULL,
    cache_write_5m_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    output_tokens         BIGINT NOT NULL,
    nano_usd              BIGINT,
    provenance            TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX calls_once ON calls (reservation, sequence, digest_of(call_id));

-- One row for each threshold that will not fire again. Only those with a message have fired.
CREATE TABLE alerts (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    budget    TEXT COLLATE "C" NOT NULL,
    period_id TEXT COLLATE "C" NOT NULL,
    percent   BIGINT NOT NULL,
    level     TEXT COLLATE "C",
    at        TEXT COLLATE "C" NOT NULL,
    message   TEXT COLLATE "C"
);

CREATE UNIQUE INDEX alerts_once ON alerts (digest_of(budget), digest_of(period_id), percent);
