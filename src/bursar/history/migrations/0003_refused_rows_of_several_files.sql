-- Files of one name may refuse different rows at the same line: all of them are kept.
CREATE TABLE refused (
    origin TEXT NOT NULL,
    line   INTEGER NOT NULL,
    text   TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (origin, line, text)
) STRICT, WITHOUT ROWID;
INSERT INTO refused SELECT origin, line, text, reason FROM quarantine;
DROP TABLE quarantine;
ALTER TABLE refused RENAME TO quarantine;
