-- Most often every call of a run costs just what the rates of its model make of its counters, and nothing is rounded: then the
-- rates are kept, and not what each call cost.
ALTER TABLE bundle_calls ADD COLUMN rates BLOB NOT NULL DEFAULT x'';  -- nano-USD a token, five for each run; or `costs` has each
