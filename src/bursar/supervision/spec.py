"""What the conductor hands to a supervisor, and what the supervisor leaves behind: two values that travel as JSON.

A spec holds everything an attempt needs, so that the supervisor works alone, also when the conductor is gone.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from bursar.agents import WIDE_PIPE_BYTES, open_folder, read_plain, remove_name
from bursar.supervision.limits import AttemptLimits

SUPERVISOR_FILE = "supervisor"
GRACE_FILE = "grace"
OUTCOME_FILE = "outcome.json"
STREAM_FILE = "stream.jsonl"
STDERR_FILE = "stderr.log"
PROMPT_FILE = "prompt.md"
VERIFY_LOG = "verify.log"
ABANDONED = "abandoned"
MARK = "BURSAR_ATTEMPT"
STOP_ASKED = "the run was asked to stop"  # what an agent is told that it is to wrap up for
MOST_GRACE_SECONDS = 3600.0


class StopRung(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of the agent's stop ladder: a signal's number, to whom, and how long to wait after it."""

    signal: int
    to_group: bool
    grace_seconds: float


class HomeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The agent's private home: what stays of it (`logs`), which of its places are files of the user's, and which files
    elsewhere follow the user's."""

    folder: str
    logs: list[str]
    shared: dict[str, str]
    mirrored: dict[str, str] = {}


class WrapUpSpec(msgspec.Struct, frozen=True, kw_only=True):
    """When the agent is told to wrap up, and how.

    Attributes:
        mailbox: the file through which it is told.
        words: what it is told, with `{why}`.
        calls: it is told when fewer than so many calls more fit within its limits; 0: never.
        window_percent: it is told when so much of a window of its subscription is used; 0: never.
        budgets: whose limits are meant.
    """

    mailbox: str
    words: str
    calls: int = 0
    window_percent: float = 0.0
    budgets: list[str] = []


class AttemptSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, ready to start: its hold is committed and its worktree stands.

    Attributes:
        key: the ledger's key for the hold; also marks every process of the attempt (environment BURSAR_ATTEMPT).
        directory: where the attempt's files go; exists.
        reader: which agent's format the output has (see `agents.open_reader`).
        environment: the agent's whole environment.
        rates: the price table as text (see `RateTable.text`).
        units: units of the blocking budgets over this attempt, `tokens` and `usd`: what a limit can be reached in.
        countings: how blocking budgets count tokens, where not all of them count: `fresh`, `output`.
        refuses_unpriced: a budget in USD is among them that lets nothing pass whose price is unknown.
        step_tokens: by how much a hold grows when it runs out; the same share of it in money.
        audit: the audit log; empty for none.
        home: the agent's private home; None: it lives in the user's.
        before: on stdin of processes with the same arguments, which are run first, one by one, on the same hold.
        pipe_bytes: how much the agent may have printed that nobody has heard.
        telemetry: variables that point the agent to our receiver, with `{url}` for its address; empty for none.
        output_cap: the most output tokens of one call.
        limit_seconds: wall time after which the attempt is stopped; None: unlimited.
        is_sandboxed: argv begins with a sandbox, in which the agent runs.
        limits: what the agent may take of the machine.
        own_folders: those in which nothing but this attempt's files lie.
        wrap_up: None: the agent is told nothing while it works.
    """

    key: str
    directory: str
    ledger: str
    worktree: str
    reader: str
    argv: list[str]
    environment: dict[str, str]
    stdin: bytes | None
    stop_ladder: list[StopRung]
    rates: str
    units: list[str]
    step_tokens: int
    step_nano_usd: int | None
    limit_seconds: float | None
    output_cap: int
    model: str
    audit: str = ""
    countings: list[str] = []
    refuses_unpriced: bool = True
    step_output_tokens: int = 0
    home: HomeSpec | None = None
    before: list[bytes] = []
    pipe_bytes: int = WIDE_PIPE_BYTES
    telemetry: dict[str, str] = {}
    is_sandboxed: bool = False
    limits: AttemptLimits = AttemptLimits()
    own_folders: list[str] = []
    wrap_up: WrapUpSpec | None = None


def encode_spec(spec: AttemptSpec) -> bytes:
    """The spec as JSON without a line break.

    By the standard library: variables and paths may hold bytes that are no UTF-8, which msgspec refuses to write.
    """
    return json.dumps(msgspec.to_builtins(spec)).encode("ascii")


def decode_spec(line: bytes) -> AttemptSpec:
    """The spec that `encode_spec` gave."""
    return msgspec.convert(json.loads(line), AttemptSpec)


class Ending(StrEnum):
    """Why the agent is not running any more."""

    EXITED = "exited"
    LIMIT = "limit"
    INTERRUPTED = "interrupted"
    TIMEOUT = "timeout"
    EXCESS = "excess"
    NOT_STARTED = "not started"
    LEDGER_FAILED = "ledger failed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an attempt whose agent has ended; written before its hold is settled.

    Attributes:
        message: the agent's closing words, of long ones the beginning and the end; of one that failed without any, the
            last that it wrote on stderr.
        exit_code: the agent's; negative for a signal; None if it never ran.
        is_error: the agent's own verdict; None if it gave none.
        metered_tokens, metered_nano_usd: all calls together; the cost is None when a price is unknown.
        unknown_tokens, unknown_nano_usd: charged on top for a call that nobody reported in full.
        limit: in words, which limit was reached.
        resets_at: when a limit of the provider's is over that ended the agent, in s since 1970; None: none did.
        differences: where sources are more than 1 % apart: the agent's own sums, its telemetry, its log, its output.
        remarks: in words, what a person should know of its figures: assumed prices, reports that were not believed.
        tokens_by_provenance: of what was metered and what is charged on top: `streamed`, `reconciled`, `estimated`.
        was_sandboxed: the agent ran in a sandbox.
        told_at: when it was told to wrap up, in ISO 8601; empty where it was not.
        told_why: what it was told that for.
        has_heard: its CLI has handed that to the model.
        left_out_bytes: of its output and its complaints, what is in no log because those were full.
    """

    ending: Ending
    exit_code: int | None
    is_error: bool | None
    message: str
    denied_permissions: list[str]
    metered_tokens: int
    metered_nano_usd: int | None
    unknown_tokens: int
    unknown_nano_usd: int | None
    calls: int
    wall_seconds: float
    session_id: str | None
    limit: str = ""
    resets_at: int | None = None
    differences: list[str] = []
    remarks: list[str] = []
    tokens_by_provenance: dict[str, int] = {}
    rejected_lines: int = 0
    leftovers_killed: bool = True
    left_out_bytes: int = 0
    was_sandboxed: bool = False
    told_at: str = ""
    told_why: str = ""
    has_heard: bool = False


def never_ran(ending: Ending, *, message: str = "", limit: str = "") -> Outcome:
    """The outcome of an attempt whose agent was never started: nothing was used."""
    return Outcome(
        ending=ending,
        exit_code=None,
        is_error=None,
        message=message,
        denied_permissions=[],
        metered_tokens=0,
        metered_nano_usd=0,
        unknown_tokens=0,
        unknown_nano_usd=0,
        calls=0,
        wall_seconds=0.0,
        session_id=None,
        limit=limit,
    )


def write_outcome(directory: Path, outcome: Outcome) -> None:
    """The outcome is on the disk, whole, under its own name; a crash leaves either none or this one."""
    target = directory / OUTCOME_FILE
    draft = directory / f".{OUTCOME_FILE}.{os.getpid()}"
    with open(draft, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(outcome)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)
    _sync_folder(directory)


def read_outcome(directory: Path) -> Outcome | None:
    """The attempt's outcome; None if there is none yet, or if nobody can read what is there: then it is unknown."""
    try:
        return msgspec.json.decode((directory / OUTCOME_FILE).read_bytes(), type=Outcome)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def claim(directory: Path, by: str) -> str | None:
    """Exactly one caller ever claims an attempt: None says it is ours, else the text of whoever came first.

    A supervisor claims before it starts the agent; a conductor that finds no supervisor claims with ABANDONED, and
    then knows that none will start the agent later.
    """
    path = directory / SUPERVISOR_FILE
    draft = directory / f".{SUPERVISOR_FILE}.{os.getpid()}"
    with open(draft, "wb") as file:
        file.write(by.encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(
            draft, path
        )  # unlike rename, fails if the name is taken; and the content is there from the first moment
    except FileExistsError:
        return path.read_bytes().decode(errors="backslashreplace")
    finally:
        os.unlink(draft)
    _sync_folder(directory)
    return None


def read_claim(directory: Path) -> str | None:
    """Who claimed the attempt; None if nobody has."""
    try:
        return (directory / SUPERVISOR_FILE).read_bytes().decode(errors="backslashreplace")
    except FileNotFoundError:
        return None


def write_grace(directory: Path, seconds: float) -> None:
    """A supervisor that is told to stop gives its agent so long to wrap up; with 0, or a full disk, none at all."""
    target = directory / GRACE_FILE
    with suppress(OSError):
        target.unlink()
    if seconds > 0:
        draft = directory / f".{GRACE_FILE}.{os.getpid()}"
        with suppress(OSError):
            draft.write_text(f"{seconds}", encoding="ascii")
            os.replace(draft, target)


def take_grace(directory: Path) -> float:
    """How long the agent is given to wrap up, once: whoever is told to stop after that stops it at once; 0 for not."""
    try:
        with open_folder(directory, GRACE_FILE) as folder:
            file = read_plain(folder, GRACE_FILE)
            remove_name(folder, GRACE_FILE)
        seconds = 0.0 if file is None else float(file.content)
    except (OSError, ValueError):
        return 0.0
    return seconds if 0 < seconds <= MOST_GRACE_SECONDS else 0.0


def _sync_folder(directory: Path) -> None:
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
