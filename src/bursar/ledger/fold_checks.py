"""What the law says of single entries: nothing is un-spent, and nothing granted past a limit."""

from __future__ import annotations

from bursar.ledger.folded import FREE, Fold, FoldedReservation, Line, Sums


def check_charge(folded: Fold, line: Line, reservation: FoldedReservation) -> None:
    """Nothing is charged less than it had metered."""
    tokens, nano_usd, fresh, output = reservation.charged or FREE
    metered_tokens, metered_nano_usd, metered_fresh, metered_output = reservation.metered
    is_less = (
        tokens < metered_tokens
        or (nano_usd is not None and nano_usd < (metered_nano_usd or 0))
        or (tokens if fresh is None else fresh) < (metered_fresh or 0)
        or (tokens if output is None else output) < (metered_output or 0)
    )
    if is_less:
        folded.problems.append(f"entry {line.number} charges `{line.key}` less than it had metered")


def check_grant(folded: Fold, line: Line, reservation: FoldedReservation, before: tuple[Sums, ...]) -> None:
    """After a grant, no blocking budget that had to give something is past what it grants.

    Where entries were lost, they may have made room for it.
    """
    if folded.repeats:
        return
    for (_, balances), old, new in zip(reservation.charged_to.sides, before, reservation.weights, strict=True):
        for balance in balances:
            budget = balance.budget
            if budget.ceiling is None:
                continue
            is_past = new[1] > old[1] and balance.spent + balance.reserved > budget.ceiling
            is_unpriced = new[3] > old[3] and not budget.definition["allows_unknown_price"]
            if is_past or is_unpriced:
                name = budget.definition["name"]
                folded.problems.append(f"entry {line.number} grants `{line.key}` what budget `{name}` did not have")
