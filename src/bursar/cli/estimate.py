"""`bursar estimate TARGET`: what a plan, a phase or a roadmap will probably take, in tokens, USD and time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.budget import Limit, Unit, parse_limit
from bursar.cli.estimate_scope import read_scope
from bursar.cli.json_output import write_json
from bursar.cli.learn_history import ATTEMPTS_NEEDED, open_experience
from bursar.cli.parsing import parser
from bursar.config import build_agent, load_settings
from bursar.errors import OK, UserError
from bursar.session import find_project

if TYPE_CHECKING:
    from bursar.agents import Agent
    from bursar.config import Settings
    from bursar.history import Experience
    from bursar.plan import Task

_MOST_ATTEMPTS = 10
_INPUT_TOKENS, _OUTPUT_TOKENS = 900_000, 100_000  # of a million; Source: docs/decisions/0007-holds.md


def main(arguments: Sequence[str]) -> int:
    """Prints the forecast; nothing is run or written."""
    options = parser("estimate", "what a plan, a phase or a roadmap will probably take; nothing is run")
    options.add_argument(
        "target", metavar="PLAN|PHASE|ROADMAP", help="a plan, the number or folder of a phase, a roadmap"
    )
    options.add_argument("--budget", metavar="LIMIT", help='how probably it suffices: "5 USD", "200k tokens"')
    options.add_argument(
        "--attempts", metavar="N", help="attempts that a task gets at most (default: routing.attempts)"
    )
    options.add_argument("--seed", metavar="N", default="1", help="another luck of the draws (default: 1)")
    options.add_argument("--json", action="store_true", help="a JSON object on stdout")
    chosen = options.parse_args(arguments)
    limit = None if chosen.budget is None else parse_limit(chosen.budget)
    attempts = None if chosen.attempts is None else _whole("--attempts", chosen.attempts, 1, _MOST_ATTEMPTS)
    seed = _whole("--seed", chosen.seed, 0, 2**32 - 1)
    return _estimate(chosen.target, limit, attempts, seed, as_json=chosen.json)


def _estimate(target: str, limit: Limit | None, attempts: int | None, seed: int, *, as_json: bool) -> int:
    from bursar.cli.estimate_views import as_data, render
    from bursar.history import Basis, estimate_works, weigh

    scope = read_scope(target)
    root = find_project()
    settings = load_settings(Path(root))
    agent = build_agent(settings)
    most = attempts or settings.routing.attempts
    experience = open_experience()
    basis = Basis(
        experience=experience,
        project=root,
        ladder_of=choose_ladders(settings, agent, experience, root, most),
        price_of=_price_of,
        attempts=most,
        slots=settings.run.max_parallel,
        seed=seed,
    )
    estimated = estimate_works(scope.works, basis)
    if limit is not None and limit.unit is Unit.USD and estimated.unpriced:
        raise UserError(
            f"no price is known for model {', '.join(estimated.unpriced)}: nobody can tell how far USD go",
            hint='give it in tokens, for example `--budget "200k tokens"`',
        )
    chance = None if limit is None else weigh(estimated, limit)
    if as_json:
        write_json(as_data(scope.title, estimated, basis, chance))
    else:
        sys.stdout.writelines(f"{line}\n" for line in render(scope.title, estimated, basis, chance))
    return OK


def choose_ladders(
    settings: Settings, agent: Agent, experience: Experience, project: str, most: int
) -> Callable[[Task], Sequence[str]]:
    """What says which models a run would ask for a task, in their order: by what was learned, or by the rules."""
    from bursar.history import facts_of, learn_policy
    from bursar.routing import Facts, Offer, Purchase, Tier, expected_ladder

    policy, seen = learn_policy(experience.seen)
    needed = ATTEMPTS_NEEDED[settings.routing.policy]
    tiers = {agent.model_for(tier): tier for tier in reversed(Tier)}  # a model of several is of the smallest
    offers = tuple(Offer(model, tier) for model, tier in reversed(tiers.items()))
    value = settings.routing.value_usd()

    @cache
    def learned(facts: Facts) -> list[str]:
        purchase = Purchase(task="", facts=facts, offers=offers, value_usd=value)
        return expected_ladder(policy, purchase, most)

    def ladder_of(task: Task) -> Sequence[str]:
        if seen < needed or task.model:
            return _ladder(agent, task, most)
        return learned(replace(facts_of(task, project, experience.corrections), text="")) or _ladder(agent, task, most)

    return ladder_of


def _ladder(agent: Agent, task: Task, most: int) -> list[str]:
    """The models of a run's attempts at the task: the first, then those of larger tiers, up to the largest."""
    from bursar.routing import Tier, choose_route, larger_tier

    wanted = choose_route(task).model_or_tier
    models = [agent.model_for(wanted)]
    tier = larger_tier(Tier(wanted)) if wanted in tuple(Tier) else None
    while tier is not None:
        if agent.model_for(tier) != models[-1]:
            models.append(agent.model_for(tier))
        tier = larger_tier(tier)
    return models[:most]


@cache
def _price_of(model: str) -> float | None:
    """USD for a token of that model at list price, as agents use them; None where no price is known."""
    from bursar.pricing import ALIASES, load_prices
    from bursar.usage import Usage

    rates = load_prices(datetime.now(UTC)).table((*ALIASES, model))
    nano_usd = rates.dearest_nano_usd(model, Usage(input_tokens=_INPUT_TOKENS, output_tokens=_OUTPUT_TOKENS))
    return None if nano_usd is None else nano_usd / (_INPUT_TOKENS + _OUTPUT_TOKENS) / 1e9


def _whole(flag: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise UserError(f"{flag} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)
