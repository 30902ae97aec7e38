-- Prices of service tiers, and prices that the user states and changes. No row of `call` refers to others by constraint any
-- more: each of the many that come in at once would have two more tables searched.

CREATE TABLE call_now (
    id      INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    model   INTEGER NOT NULL,
    message TEXT NOT NULL,  -- the provider's ids; empty where the log has none
    request TEXT NOT NULL,
    at      INTEGER NOT NULL,
    is_sidechain INTEGER NOT NULL,
    service_tier TEXT NOT NULL,  -- empty where the log has none
    input_tokens          INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    nano_usd INTEGER,     -- NULL: nobody knows
    told_nano_usd INTEGER  -- what the log itself says, which holds where there is no other price; NULL: nothing
) STRICT;

INSERT INTO call_now
    SELECT call.id, session, model, message, request, at, is_sidechain, speed, input_tokens, cache_read_tokens,
        cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, nano_usd,
        CASE source WHEN 'opencode' THEN nano_usd END
    FROM call JOIN session ON session.id = call.session ORDER BY call.id;
DROP TABLE call;
ALTER TABLE call_now RENAME TO call;

-- Calls are priced anew when what the user states has changed: `mark` tells quickly that it has not, `digest` surely.
CREATE TABLE stated_prices (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    mark   TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;

-- What is kept of the price library is kept in another form now.
DELETE FROM price;

-- Calls of a file that came in together, and of which none was known. They are rows of `call` as soon as one is met again.
CREATE TABLE bundle (
    id      INTEGER PRIMARY KEY,
    source  TEXT NOT NULL,
    is_own  INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,  -- how many of them have no cost that is known
    numbers BLOB NOT NULL  -- of their messages (call_id.py), four bytes each, in the machine's order
) STRICT;
CREATE TABLE bundle_calls (
    bundle  INTEGER PRIMARY KEY,
    calls   BLOB NOT NULL,  -- columns.py
    costs   BLOB NOT NULL   -- nano-USD of each in eight bytes, in the machine's order; -1: nobody knows
) STRICT;
