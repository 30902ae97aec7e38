"""`bursar roadmap estimate-phase N`: a number of tokens for scripts that reserve before they begin a phase."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bursar.cli.json_output import write_json_line
from bursar.cli.roadmap_files import find_phase, label, open_roadmap, roadmap_parser
from bursar.errors import INVALID_PLAN, OK
from bursar.estimation import CRITERION_TOKENS, PHASE_TOKENS, REQUIREMENT_TOKENS, estimate_phase_tokens


def main(arguments: Sequence[str]) -> int:
    """Prints the number alone, and how it comes about on stderr; exit code 3 where the roadmap cannot be read."""
    options = roadmap_parser(
        "estimate-phase", "the tokens that a phase will probably take, as one number on stdout", of_phase=True
    )
    chosen = options.parse_args(arguments[1:])
    roadmap = open_roadmap(chosen.path)
    if roadmap is None:
        return INVALID_PLAN
    phase = find_phase(roadmap, chosen.number)
    tokens = estimate_phase_tokens(phase)
    if chosen.json:
        data = {
            "phase": phase.number,
            "name": phase.name,
            "estimated_tokens": tokens,
            "base_tokens": PHASE_TOKENS,
            "requirements": len(phase.requirements),
            "tokens_per_requirement": REQUIREMENT_TOKENS,
            "success_criteria": len(phase.success_criteria),
            "tokens_per_criterion": CRITERION_TOKENS,
        }
        write_json_line(data)
        return OK
    sys.stderr.write(
        f"{label(phase)}: {PHASE_TOKENS:,} + {len(phase.requirements)} requirements × {REQUIREMENT_TOKENS:,}"
        f" + {len(phase.success_criteria)} success criteria × {CRITERION_TOKENS:,} = {tokens:,} tokens\n"
    )
    sys.stdout.write(f"{tokens}\n")
    return OK
