"""Which plan a file is: phase, number and id, from front matter, file name and folder, in this order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bursar.plan.model import PlanIdentity
from bursar.plan.roadmap_model import normal_number

_PHASE_NUMBER = re.compile(r"(?:phase[-_ ]?)?((?:[A-Z]+-)?\d+(?:\.\d+)*[A-Za-z]?)(?=$|[-_ :])")
_STEM_WITHOUT_PLAN = re.compile(r"-?PLAN(?:-v\d+)?$")
_NUMBER_AFTER_PLAN = re.compile(r"(?P<phase>.+?)-PLAN-(?P<number>\d+[A-Za-z]?)")
_NUMBER_AT_END = re.compile(r"(?:.*-)??(?P<number>(?:[A-Z]{2,}\d*-)?\d+[A-Za-z]?(?:-[A-Z]+\d*)?)")
_NUMBER_BEFORE_WORDS = re.compile(r"(?P<number>\d+[A-Za-z]?)-(?!.*-\d+$)[a-z].*")
_TWO_NUMBERS = re.compile(r"(?P<phase>(?:[A-Z]+-)?\d+(?:\.\d+)*[A-Za-z]?)-(?:[A-Za-z].*-)?\d+[A-Za-z]?(?=$|-)")
_UNSAFE = re.compile(r"[^\w.+-]+", re.ASCII)


def identify_plan(path: Path, folder: str, front_matter: Mapping[str, object]) -> PlanIdentity:
    """The identity of the plan at `path`, which lies in a folder of this name."""
    phase = _scalar(front_matter, "phase") or folder
    stem = _STEM_WITHOUT_PLAN.sub("", path.stem)
    phase_number = _phase_number(phase) or _phase_number(folder) or _phase_in_file(stem)
    in_file = _number_in_file(path.stem, stem, phase_number)
    number = _plan_number(_scalar(front_matter, "plan"), in_file, phase_number)
    has_both = phase_number and number
    plan_id = _safe(f"{phase_number}-{number}") if has_both else _safe(stem) or _safe(folder) or "plan"
    return PlanIdentity(
        id=plan_id, phase=phase, number=number, phase_number=normal_number(phase_number), stem=path.stem
    )


def phase_in_file(path: Path) -> str:
    """The number of the phase that a file's name says, `8` for `08-02-PLAN.md`; empty where it says none."""
    return normal_number(_phase_in_file(_STEM_WITHOUT_PLAN.sub("", path.stem)))


def _scalar(front_matter: Mapping[str, object], key: str) -> str:
    value = front_matter.get(key)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _phase_number(phase: str) -> str:
    match = _PHASE_NUMBER.match(phase)
    return match[1] if match else ""


def _phase_in_file(stem: str) -> str:
    """`08` of `08-02`; a name with one number only does not say a phase."""
    match = _TWO_NUMBERS.match(stem)
    return match["phase"] if match else ""


def _number_in_file(full_stem: str, stem: str, phase_number: str) -> str:
    """`02` of `08-02-PLAN`, `03-FIX2` of `09-03-FIX2-PLAN`, `01` of `12-PLAN-01`; empty where the name has none."""
    if after := _NUMBER_AFTER_PLAN.fullmatch(full_stem):
        return after["number"]
    rest = stem.removeprefix(f"{phase_number}-") if phase_number else stem
    if rest == stem and phase_number:
        # Another phase's number in the file's name (renumbered folders), or none at all (`01-PLAN`).
        rest = re.sub(r"^\d+(?:\.\d+)*-(?=.*\d)", "", stem)
    match = _NUMBER_AT_END.fullmatch(rest) or (_NUMBER_BEFORE_WORDS.fullmatch(rest) if rest != stem else None)
    return match["number"] if match else ""


def _plan_number(written: str, in_file: str, phase_number: str) -> str:
    """The plan's own number, with as many digits as the file's name gives it, at least two."""
    if phase_number and written.startswith(f"{phase_number}-"):
        written = written[len(phase_number) + 1 :]
    if not written:
        return in_file
    if not (written.isascii() and written.isdigit()):
        return written
    bare = written.lstrip("0") or "0"
    if in_file.isascii() and in_file.isdigit() and (in_file.lstrip("0") or "0") == bare:
        return in_file if len(in_file) > 1 else in_file.zfill(2)
    return bare.zfill(2)


def _safe(text: str) -> str:
    """Letters, digits, `.`, `_`, `+` and `-` only, never at its ends or doubled in a way that git refuses."""
    kept = _UNSAFE.sub("-", text)
    return re.sub(r"\.{2,}", ".", kept).strip("-.")[:100].rstrip("-.")
