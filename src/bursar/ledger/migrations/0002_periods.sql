-- A budget is counted anew in every period; tokens can be counted in three ways; dollars of a subscription are left out.
-- What the release before called the period `run` never ended: it is `always` now.

CREATE TABLE balances (
    budget    INTEGER NOT NULL REFERENCES budgets (id),
    period_id TEXT NOT NULL,
    spent     INTEGER NOT NULL CHECK (spent >= 0),
    reserved  INTEGER NOT NULL CHECK (reserved >= metered),
    metered   INTEGER NOT NULL CHECK (metered >= 0),
    unpriced  INTEGER NOT NULL CHECK (unpriced >= 0),
    exempt    INTEGER NOT NULL CHECK (exempt >= 0),   -- operations on a subscription that the figures leave out
    PRIMARY KEY (budget, period_id)
) STRICT, WITHOUT ROWID;

INSERT INTO balances (budget, period_id, spent, reserved, metered, unpriced, exempt)
SELECT id, 'always', spent, reserved, metered, unpriced, 0 FROM budgets
WHERE name IN (SELECT each.value FROM reservations, json_each(reservations.budgets) AS each);

ALTER TABLE budgets DROP COLUMN spent;
ALTER TABLE budgets DROP COLUMN reserved;
ALTER TABLE budgets DROP COLUMN metered;
ALTER TABLE budgets DROP COLUMN unpriced;
ALTER TABLE budgets ADD COLUMN timezone TEXT;                    -- null: UTC
ALTER TABLE budgets ADD COLUMN counts TEXT NOT NULL DEFAULT 'total';
ALTER TABLE budgets ADD COLUMN stop_percent INTEGER;             -- null: the limit may be reached
ALTER TABLE budgets ADD COLUMN allows_unknown_price INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN last_period TEXT;                 -- the latest in which something was put on it

UPDATE budgets SET period = 'always';
UPDATE budgets SET last_period = 'always' WHERE id IN (SELECT budget FROM balances);
UPDATE alerts SET period_id = 'always';

-- Null: nobody said, so it is at most the tokens beside it.
ALTER TABLE reservations ADD COLUMN held_fresh_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN held_output_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN granted_fresh_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN granted_output_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN metered_fresh_tokens INTEGER;   -- null: all the metered ones
ALTER TABLE reservations ADD COLUMN metered_output_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN charged_fresh_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN charged_output_tokens INTEGER;
ALTER TABLE reservations ADD COLUMN exempt TEXT NOT NULL DEFAULT '[]';   -- canonical JSON, as `budgets`

-- Budgets with the period that took the hold: [[name, period], …].
UPDATE reservations SET budgets = (
    SELECT json_group_array(json_array(each.value, 'always')) FROM json_each(reservations.budgets) AS each
);

UPDATE reservations SET
    metered_fresh_tokens = nullif(metered_tokens - sums.cache_read_tokens, metered_tokens),
    metered_output_tokens = nullif(sums.output_tokens, metered_tokens)
FROM (
    SELECT reservation, sum(cache_read_tokens) AS cache_read_tokens, sum(output_tokens) AS output_tokens
    FROM calls GROUP BY reservation
) AS sums
WHERE sums.reservation = reservations.id;

-- Calls that passed a hold raised it, and of each part by no more than they used.
UPDATE reservations SET
    held_fresh_tokens = nullif(max(granted_tokens, ifnull(metered_fresh_tokens, metered_tokens)), held_tokens),
    held_output_tokens = nullif(max(granted_tokens, ifnull(metered_output_tokens, metered_tokens)), held_tokens);
