"""What a checkpoint tells the person who must act there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bursar.plan.model import Checkpoint, CheckpointOption
from bursar.plan.source import decode_entities

_OPTION = re.compile(r"<option(?P<attributes>(?:\s[^<>]*)?)>")
_ID = re.compile(r"\bid\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_BULLET = re.compile(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?P<text>\S.*)$", re.MULTILINE)
MAX_OPTIONS = 100


def parse_checkpoint(task_type: str, gate: str, texts: Mapping[str, str]) -> Checkpoint:
    """The checkpoint of a task of this type, from the texts of its elements by name."""
    return Checkpoint(
        kind=task_type.partition(":")[2].strip(),
        gate=gate,
        what_built=_either(texts, "what-built"),
        how_to_verify=_either(texts, "how-to-verify"),
        instructions=_either(texts, "instructions"),
        decision=_either(texts, "decision"),
        context=_either(texts, "context"),
        options=_options(_either(texts, "options")),
        resume_signal=_either(texts, "resume-signal"),
    )


def _either(texts: Mapping[str, str], name: str) -> str:
    """The text under a name, whether it is written with `-` or `_`."""
    return texts.get(name) or texts.get(name.replace("-", "_"), "")


def _options(text: str) -> tuple[CheckpointOption, ...]:
    """`<option>` elements, or a list; more than a person could choose from are cut."""
    tags = list(_OPTION.finditer(text))[:MAX_OPTIONS]
    if not tags:
        items = list(_BULLET.finditer(text))[:MAX_OPTIONS]
        return tuple(CheckpointOption(id=str(n), name=item["text"].strip()) for n, item in enumerate(items, start=1))
    ends = [*(tag.start() for tag in tags[1:]), len(text)]
    return tuple(
        _option(text[tag.end() : end], tag["attributes"], position)
        for position, (tag, end) in enumerate(zip(tags, ends, strict=True), start=1)
    )


def _option(text: str, attributes: str, position: int) -> CheckpointOption:
    text = text.partition("</option>")[0]
    found = _ID.search(attributes)
    return CheckpointOption(
        id=(found and (found[1] or found[2] or "").strip()) or str(position),
        name=_part(text, "name") or _part(text, "title"),
        pros=_part(text, "pros"),
        cons=_part(text, "cons"),
    )


def _part(text: str, name: str) -> str:
    _, opening, rest = text.partition(f"<{name}>")
    value, closing, _ = rest.partition(f"</{name}>")
    return " ".join(decode_entities(value).split()) if opening and closing else ""
