"""Every exception that bursar raises on purpose, and the exit code each one ends a command with.

    BursarError
    ├── UserError        fix your input                      exit 2
    │   └── InvalidPlan  the plan has problems               exit 3
    ├── SetupError       fix the machine: agent, git         exit 6
    ├── AgentError       the agent broke its contract        exit 1
    ├── StoreError       a ledger or journal cannot be used  exit 6
    │   ├── NoDatabase   nothing was ever begun at that place
    │   ├── Outdated     of an earlier release: to be opened for writing once
    │   ├── KeyReused    one key, two different requests
    │   ├── LedgerBusy   no write lock in time; nothing was written
    │   ├── Superseded   another process conducts the run now            exit 5
    │   └── OutcomeUnknown   cut off in the commit: ask again for the same
    └── InternalError    ours: please report                 exit 70

Expected outcomes (a denial, a failed verdict, a merge conflict) are values, not exceptions.
"""

from __future__ import annotations

OK = 0
TASK_FAILED = 1
BAD_ARGUMENTS = 2
INVALID_PLAN = 3
STOPPED_BY_BUDGET = 4
INTERRUPTED = 5
UNAVAILABLE = 6
BUG = 70
CTRL_C = 130


class BursarError(Exception):
    """Something that a person can be told in one sentence, with a hint that can be pasted where there is one."""

    exit_code = BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(BursarError):
    """The input is wrong: an argument, a setting, the state of the checkout."""

    exit_code = BAD_ARGUMENTS


class InvalidPlan(UserError):
    """The plan cannot be run; the message lists every problem as `file:line:column`."""

    exit_code = INVALID_PLAN


class SetupError(BursarError):
    """The machine lacks something: the agent, git, a directory that can be written."""

    exit_code = UNAVAILABLE


class AgentError(BursarError):
    """An agent broke its contract in a way that has no outcome of its own."""

    exit_code = TASK_FAILED


class StoreError(BursarError):
    """A ledger or journal file is corrupt, foreign, of a later version, or cannot be written."""

    exit_code = UNAVAILABLE


class NoDatabase(StoreError):
    """Nobody has had a database at that place: there is none, or its first maker was killed before it was one."""


class Outdated(StoreError):
    """An earlier release wrote it, and it was to be read only; whoever opens it for writing brings it up to date."""


class KeyReused(StoreError):
    """The same idempotency key came with different content; nothing changed."""


class LedgerBusy(StoreError):
    """No write lock within the time allowed; nothing was written."""


class Superseded(StoreError):
    """Somebody else conducts the run since; nothing was written, and whoever is told this has no say in it any more."""

    exit_code = INTERRUPTED


class OutcomeUnknown(StoreError):
    """Cut off in the middle of a commit: it was written, or it was not.

    The same again with the same key is safe, and tells: what was written is not written twice.
    """


class InternalError(BursarError):
    """A law of ours does not hold. Never the user's fault."""

    exit_code = BUG
