"""`[notify]` in bursar.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.config import build_notifier, load_settings
from bursar.errors import UserError


def write(folder: Path, text: str) -> None:
    (folder / "bursar.toml").write_text(text, encoding="utf-8")


def test_nobody_is_told_by_default(tmp_path: Path) -> None:
    table = load_settings(tmp_path, {}).notify
    assert (table.targets, table.min_level) == ([], "warning")


def test_targets_and_level(tmp_path: Path) -> None:
    write(tmp_path, '[notify]\ntargets = ["desktop", "env:HOOK", "json://host/x"]\nmin_level = "critical"\n')
    settings = load_settings(tmp_path, {})
    assert settings.notify.targets == ["desktop", "env:HOOK", "json://host/x"]
    assert settings.notify.min_level == "critical"
    build_notifier(settings, tmp_path).check()


@pytest.mark.parametrize(
    "text",
    ['targets = "desktop"', "targets = [1]", 'min_level = "loud"', 'min_level = "Warning"', 'target = ["desktop"]',
     'targets = ["desktop", "slack"]', 'targets = [""]'],
)  # fmt: skip
def test_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, f"[notify]\n{text}\n")
    with pytest.raises(UserError, match="notify"):
        load_settings(tmp_path, {})


def test_where_alerts_go_is_part_of_what_is_approved(tmp_path: Path) -> None:
    nothing = load_settings(tmp_path, {}).digest()
    digests = {nothing}
    for text in ('[notify]\ntargets = ["desktop"]\n', '[notify]\ntargets = ["json://host/"]\n', "[agents.claude]\n"):
        write(tmp_path, text)
        digests.add(load_settings(tmp_path, {}).digest())
    assert nothing == ""
    assert len(digests) == 4


def test_how_loud_is_not(tmp_path: Path) -> None:
    write(tmp_path, '[notify]\nmin_level = "info"\n')
    assert load_settings(tmp_path, {}).digest() == ""
