"""Isolated checkouts: create, commit, merge, remove, and the fast-forward at the end. All of it is the git CLI.

It never touches the user's checkout but in `fast_forward`, runs no hooks, and trusts no `.git` file inside a worktree.
"""

from bursar.worktrees.checkout import FastForward, fast_forward
from bursar.worktrees.contents import list_files, read_files
from bursar.worktrees.leftovers import RunRef, list_drafts, list_run_refs, list_worktrees, remove_drafts
from bursar.worktrees.merge import (
    MergeConflict,
    Merged,
    advance,
    commits_between,
    compose,
    contains,
    count_commits,
    drop_ref,
    list_commits,
    read_message,
    read_ref,
    save_branch,
)
from bursar.worktrees.pool import Pool
from bursar.worktrees.private_view import PrivateView, close_view, list_lenders, open_view
from bursar.worktrees.repository import (
    Head,
    Repository,
    changed_tracked_files,
    identity_variables,
    is_tracked,
    leave_out,
    open_repository,
    read_head,
)
from bursar.worktrees.worktree import (
    Change,
    Worktree,
    changed_files,
    commit_paths,
    commit_work,
    create,
    files_by_commit,
    read_diff,
    remove,
    stand_at,
)

__all__ = [
    "Change",
    "FastForward",
    "Head",
    "MergeConflict",
    "Merged",
    "Pool",
    "PrivateView",
    "Repository",
    "RunRef",
    "Worktree",
    "advance",
    "changed_files",
    "changed_tracked_files",
    "close_view",
    "commit_paths",
    "commit_work",
    "commits_between",
    "compose",
    "contains",
    "count_commits",
    "create",
    "drop_ref",
    "fast_forward",
    "files_by_commit",
    "identity_variables",
    "is_tracked",
    "leave_out",
    "list_commits",
    "list_drafts",
    "list_files",
    "list_lenders",
    "list_run_refs",
    "list_worktrees",
    "open_repository",
    "open_view",
    "read_diff",
    "read_files",
    "read_head",
    "read_message",
    "read_ref",
    "remove",
    "remove_drafts",
    "save_branch",
    "stand_at",
]
