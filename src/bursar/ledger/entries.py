"""The journal's writing: canonical JSON, and a chain of hashes over it.

Canonical means: keys sorted, no spaces, UTF-8 unescaped, whole numbers only. An entry's hash is the sha256 of the JSON
object of its other fields, so anybody can check an exported journal with nothing but a JSON library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from bursar.budget import ALWAYS, Amount, Budget, Threshold
from bursar.ledger.types import CallRecord, Entry, ReserveRequest
from bursar.usage import Usage

RawEntry = tuple[int, str, str, str, str, str, str]
"""An entry as it is stored: number, at, kind, key, body, previous hash, hash."""

FIRST_HASH = "0" * 64
"""What the first entry names as the hash before it."""

_SHA256 = hashlib.sha256()
"""To be copied: that takes less time than to make one."""
_FENCED_BY = ("project", "run", "roadmap", "phase", "plan", "task")


def _build_encoder() -> Callable[[object], str]:
    """`json.JSONEncoder.encode`, but its C encoder is made once and not for each text, which takes most of the time."""
    canonical = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return canonical.encode
    chunks = make(None, canonical.default, encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(chunks(value, 0))


encode = _build_encoder()
"""A value as canonical JSON."""


def build_entry(
    number: int,
    at: datetime,
    kind: str,
    key: str,
    body: Mapping[str, object],
    previous: str,
    *,
    encoded: str | None = None,
) -> Entry:
    """The entry with its hash. `encoded` is what `encode` makes of the body, where somebody has it already."""
    text = encode(body) if encoded is None else encoded
    digest = hash_of(number, format_instant(at), kind, key, text, previous)
    return Entry(number=number, at=at, kind=kind, key=key, body=body, previous_hash=previous, hash=digest)


def hash_of(number: int, at: str, kind: str, key: str, body: str, previous: str) -> str:
    """The hash of an entry, from its fields as they are stored; `body` is canonical JSON already."""
    quote = encode_basestring
    text = (
        f'{{"at":{quote(at)},"body":{body},"key":{quote(key)},"kind":{quote(kind)},"number":{number},'
        f'"previous_hash":{quote(previous)}}}'
    )
    return digest_of(text)


def digest_of(text: str) -> str:
    """The hash of an entry that is written so."""
    digest = _SHA256.copy()
    digest.update(text.encode())
    return digest.hexdigest()


def read_entry(row: RawEntry) -> Entry:
    """The entry of a stored row; its hash is not checked."""
    number, at, kind, key, body, previous_hash, digest = row
    return Entry(
        number=number,
        at=datetime.fromisoformat(at),
        kind=kind,
        key=key,
        body=json.loads(body),
        previous_hash=previous_hash,
        hash=digest,
    )


@lru_cache(maxsize=4)  # a write asks some times for the same one
def format_instant(at: datetime) -> str:
    """UTC, ISO 8601, always with microseconds: texts sort like instants."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def encode_amount(amount: Amount | None) -> list[int | None] | None:
    """`[tokens, nano-USD]`, the latter null where unknown; null for no amount.

    Where somebody said how many tokens are fresh, or output, both follow; null where nobody said that one.
    """
    if amount is None:
        return None
    if amount.fresh_tokens is None and amount.output_tokens is None:
        return [amount.tokens, amount.nano_usd]
    return [amount.tokens, amount.nano_usd, amount.fresh_tokens, amount.output_tokens]


def decode_amount(value: Any) -> Amount:
    """The amount of `encode_amount`."""
    return Amount(*value)


def encode_request(request: ReserveRequest) -> dict[str, object]:
    """What a repeat of the key must bring again."""
    return {
        "labels": dict(request.labels),
        "amount": encode_amount(request.amount),
        "minimum": encode_amount(request.minimum),
        "attempt": request.attempt,
    }


def encode_charge(labels: Mapping[str, str], used: Amount | CallRecord) -> dict[str, object]:
    """What a repeat of the key of a charge must bring again."""
    what = {"amount": encode_amount(used)} if isinstance(used, Amount) else {"call": encode_call(used)}
    return {"labels": dict(labels), **what}


def encode_ending(kind: str, actual: Amount | None = None, unknown: Amount | None = None) -> str:
    """How a reservation ended, as a repeat must bring it again."""
    return encode([kind, encode_amount(actual), encode_amount(unknown)])


def encode_crediting(actual: Amount, evidence: str) -> str:
    """What a credit was given on, as a repeat must bring it again."""
    return encode([encode_amount(actual), evidence])


def encode_call(call: CallRecord) -> dict[str, object]:
    """A call as the body of its entry."""
    usage = call.usage
    return {
        "call_id": call.call_id,
        "sequence": call.sequence,
        "model": call.model,
        "usage": {
            "input_tokens": usage.input_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_5m_tokens": usage.cache_write_5m_tokens,
            "cache_write_1h_tokens": usage.cache_write_1h_tokens,
            "output_tokens": usage.output_tokens,
        },
        "nano_usd": call.nano_usd,
        "provenance": call.provenance,
    }


def decode_call(body: Any) -> CallRecord:
    """The call of `encode_call`."""
    return CallRecord(
        call_id=body["call_id"],
        sequence=body["sequence"],
        model=body["model"],
        usage=Usage(**body["usage"]),
        nano_usd=body["nano_usd"],
        provenance=body["provenance"],
    )


def encode_budget(budget: Budget) -> dict[str, object]:
    """A budget as the body of its entry."""
    return {
        "name": budget.name,
        "selector": dict(budget.selector),
        "unit": budget.limit.unit.value,
        "quantity": budget.limit.quantity,
        "period": str(budget.period),
        "timezone": budget.period.timezone,
        "counts": budget.counts.value,
        "thresholds": [_encode_threshold(threshold) for threshold in budget.thresholds],
        "on_limit": budget.on_limit.value,
        "stop_percent": budget.stop_percent,
        "allows_unknown_price": budget.allows_unknown_price,
    }


def complete_definition(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of a `defined` entry as this release writes it, also where the one before wrote it.

    That one knew one period, which never ended, and called it `run`.
    """
    if "counts" in body:
        return body
    return {
        **body,
        "period": str(ALWAYS),
        "timezone": None,
        "counts": "total",
        "stop_percent": None,
        "allows_unknown_price": False,
    }


def _encode_threshold(threshold: Threshold) -> list[object]:
    named = [threshold.name] if threshold.name else []
    return [threshold.percent, threshold.level.value, *named]


def fence_of(labels: Mapping[str, str], encode: Callable[[object], str] = encode) -> str:
    """What attempts are counted within: one task of one run; '' where the labels name none, and no fence stands."""
    if "run" not in labels or "task" not in labels:
        return ""
    return encode([labels.get(name) for name in _FENCED_BY])


def run_and_task_of(place: str) -> tuple[str, str]:
    """The labels `run` and `task` of what `fence_of` gave."""
    _, run, _, _, _, task = json.loads(place)
    return run, task
