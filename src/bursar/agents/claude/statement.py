"""Claude Code's closing statement: its `result` line, or the one object of `--output-format json`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from bursar.agents.claude import wire
from bursar.agents.claude.counts import usage_from_api, usage_from_model_usage
from bursar.agents.counts import AbsurdCount
from bursar.events import AgentEvent, LineRejected, SessionEnded
from bursar.usage import Usage

_UNREACHABLE = re.compile(r"\((ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\)")
_usage = msgspec.json.Decoder(wire.ApiUsage | None)
_model_usage = msgspec.json.Decoder(dict[str, wire.ModelUsage] | None)
_denials = msgspec.json.Decoder(list[wire.DeniedPermission] | None)


def read_statement(line: wire.Line, *, with_models: bool = True) -> Iterator[AgentEvent]:
    """The statement in a `result` line, after what of its numbers cannot be believed; may raise what decoders raise.

    Without `with_models` the sums by model are left out: a session that goes on has its earlier calls in them.
    """
    by_model: dict[str, Usage] = {}
    for model, reported in (_model_usage.decode(line.modelUsage) or {}).items() if with_models else ():
        try:
            by_model[model] = usage_from_model_usage(reported)
        except AbsurdCount as absurd:
            yield LineRejected(reason=str(absurd))
    rejected, main_usage = check_usage(_usage.decode(line.usage))
    yield from rejected
    message = _text(line.result) or _text(line.errors) or line.subtype or ""
    is_unconnected = line.api_error == "connection_failed"
    was_unreachable = is_unconnected and _UNREACHABLE.search(message) is not None
    yield SessionEnded(
        is_error=line.is_error if line.is_error is not None else line.subtype != "success",
        message=message,
        usage_by_model=by_model,
        main_usage=main_usage,
        denied_permissions=tuple(denial.tool_name for denial in _denials.decode(line.permission_denials) or ()),
        cost_usd=_number_text(line.total_cost_usd),
        broke_off_call=line.terminal_reason == "aborted_streaming" or (is_unconnected and not was_unreachable),
        was_unreachable=was_unreachable,
    )


def _text(raw: msgspec.Raw) -> str:
    """A string, or the strings of a list on one line; anything else is empty."""
    value = msgspec.json.decode(raw)
    if isinstance(value, list):
        return "; ".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


def _number_text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw).decode(errors="replace")
    return text if text[:1].isdigit() else None


def check_usage(reported: wire.ApiUsage | None) -> tuple[tuple[AgentEvent, ...], Usage | None]:
    """The usage, or None and why it is not believed; the call stands either way."""
    if reported is None:
        return (), None
    try:
        return (), usage_from_api(reported)
    except AbsurdCount as absurd:
        return (LineRejected(reason=str(absurd)),), None
