"""`bursar ledger list|verify`: the books."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.parsing import parser
from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.errors import OK, StoreError
from bursar.paths import state_dir


def main(arguments: Sequence[str]) -> int:
    """Lists every entry as JSON lines, or recomputes the books from them."""
    options = parser("ledger", "list the journal's entries as JSON lines, or verify that the books follow from them")
    options.add_argument("action", choices=("list", "verify"))
    options.add_argument("--after", type=int, default=0, metavar="N", help="list: only entries after number N")
    chosen = options.parse_args(arguments)
    ledger = open_stores(Path(state_dir()), SystemClock()).ledger
    if chosen.action == "verify":
        problems = ledger.verify()
        if problems:
            raise StoreError("the ledger does not add up:\n  " + "\n  ".join(problems))
        sys.stderr.write("the ledger adds up: every hash and every balance follows from the entries\n")
        return OK
    for entry in ledger.entries(after=chosen.after):
        line = {
            "number": entry.number,
            "at": entry.at.isoformat(),
            "kind": entry.kind,
            "key": entry.key,
            "body": dict(entry.body),
            "hash": entry.hash,
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return OK
