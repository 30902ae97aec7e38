"""Agents that only say they work: what each says, when, and what it truly uses, all from one die per attempt.

They speak Claude Code's stream, so the real reader and the real meter hear them: in full, twice, late, not at all, with
rubbish in between. Most are honest; some fail, die, hang, use far more than was held, or write where they should not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MODEL = "m"
_GARBAGE = (b"npm warn deprecated", b"{", b"[1]", b"\xff\xfe", b'{"type":"assistant"}', b"null", b"")


class Manner(StrEnum):
    """What becomes of an agent in the end."""

    HONEST = "honest"
    FAILS = "fails"
    SILENT = "silent"
    DIES = "dies"
    HANGS = "hangs"
    MEDDLES = "meddles"
    IDLE = "idle"


class Telling(StrEnum):
    """How a call is told."""

    WELL = "well"
    TWICE = "twice"
    LATE = "late"
    ONLY_AT_THE_END = "only at the end"


_MANNERS = {
    Manner.HONEST: 70,
    Manner.FAILS: 8,
    Manner.SILENT: 4,
    Manner.DIES: 6,
    Manner.HANGS: 3,
    Manner.MEDDLES: 14,
    Manner.IDLE: 3,
}
_TELLINGS = {Telling.WELL: 75, Telling.TWICE: 9, Telling.LATE: 8, Telling.ONLY_AT_THE_END: 8}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what it truly uses, how long it takes, and how it is told."""

    id: str
    input_tokens: int
    output_tokens: int
    seconds: float
    telling: Telling

    @property
    def tokens(self) -> int:
        """All of it."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens `seconds` after the moment before: a call begins, files are written, lines are said.

    `tells` are the calls of which these lines tell.
    """

    seconds: float
    begins: Call | None = None
    tells: Sequence[Call] = ()
    lines: Sequence[bytes] = ()
    writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One agent's life. `exit_code` is how it ends by itself; None where it never does."""

    manner: Manner
    moments: Sequence[Moment]
    exit_code: int | None
    seconds_to_stop: float


@dataclass(slots=True)
class Truth:
    """What one agent has truly done, whatever anybody was told of it.

    Attributes:
        untold: the tokens among them of calls that it has not told of in full.
        is_known: whether it said in the end what it had used.
    """

    key: str
    task: str
    base: str
    began: float
    ended: float | None = None
    tokens: int = 0
    untold: int = 0
    is_known: bool = False


def write_script(key: str, seed: int, *, is_tame: bool, scale: int) -> Script:
    """The life of the agent of that attempt; the tame are honest and quick. Calls use about `scale` tokens."""
    dice = random.Random(f"{seed}/agent/{key}")
    manner = Manner.HONEST if is_tame else _choose(dice, _MANNERS)
    grows = 1 if is_tame or dice.random() > 0.08 else 20
    calls = [_call(dice, f"{key}-{number}", scale * grows, is_tame) for number in range(dice.randint(1, 5))]
    moments = [Moment(dice.uniform(0.05, 3), lines=[_line("system", subtype="init", session_id=key, model=MODEL)])]
    for number, call in enumerate(calls):
        moments += _moments(dice, call, writes=manner is not Manner.IDLE and number >= len(calls) // 2)
    moments = _with_garbage(dice, moments)
    if manner in {Manner.DIES, Manner.HANGS}:
        moments = moments[: dice.randint(1, len(moments))]
    elif manner is not Manner.SILENT:
        silent = [call for call in calls if call.telling is Telling.ONLY_AT_THE_END]
        moments.append(Moment(0.01, tells=silent, lines=[_statement(calls, is_error=manner is Manner.FAILS)]))
    code = {Manner.DIES: -9, Manner.HANGS: None, Manner.FAILS: dice.choice((0, 1))}.get(manner, 0)
    return Script(manner=manner, moments=moments, exit_code=code, seconds_to_stop=dice.uniform(0, 4))


def _choose(dice: random.Random, weights: dict[Any, int]) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]


def _call(dice: random.Random, name: str, scale: int, is_tame: bool) -> Call:
    telling = Telling.WELL if is_tame else _choose(dice, _TELLINGS)
    usual = (0.1, 2.0) if is_tame else (0.1, 2.0, 20.0, 90.0)  # the slow may be past what an attempt is allowed
    seconds = dice.choice(usual) * dice.uniform(0.5, 1.5)
    return Call(name, dice.randint(scale // 4, scale), dice.randint(1, scale // 4), seconds, telling)


def _moments(dice: random.Random, call: Call, *, writes: bool) -> Iterator[Moment]:
    first = _event("message_start", message={"id": call.id, "model": MODEL, "usage": _usage(call.input_tokens, 1)})
    last = _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": call.output_tokens})
    stop, result = (
        _event("message_stop"),
        _line("user", message={"content": [{"type": "tool_result", "content": "ok"}]}),
    )
    wait = dice.uniform(0.01, 1)
    match call.telling:
        case Telling.WELL:
            yield Moment(wait, begins=call, lines=[first])
            yield Moment(call.seconds, tells=[call], lines=[last, stop, result], writes=writes)
        case Telling.TWICE:
            yield Moment(wait, begins=call, lines=[first, first])
            yield Moment(call.seconds, tells=[call], lines=[last, last, stop, result, result], writes=writes)
        case Telling.LATE:
            yield Moment(wait, begins=call)
            yield Moment(call.seconds, writes=writes)
            yield Moment(dice.uniform(0, 5), tells=[call], lines=[first, last, stop, result])
        case Telling.ONLY_AT_THE_END:
            yield Moment(wait, begins=call)
            yield Moment(call.seconds, lines=[result], writes=writes)


def _with_garbage(dice: random.Random, moments: Sequence[Moment]) -> list[Moment]:
    if dice.random() > 0.2:
        return list(moments)
    spoilt: list[Moment] = []
    for moment in moments:
        spoilt += [moment, Moment(0, lines=[dice.choice(_GARBAGE)])]
    return spoilt


def _statement(calls: Sequence[Call], *, is_error: bool) -> bytes:
    used = sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)
    models = {MODEL: {"inputTokens": used[0], "outputTokens": used[1]}}
    words = "it did not work" if is_error else "done"
    return _line("result", is_error=is_error, result=words, usage=_usage(*used), modelUsage=models)


def _usage(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {"input_tokens": input_tokens, "output_tokens": output_tokens}


def _event(kind: str, **fields: Any) -> bytes:
    return _line("stream_event", event={"type": kind, **fields})


def _line(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
