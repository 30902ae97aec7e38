"""A run's report as plain data, for `--json`: names with units, money in nano-USD, null for unknown."""

from __future__ import annotations

from typing import Any

from bursar.budget import Balance, title_of, window_length
from bursar.journal import WindowRecord
from bursar.reports.run_report import RunReport, TaskLine


def report_as_data(report: RunReport) -> dict[str, Any]:
    """The report as JSON values."""
    run = report.run
    return {
        "run": run.id,
        "plan": run.plan_id,
        "plan_path": run.plan_path,
        "state": str(run.state),
        "branch": run.branch,
        "workspace": run.workspace,
        "limit": run.limit,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "metered_tokens": report.metered_tokens,
        "unknown_outcome_tokens": report.unknown_tokens,
        "cost_nano_usd": report.nano_usd,
        "certainty": "bounded",
        "unsandboxed_attempts": report.unsandboxed,
        "calls_that_may_pass_a_limit": report.most_at_once,
        "usage_by_model": {
            model: {
                "input_tokens": usage.input_tokens,
                "cache_read_tokens": usage.cache_read_tokens,
                "cache_write_5m_tokens": usage.cache_write_5m_tokens,
                "cache_write_1h_tokens": usage.cache_write_1h_tokens,
                "output_tokens": usage.output_tokens,
                "total_tokens": usage.total_tokens,
            }
            for model, usage in report.usage_by_model.items()
        },
        "budgets": [_budget(balance) for balance in report.budgets],
        "windows": [_window(window) for window in report.windows],
        "alerts": [
            {
                "budget": title_of(alert.budget),
                "threshold": alert.percent / 100,
                "level": str(alert.level),
                "at": alert.at.isoformat(),
            }
            for alert in report.alerts
        ],
        "tasks": [_task(task) for task in report.tasks],
    }


def _budget(balance: Balance) -> dict[str, Any]:
    budget = balance.budget
    return {
        "name": title_of(budget.name),
        "unit": str(budget.limit.unit),
        "limit": budget.limit.quantity,
        "spent": balance.spent,
        "reserved": balance.reserved,
        "available": balance.available,
        "overrun": balance.overrun,
        "unpriced": balance.unpriced,
        "on_limit": str(budget.on_limit),
        "period": str(budget.period),
        "period_id": balance.period_id,
        "unpriced_operations": balance.unpriced,
        "subscription_operations": balance.exempt,
    }


def _window(window: WindowRecord) -> dict[str, Any]:
    return {
        "agent": window.agent,
        "window": window_length(window.minutes),
        "limit_percent": window.limit_percent,
        "on_limit": window.on_limit,
        "used_percent": window.percent,
        "source": "official" if window.is_official else "estimated",
        "said_at": None if window.said_at is None else window.said_at.isoformat(),
        "resets_at": None if window.resets_at is None else window.resets_at.isoformat(),
        "certainty": "observed",
    }


def _task(task: TaskLine) -> dict[str, Any]:
    return {
        "number": task.row.number,
        "name": task.row.name,
        "state": str(task.row.state),
        "outcome": str(task.attempts[-1].row.state) if task.attempts else None,
        "commit": task.row.commit,
        "note": task.row.note,
        "metered_tokens": task.metered_tokens,
        "unknown_outcome_tokens": task.unknown_tokens,
        "cost_nano_usd": task.nano_usd,
        "attempts": [
            {
                "number": line.row.number,
                "state": str(line.row.state),
                "model": line.row.model,
                "metered_tokens": line.metered_tokens,
                "unknown_outcome_tokens": line.unknown_tokens,
                "cost_nano_usd": line.nano_usd,
                "wall_seconds": round(line.wall_seconds, 3),
                "tokens_by_provenance": dict(line.tokens_by_provenance),
                "sandboxed": line.was_sandboxed,
                "differences": list(line.differences),
                "remarks": list(line.remarks),
                "note": line.row.note,
                "directory": line.row.directory,
            }
            for line in task.attempts
        ],
    }
