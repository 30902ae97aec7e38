-- A run may work in a folder itself, without git: then `workspace` names it, and `base_commit` is empty.
ALTER TABLE run ADD COLUMN workspace TEXT;
