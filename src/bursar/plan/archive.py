"""A finished phase in one small file: what later tasks need to know of it, without its plans and summaries. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bursar.plan.summary_text import SummaryText, VerificationText, parse_summary, parse_verification

ARCHIVE_NAME = "ARCHIVE.json"
FORMAT = 1
_PLAN_FILE = re.compile(r"(?:.*[-_])?PLAN(?:-(?:v?\d+[a-z]?|[a-z][\w-]*))?\.md")
_VERIFICATION_FILE = re.compile(r"(?:.*[-_])?VERIFICATION\.md")
_COVERED = re.compile(
    r"(?P<folder>(?:[^\s]*/)?phases/[^/\s]+)/(?:[^/\s]*[-_])?(?:PLAN|SUMMARY|VERIFICATION)(?:-[\w.-]*)?\.md"
)
_NOT_DONE = frozenset({"halted", "failed", "blocked", "partial", "incomplete", "in-progress", "in_progress", "stopped"})


@dataclass(frozen=True, slots=True)
class UnfinishedPhase:
    """Why a phase cannot be archived: plans without a SUMMARY, and SUMMARYs that say that they are not done."""

    missing: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseArchive:
    """What `ARCHIVE.json` says of a phase; `data` is what is written, in this order.

    Attributes:
        read_bytes: the size of the files that it sums up.
    """

    data: Mapping[str, object]
    read_bytes: int

    def render(self) -> str:
        """The file's text; the same for the same files, whenever it is made."""
        return json.dumps(self.data, ensure_ascii=False, indent=2) + "\n"


def is_plan_file(name: str) -> bool:
    """Whether a file of this name in a phase's folder is a plan: `08-02-PLAN.md`, `PLAN.md`, `12-PLAN-01.md`."""
    return _PLAN_FILE.fullmatch(name) is not None


def build_archive(folder: str, phase: str, files: Mapping[str, bytes]) -> PhaseArchive | UnfinishedPhase:
    """The archive of a phase, or why it is not finished. It needs at least one plan.

    Args:
        folder: the name of its folder, `08-features`.
        phase: its number, `8`.
        files: the folder's own Markdown files, by name.
    """
    plans = sorted(filter(is_plan_file, files))
    summaries = {plan: _summary_of(plan, plans, files) for plan in plans}
    missing = tuple(plan for plan, summary in summaries.items() if summary is None)
    done = {plan: name for plan, name in summaries.items() if name is not None}
    read = {plan: parse_summary(_text(files[name])) for plan, name in done.items()}
    not_done = tuple(f"{done[plan]} ({text.status})" for plan, text in read.items() if text.status in _NOT_DONE)
    if missing or not_done or not plans:
        return UnfinishedPhase(missing, not_done)
    verification = next((name for name in sorted(files) if _VERIFICATION_FILE.fullmatch(name)), None)
    used = [*plans, *done.values(), *([verification] if verification else [])]
    data = {
        "format": FORMAT,
        "phase": phase,
        "folder": folder,
        "plans_executed": [_plan(plan, done[plan], text) for plan, text in read.items()],
        "files_modified": sorted({file for text in read.values() for file in text.files}),
        "key_decisions": _decisions(read),
        "verification": _verification(verification, files),
        "sources": {name: _digest(files[name]) for name in dict.fromkeys(used)},
    }
    return PhaseArchive(data=data, read_bytes=sum(len(files[name]) for name in dict.fromkeys(used)))


def shrink_context(paths: Sequence[str], is_archived: Callable[[str], bool]) -> tuple[str, ...]:
    """The paths with the plans, summaries and verifications of archived phases replaced by the phase's archive, once.

    `is_archived` is asked for each folder of a phase, as written in the paths.
    """
    known: dict[str, bool] = {}
    shrunk: dict[str, None] = {}
    for path in paths:
        covered = _COVERED.fullmatch(path)
        if covered is not None and known.setdefault(covered["folder"], is_archived(covered["folder"])):
            path = f"{covered['folder']}/{ARCHIVE_NAME}"
        shrunk[path] = None
    return tuple(shrunk)


def _summary_of(plan: str, plans: Sequence[str], files: Mapping[str, bytes]) -> str | None:
    """The SUMMARY of a plan: `08-02-SUMMARY.md`, `12-SUMMARY-01.md`, `12-PLAN-01-SUMMARY.md`; of a lone plan any."""
    stem = plan.removesuffix(".md")
    before, _, after = stem.rpartition("PLAN")
    names = [f"{before}SUMMARY{after}.md", f"{stem}-SUMMARY.md", *(["SUMMARY.md"] if len(plans) == 1 else [])]
    return next((name for name in names if name in files), None)


def _plan(plan: str, summary: str, text: SummaryText) -> dict[str, object]:
    return {
        "plan": plan,
        "summary": summary,
        "outcome": text.outcome,
        "provides": list(text.provides),
        "completed": text.completed,
        "duration": text.duration,
        "tokens": text.tokens,
        "cost_usd": text.cost_usd,
    }


def _decisions(read: Mapping[str, SummaryText]) -> list[dict[str, str]]:
    """Each decision once, with the plan that took it first."""
    found: dict[str, str] = {}
    for plan, text in read.items():
        for decision in text.decisions:
            found.setdefault(decision, plan)
    return [{"plan": plan, "decision": decision} for decision, plan in found.items()]


def _verification(name: str | None, files: Mapping[str, bytes]) -> dict[str, str | None]:
    text = VerificationText(None, None) if name is None else parse_verification(_text(files[name]))
    return {"file": name, "status": text.status, "score": text.score}


def _digest(data: bytes) -> str:
    """Enough of it to tell whether the archive is older than a file; agents read it too, so no more."""
    return hashlib.sha256(data).hexdigest()[:12]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
