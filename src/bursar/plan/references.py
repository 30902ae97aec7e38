"""Which plan a `depends_on` of front matter means: `02`, `01-02`, `06-02-PLAN.md`, `02-core-01`, `10-model`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from bursar.plan.model import PlanIdentity

_NOTE = re.compile(r"\s+[(（].*$", re.DOTALL)
_WORD_PLAN = re.compile(r"^plans?[\s_#:-]+(?=.*\d)")
_WORD_PHASE = re.compile(r"^phase[\s_#:-]+(?=.*\d)")
_LEADING_ZEROS = re.compile(r"(?<![\w.])0+(?=\d)|(?<=\.)0+(?=\d)")
_PHASE = r"(?:[a-z]+-)?\d+(?:\.\d+)*[a-z]?"
_NUMBER = r"\d+[a-z]?(?:-(?:fix-?|v)\d*)?"
_NUMBER_FIRST = re.compile(rf"(?P<phase>{_PHASE})-(?P<number>{_NUMBER})(?:-[a-z].*)?")
_NUMBER_LAST = re.compile(rf"(?P<phase>{_PHASE})-(?:.*[a-z].*-)(?P<number>{_NUMBER})")
_PLAN_SUFFIX = re.compile(r"-plan$")
_PLAN_WITHIN = re.compile(r"^(?P<before>.+)-plan-(?P<after>.+)$")
_PHASE_AT_START = re.compile(rf"{_PHASE}(?=$|-)")
_NUMBERS_AT_START = re.compile(r"^(?:[\d.]+[a-z]?(?:-|$))+")


def resolve_plan_reference(reference: str, own_id: str, known: Collection[PlanIdentity]) -> str | None:
    """The id of the plan that `reference` means, as the plan `own_id` writes it; None where no one plan is meant.

    Leading zeros and case do not count. A bare number is a plan of the same phase; of plans in several phases that a
    reference fits, the one of the same phase is meant. A phase stands for its plan where it has only one. What fits
    two plans equally well is None, not the first of them. The plan itself may be the answer.

    Args:
        known: the plans of the phase, and of other phases where they are to be found too.
    """
    key = _reference_key(reference)
    own_phase = next((_phase_key(plan) for plan in known if plan.id == own_id), key_of(own_id.rpartition("-")[0]))
    for fits in _rules(key, own_phase):
        found = {plan.id: _phase_key(plan) for plan in known if fits(plan)}
        if len(found) > 1:
            found = {plan_id: phase for plan_id, phase in found.items() if phase == own_phase}
        if found:
            return next(iter(found)) if len(found) == 1 else None
    return None


def referenced_phase(reference: str) -> str | None:
    """The number of the phase that a reference names, without leading zeros: `6` for `06-02-PLAN.md`; None for `02`."""
    key = _reference_key(reference)
    if is_phase := _WORD_PHASE.match(key):
        key = key[is_phase.end() :]
    bare = _PLAN_SUFFIX.sub("", key)
    match = _PHASE_AT_START.match(bare)
    if match is None or (match.end() == len(bare) and not is_phase):
        return None
    return match[0].upper() if match[0][0].isalpha() else match[0]


def key_of(text: str) -> str:
    """What two spellings of one name share: `08-02`, `8-2` and `08-2` are the same, `9.20` and `9.2` are not."""
    return _LEADING_ZEROS.sub("", "-".join(text.lower().replace("_", "-").split()))


_Rule = Callable[[PlanIdentity], bool]


def _rules(key: str, own_phase: str) -> list[_Rule]:
    """What a plan may fit by, the surest first."""
    bare = _PLAN_SUFFIX.sub("", key)
    number = _WORD_PLAN.sub("", bare)
    phase = _WORD_PHASE.sub("", key)
    return [
        lambda plan: key == _stem_key(plan),
        lambda plan: key == key_of(plan.id),
        lambda plan: number == key_of(plan.number) and _phase_key(plan) == own_phase,
        lambda plan: bare in (_PLAN_SUFFIX.sub("", _stem_key(plan)), key_of(plan.id)),
        lambda plan: key_of(plan.id) in _ids_within(bare),
        lambda plan: bare != "" and bare == _slug(plan),
        lambda plan: phase in (key_of(plan.phase), _phase_key(plan)),
    ]


def _ids_within(key: str) -> list[str]:
    """The ids that a longer name holds: `2-1` in `2-core-1`, in `2-1-core` and in `2-plan-1`."""
    if within := _PLAN_WITHIN.match(key):
        key = f"{within['before']}-{within['after']}"
    matches = (_NUMBER_FIRST.fullmatch(key), _NUMBER_LAST.fullmatch(key))
    return [f"{match['phase']}-{match['number']}" for match in matches if match]


def _reference_key(reference: str) -> str:
    """A reference without quotes, folder, note in brackets and `.md`."""
    text = _NOTE.sub("", reference.strip()).strip("`\"'[]@ ")
    name = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    return key_of(re.sub(r"\.md$", "", name, flags=re.IGNORECASE))


def _phase_key(plan: PlanIdentity) -> str:
    return key_of(plan.phase_number or plan.phase)


def _stem_key(plan: PlanIdentity) -> str:
    return key_of(plan.stem)


def _slug(plan: PlanIdentity) -> str:
    """The words of a file's name: `async-queue` of `01-02-async-queue-PLAN` and of `01-PLAN-async-queue`."""
    stem = _stem_key(plan)
    if within := _PLAN_WITHIN.match(stem):
        return within["after"]
    return _NUMBERS_AT_START.sub("", _PLAN_SUFFIX.sub("", stem))
