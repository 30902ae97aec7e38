"""A new ledger out of what can be read of a damaged one: only when somebody asks for it, and every difference is said.

The journal decides. An entry is believed when its hash is that of its content, wherever it was found: in the file, page
by page, or in an export. Where the journal is whole, so is the new ledger, to the last token. Where entries are lost,
the rows beside the journal, the audit log and the outcomes of attempts tell what they can; a hold whose end nobody
knows is forfeited, and what the balances had and nobody can explain is charged.

Imported only where somebody rebuilds.
"""

from bursar.ledger.rebuilding.rebuild import rebuild_file

__all__ = ["rebuild_file"]
