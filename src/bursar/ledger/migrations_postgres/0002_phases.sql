-- What was charged to each phase of a session, so that nobody has to add up all its operations to know.
CREATE TABLE phases (
    session TEXT COLLATE "C" NOT NULL,
    phase   TEXT COLLATE "C" NOT NULL,
    first   BIGINT NOT NULL,                      -- number of the entry in which the phase was first heard of
    tokens  BIGINT NOT NULL CHECK (tokens >= 0)
);

CREATE UNIQUE INDEX phases_once ON phases (digest_of(session), digest_of(phase));

INSERT INTO phases (session, phase, first, tokens)
SELECT labels::json ->> 'session', labels::json ->> 'phase', min(opened.number), sum(coalesce(charged_tokens, 0))
FROM reservations
JOIN (SELECT key, min(number) AS number FROM entries WHERE kind IN ('reserved', 'charged') GROUP BY key) AS opened
    ON opened.key = reservations.key
WHERE labels::json ->> 'session' IS NOT NULL AND labels::json ->> 'phase' IS NOT NULL
GROUP BY 1, 2;
