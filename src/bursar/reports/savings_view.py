"""The savings report as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bursar.layout import count_of
from bursar.money import format_usd
from bursar.reports.savings import NEEDED, Alternative, Savings


def render_savings(savings: Savings) -> Iterator[str]:
    """The report, line by line; where nobody can tell, it says so."""
    if not savings.tasks:
        yield "no finished attempt of this project has a known cost: nothing to compare"
        return
    failed = f", {savings.failed_attempts} of the attempts failed and are counted" if savings.failed_attempts else ""
    tasks = count_of(savings.tasks, "task")
    yield f"paid {format_usd(savings.paid)} for {tasks}, {savings.finished} of them finished{failed}"
    if savings.unpriced:
        yield f"not counted: {count_of(savings.unpriced, 'attempt')} of unknown cost"
    if savings.interrupted:
        said = count_of(savings.interrupted, "interrupted attempt")
        yield f"not counted: {said}, but where another one went on with the work"
    if savings.left_out:
        yield f"not counted: {savings.left_out:,} earlier attempts; these are the latest"
    if not savings.finished:
        yield "no task is finished: nothing to compare"
        return
    for each in savings.alternatives:
        yield _render(each, savings.paid)


def savings_as_data(savings: Savings) -> dict[str, Any]:
    """For programs; money is nano-USD."""
    data = asdict(savings)
    data["alternatives"] = [
        data_of | {"saved_nano_usd": _saved(each, savings.paid)}
        for each, data_of in zip(savings.alternatives, data["alternatives"], strict=True)
    ]
    return data


def _render(each: Alternative, paid: int) -> str:
    if each.p10 is None or each.p50 is None or each.p90 is None:
        return (
            f"{each.role} ({each.model}): not enough history to tell:"
            f" attempts with a known cost: {each.observations}, needed: {NEEDED}"
        )
    cost = f"{format_usd(each.p50)}, {format_usd(each.p10)} to {format_usd(each.p90)} in eight of ten cases"
    verdict = _verdict(paid, each.p10, each.p90)
    return f"{each.role} ({each.model}), to finish as many: {cost}, failed attempts counted; {verdict}"


def _verdict(paid: int, low: int, high: int) -> str:
    """What has been saved, where the interval lets one say so."""
    if low <= paid <= high:
        return "no difference that one could be sure of"
    if paid < low:
        return f"{100 * (low - paid) / low:.0f} to {100 * (high - paid) / high:.0f} % saved"
    return f"{100 * (paid - high) / high:.0f} to {100 * (paid - low) / low:.0f} % more was paid"


def _saved(each: Alternative, paid: int) -> dict[str, int] | None:
    if each.p10 is None or each.p50 is None or each.p90 is None:
        return None
    return {"p10": each.p10 - paid, "p50": each.p50 - paid, "p90": each.p90 - paid}
