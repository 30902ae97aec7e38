"""`bursar alert test`: a test alert through every configured target, and what became of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bursar.budget import Level
from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.config import load_settings
from bursar.errors import OK, TASK_FAILED, UserError
from bursar.notify import Delivery, Patience, build_message, check_target, deliver, require_library
from bursar.session import find_project

_PATIENCE = Patience(tries=3)
_TEXT = "this is a test of bursar's alerts; no budget has reached anything"


def main(arguments: Sequence[str]) -> int:
    """Sends the test; 0: everybody got it, 1: somebody did not, 2: there is nobody to send it to."""
    options = _options(arguments)
    root = Path(find_project())
    targets = _targets(options, root)
    if not targets:
        raise UserError(
            "no targets for alerts are configured",
            hint='in bursar.toml:  [notify]  targets = ["desktop"], or try one with --target',
        )
    require_library(targets)
    deliveries = _send(targets, root.name)
    _tell(deliveries, as_json=options.json)
    return OK if all(delivery.delivered for delivery in deliveries) else TASK_FAILED


def _options(arguments: Sequence[str]) -> Any:
    options = parser("alert", "try whether alerts arrive: exit code 0 all did, 1 some did not, 2 nothing is configured")
    options.add_argument(
        "action", metavar="test", choices=["test"], help="send a test alert and wait for what becomes of it"
    )
    options.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="TARGET",
        help="only to this one (repeatable): desktop, an address, or env:NAME for an address in the environment",
    )
    options.add_argument("--json", action="store_true", help="a JSON array on stdout")
    return options.parse_args(arguments)


def _targets(options: Any, root: Path) -> list[str]:
    """What the flags name, else what the settings do.

    Raises:
        UserError: a flag's value is no target; it is not repeated, for it may hold a credential.
    """
    for number, target in enumerate(options.target, 1):
        if problem := check_target(target):
            raise UserError(f"--target number {number} {problem}")
    return options.target or load_settings(root).notify.targets


def _send(targets: Sequence[str], source: str) -> Sequence[Delivery]:
    message = build_message(Level.INFO, _TEXT, source)
    with ThreadPoolExecutor(len(targets)) as pool:
        return list(pool.map(lambda target: deliver(message, target, os.environ, patience=_PATIENCE), targets))


def _tell(deliveries: Sequence[Delivery], *, as_json: bool) -> None:
    if as_json:
        write_json([_as_data(delivery) for delivery in deliveries])
        return
    for delivery in deliveries:
        tries = f" after {delivery.tries} tries" if delivery.tries > 1 else ""
        outcome = "delivered" if delivery.delivered else "failed   "
        reason = f": {delivery.reason}" if delivery.reason else ""
        sys.stdout.write(f"{outcome}  {delivery.target}{tries}{reason}\n")


def _as_data(delivery: Delivery) -> Mapping[str, object]:
    return {
        "target": delivery.target,
        "delivered": delivery.delivered,
        "tries": delivery.tries,
        "reason": delivery.reason,
    }
