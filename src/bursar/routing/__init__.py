"""Which model a task is given, with what cap, and when to stop: the documented rules, and a policy that learns."""

from bursar.routing.annotation import choose_annotations, choose_complexity, choose_subagent, effective_model
from bursar.routing.complexity import Complexity, Indicator, score_task, score_text
from bursar.routing.expected import expected_ladder
from bursar.routing.explanation import SECOND_TRY_SHARE, Candidate
from bursar.routing.learned import LearnedPolicy
from bursar.routing.purchases import AttemptVerdict, Choice, Facts, Offer, PastAttempt, Purchase
from bursar.routing.requests import BadRequest, Policy, RouteDesk
from bursar.routing.route import Route, Tier, choose_route, larger_tier, smaller_tier
from bursar.routing.rules import MOST_OF_WHAT_REMAINS, RulesPolicy

__all__ = [
    "MOST_OF_WHAT_REMAINS",
    "SECOND_TRY_SHARE",
    "AttemptVerdict",
    "BadRequest",
    "Candidate",
    "Choice",
    "Complexity",
    "Facts",
    "Indicator",
    "LearnedPolicy",
    "Offer",
    "PastAttempt",
    "Policy",
    "Purchase",
    "Route",
    "RouteDesk",
    "RulesPolicy",
    "Tier",
    "choose_annotations",
    "choose_complexity",
    "choose_route",
    "choose_subagent",
    "effective_model",
    "expected_ladder",
    "larger_tier",
    "score_task",
    "score_text",
    "smaller_tier",
]
