"""Claude Code's telemetry: OTLP logs as JSON, of which one record per request tells exactly what it used.

It is told once a second or so and at the end, side queries and sub-agents included. A request that was refused has no
such record, one that broke off may have one, with the placeholder for its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from bursar.agents.counts import AbsurdCount, Number, count
from bursar.events import AgentEvent, LineRejected
from bursar.usage import Usage

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
        ENDPOINT_VARIABLE: "{url}/v1/logs",
        "OTEL_LOGS_EXPORT_INTERVAL": "1000",
    }
)
_EVENT = "claude_code.api_request"


class _Value(msgspec.Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | None = None


class _Attribute(msgspec.Struct):
    key: str = ""
    value: _Value | None = None


class _Record(msgspec.Struct):
    body: _Value | None = None
    attributes: list[_Attribute] = []


class _Scope(msgspec.Struct, rename="camel"):
    log_records: list[_Record] = []


class _Resource(msgspec.Struct, rename="camel"):
    scope_logs: list[_Scope] = []


class _Logs(msgspec.Struct, rename="camel"):
    resource_logs: list[_Resource] = []


_logs = msgspec.json.Decoder(_Logs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRequest:
    """One request as telemetry tells of it; `agent` names the kind of sub-agent, empty for the main conversation."""

    request_id: str
    model: str | None
    usage: Usage


def read_telemetry(body: bytes) -> Iterator[ToldRequest | AgentEvent]:
    """The requests in one message, and what of it cannot be believed."""
    try:
        logs = _logs.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        yield LineRejected(reason=f"telemetry: {str(error)[:80]}")
        return
    for resource in logs.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                if record.body is not None and record.body.string_value == _EVENT:
                    yield from _read(record)


def _read(record: _Record) -> Iterator[ToldRequest | AgentEvent]:
    values = {each.key: each.value for each in record.attributes if each.value is not None}
    request_id = _text(values.get("request_id"))
    if not request_id:
        return
    try:
        usage = _usage(values)
    except (AbsurdCount, ValueError) as absurd:
        yield LineRejected(reason=f"telemetry: {str(absurd)[:80]}")
        return
    yield ToldRequest(request_id=request_id, model=_text(values.get("model")), usage=usage)


def _usage(values: Mapping[str, _Value]) -> Usage:
    def number(name: str) -> int:
        return count(name, _number(values.get(name)))

    total, write_1h = number("cache_creation_tokens"), number("cache_creation_1h_tokens")
    return Usage(
        input_tokens=number("input_tokens"),
        cache_read_tokens=number("cache_read_tokens"),
        cache_write_5m_tokens=max(number("cache_creation_5m_tokens"), total - write_1h),
        cache_write_1h_tokens=write_1h,
        output_tokens=number("output_tokens"),
    )


def _number(value: _Value | None) -> Number:
    """JSON has integers of 64 bits as text, too."""
    if value is None:
        return None
    if value.int_value is not None:
        return int(value.int_value)
    return int(value.string_value or "") if value.double_value is None else value.double_value


def _text(value: _Value | None) -> str | None:
    return None if value is None else value.string_value
