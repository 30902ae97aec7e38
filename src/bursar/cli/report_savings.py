"""`bursar report --savings`: what the project has paid, against one model for everything."""

from __future__ import annotations

import sys
from pathlib import Path

from bursar.cli.json_output import write_json
from bursar.cli.learn_history import opened_history
from bursar.config import build_agent, load_settings
from bursar.errors import OK
from bursar.history import LEARN_FROM, learn
from bursar.reports import render_savings, savings_as_data, weigh_savings
from bursar.session import find_project

_SEED = 1
_TIERS = ("small", "medium", "large")


def report_savings(*, as_json: bool) -> int:
    """Prints it; nothing is written."""
    root = find_project()
    agent = build_agent(load_settings(Path(root)))
    with opened_history() as history:
        own, latest = history.observations(project=root), history.read(latest=LEARN_FROM)
    ranks: dict[str, int] = {}
    for rank, tier in enumerate(_TIERS):
        ranks.setdefault(agent.model_for(tier), rank)
    experience = learn(latest.observations, latest.unbelievable)
    left_out = max(0, len(own) - LEARN_FROM)
    savings = weigh_savings(own[left_out:], experience, ranks, seed=_SEED, left_out=left_out)
    if as_json:
        write_json(savings_as_data(savings))
    else:
        sys.stdout.writelines(f"{line}\n" for line in render_savings(savings))
    return OK
