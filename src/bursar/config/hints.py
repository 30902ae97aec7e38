"""What could have stood where a key or a word of `bursar.toml` is not known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

import msgspec


def hint_for(error: msgspec.ValidationError, root: type[msgspec.Struct], more: Sequence[str] = ()) -> str | None:
    """The key that was probably meant, or the words that can stand there; None where the message says enough.

    Args:
        root: what the whole file is read as.
        more: keys of the file that `root` does not have.
    """
    found = re.search(
        r"(unknown field `(?P<key>[^`]*)`|Invalid enum value .*?)(?: - at `\$(?P<path>[^`]*)`)?$", str(error)
    )
    if found is None:
        return None
    at = _type_at(root, found["path"] or "")
    if found["key"] is None:
        return f"one of {', '.join(sorted(map(str, get_args(at))))}" if get_args(at) else None
    known = [field.encode_name for field in msgspec.structs.fields(at)] + (list(more) if at is root else [])
    near = difflib.get_close_matches(found["key"], known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(sorted(known))}"


def _type_at(root: type[msgspec.Struct], path: str) -> Any:
    """What stands at a path like `.agents[...].lane`."""
    at: Any = root
    for part in path.replace("[...]", "[]").split(".")[1:]:
        at = get_type_hints(at)[part.partition("[")[0]]
        for _ in range(part.count("[")):
            at = get_args(at)[-1]
    return at
