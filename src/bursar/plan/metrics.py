"""What `<metrics>` says a task will take, and the most that it may."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from bursar.plan.model import Metrics, TokenRange
from bursar.plan.source import Source, shortened

_Value = TypeVar("_Value")
_Parts = dict[str, tuple[str, int]]  # name → its text, and where it stands

METRIC_NAMES = (
    "metrics",
    "estimated-tokens",
    "estimated-duration",
    "estimated-by",
    "token-budget",
    "complexity-breakdown",
)
_LONGEST = 100
_DASH = r"\s*(?:-|–|—|to)\s*"
_COUNT = r"(\d{1,15}(?:\.\d{1,6})?)\s*([kKmM]?)"
_TOKENS = re.compile(rf"[~≈]?\s*{_COUNT}(?:{_DASH}[~≈]?{_COUNT})?\s*(?:tokens?)?")
_TIME = r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?"
_DURATION = re.compile(rf"[~≈]?\s*{_TIME}(?:{_DASH}{_TIME})?", re.IGNORECASE)
_HOURS_AND_MINUTES = re.compile(r"(\d{1,6})\s*h\w*\s*(\d{1,6})\s*m\w*", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?<=\d)[,_ ’'](?=\d{3}(?!\d))")
_PART = re.compile(r"<([A-Za-z][\w.-]*)>([^<>]*)</\1>")
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_metrics(source: Source, spans: list[tuple[str, int, int]]) -> Metrics:
    """The metrics of a task. A budget that is no whole number above 0 is an error, a malformed guess a warning.

    `spans` are name, start and end of the elements that may hold them: `metrics` itself, or one of its own children
    written directly in the task.
    """
    parts = _parts(source, spans)
    return Metrics(
        estimated_tokens=_guess(source, parts, "estimated-tokens", parse_tokens, "5000-8000"),
        estimated_minutes=_guess(source, parts, "estimated-duration", parse_minutes, "15-30min"),
        estimated_by=" ".join(parts["estimated-by"][0].split())[:_LONGEST] if "estimated-by" in parts else None,
        token_budget=_token_budget(source, parts),
        complexity_breakdown=_breakdown(source, parts),
    )


def parse_tokens(text: str) -> TokenRange | None:
    """`5000-8000`, `5k–8k`, `5-8k`, `5,000` as a range; None where it is none of these."""
    text = " ".join(text.split())
    match = _TOKENS.fullmatch(_SEPARATOR.sub("", text)) if len(text) <= _LONGEST else None
    if match is None:
        return None
    low, low_unit, high, high_unit = match.groups()
    if high is None:
        high, high_unit = low, low_unit
    elif not low_unit and float(low) < 1000:
        low_unit = high_unit  # `5-8k` means five to eight thousand
    result = TokenRange(_scaled(low, low_unit), _scaled(high, high_unit))
    return result if result.low <= result.high else None


def parse_minutes(text: str) -> tuple[int, int] | None:
    """`15-30min`, `1h`, `1h 30m`, `90s` as low and high minutes, rounded up; None where it is none of these."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        return None
    if both := _HOURS_AND_MINUTES.fullmatch(text):
        minutes = int(both[1]) * 60 + int(both[2])
        return minutes, minutes
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    low, low_unit, high, high_unit = match.groups()
    if high is None:
        high, high_unit = low, low_unit
    result = _minutes(low, low_unit or high_unit), _minutes(high, high_unit or low_unit)
    return result if result[0] <= result[1] else None


def _scaled(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale = _SCALE[unit.lower()]
    return int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)


def _minutes(number: str, unit: str | None) -> int:
    letter = (unit or "m")[0].lower()
    seconds = float(number) * {"s": 1, "m": 60, "h": 3600}[letter]
    return -int(-seconds // 60)


def _parts(source: Source, spans: list[tuple[str, int, int]]) -> _Parts:
    """Text and offset of each metric; the first of a name counts."""
    parts: _Parts = {}
    for name, start, end in spans:
        if name != "metrics":
            parts.setdefault(name, (source.text[start:end], start))
            continue
        for part in METRIC_NAMES[1:]:
            opening = source.text.find(f"<{part}>", start, end)
            closing = source.text.find(f"</{part}>", opening, end) if opening >= 0 else -1
            if closing >= 0:
                parts.setdefault(part, (source.text[opening + len(part) + 2 : closing], opening))
            elif part == "token-budget" and (opening := source.text.find(f"<{part}", start, end)) >= 0:
                source.error(opening, "`<token-budget>` is never closed", hint="end it with </token-budget>")
    return parts


def _guess(
    source: Source, parts: _Parts, name: str, parse: Callable[[str], _Value | None], example: str
) -> _Value | None:
    """The author's guess under `name`; None, with a warning, where it cannot be read."""
    if name not in parts:
        return None
    text, offset = parts[name]
    value = parse(text)
    if value is None:
        source.warn(
            offset, f"`<{name}>` is `{shortened(text)}`, which is not understood", hint=f"write it as {example}"
        )
    return value


def _token_budget(source: Source, parts: _Parts) -> int | None:
    if "token-budget" not in parts:
        return None
    text, offset = parts["token-budget"]
    digits = _SEPARATOR.sub("", text.strip())
    if re.fullmatch(r"[0-9]{1,15}", digits) and int(digits) > 0:
        return int(digits)
    message = f"`<token-budget>` is `{shortened(text)}`, not a whole number above 0"
    source.error(offset, message, hint="write it as <token-budget>8000</token-budget>")
    return None


def _breakdown(source: Source, parts: _Parts) -> dict[str, int]:
    text, offset = parts.get("complexity-breakdown", ("", 0))
    breakdown: dict[str, int] = {}
    for name, value in _PART.findall(text):
        tokens = parse_tokens(value)
        if tokens is None:
            source.warn(
                offset, f"`<{name}>` in `<complexity-breakdown>` is `{shortened(value)}`, not a number of tokens"
            )
        else:
            breakdown[name] = tokens.high
    return breakdown
