"""What `dispatch` is told and what it answers, as values: the events of a run's tasks, and the actions on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bursar.journal import RunState
from bursar.run.scheduler import Skipped


@dataclass(frozen=True, slots=True)
class Looked:
    """The conductor looks at its tasks; `at`: on a clock that only goes forward, in seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class Merged:
    """The task turned out to be done."""

    task: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A person has passed the task, a checkpoint that waited."""

    task: str


@dataclass(frozen=True, slots=True)
class Attended:
    """Somebody is there who may pass checkpoints while the run is on, or nobody is (any more)."""

    is_there: bool


@dataclass(frozen=True, slots=True)
class Adopted:
    """An attempt at the task, which an earlier conductor began, is followed from now on."""

    task: str


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt at the task has begun."""

    task: str
    at: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The task could not be begun just now.

    Attributes:
        denied: because a budget, or a window, has no room for it.
        again_at: when it is worth another look though nothing has ended; None: never.
    """

    task: str
    at: float
    denied: bool
    again_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The task's attempt has come to its end; `outcome` as the journal has it."""

    task: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Rerouted:
    """The task's attempt has failed, and the task is to be tried again in another way."""

    task: str


@dataclass(frozen=True, slots=True)
class Freed:
    """What was refused may be begun now, though no attempt has ended."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """More is known of what tasks take, or of the money; it holds until more is known again.

    Attributes:
        first: of the tasks that may start, those that are offered before all others, in this order.
        lengths: what each task takes, in any unit; None: as before.
    """

    first: tuple[str, ...] = ()
    lengths: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Nothing more is to be started."""


Event = (
    Looked | Merged | Passed | Attended | Adopted | Started | Refused | Ended | Rerouted | Weighed | Freed | StopAsked
)


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt at the task; answered by `Started` or `Refused`."""

    task: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Write down that the checkpoint needed no person."""

    task: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Tell that the checkpoint waits for a person."""

    task: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Write down that the task is not done in this run, and because of which other one."""

    skipped: Skipped


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again when an attempt has ended or a person has acted; or at `until`, when the next may start (None: only
    then)."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing runs, nothing can be started and nobody is waited for any more; how the run stands."""

    state: RunState


Action = Start | Approve | AskPerson | Skip | Wait | Finish
