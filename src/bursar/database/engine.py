"""apsw, imported quickly: of `collections` it asks for the abstract classes alone, and those Python has loaded before.

The package is lent to it for that moment, and taken back: whoever wants it later imports all of it.
"""

from __future__ import annotations

import sys

_is_lent = "collections" not in sys.modules and "_collections_abc" in sys.modules
if _is_lent:
    sys.modules["collections"] = sys.modules["collections.abc"] = sys.modules["_collections_abc"]

try:
    import apsw
finally:
    if _is_lent:
        del sys.modules["collections"], sys.modules["collections.abc"]

__all__ = ["apsw"]
