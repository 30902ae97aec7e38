-- Most often every call of a run costs just what the rates of its model make of its counters, and nothing is rounded:
-- then the rates are kept, and not what each call cost.
ALTER TABLE bundle_calls ADD COLUMN rates BLOB NOT NULL DEFAULT x'';  -- nano-USD a token, five for each run; or `costs` is

-- Folders in which an agent's logs were looked for: one that has not changed since has no new files.
CREATE TABLE folder (
    source  TEXT NOT NULL,
    path    TEXT NOT NULL,
    changed INTEGER NOT NULL,  -- the folder's time of change, ns; 0: it is to be listed again
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;
