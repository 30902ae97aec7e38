"""What front matter says of a plan's place among other plans."""

from __future__ import annotations

import pytest

from tests.unit.plan.plan_texts import plan_text, read, task, warnings


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("depends_on: []", ()),
        ("depends_on:", ()),
        ("depends_on: none", ()),
        ('depends_on: ["01-02", 02, 9.20]', ("01-02", "02", "9.20")),
        ("depends_on:\n  - 06-02-PLAN.md\n  - 10-phase-model\n", ("06-02-PLAN.md", "10-phase-model")),
        ("depends_on: 01-01, 01-02", ("01-01", "01-02")),
        ("depends-on: [01-PLAN]", ("01-PLAN",)),
        ("depends_on: ['01', '01', '']", ("01",)),
    ],
)
def test_dependencies_are_references_as_written(front: str, expected: tuple[str, ...]) -> None:
    assert read(plan_text(task(), front=f"{front}\n")).depends_on == expected


def test_wave_type_and_files() -> None:
    plan = read(plan_text(task(), front="wave: 0\ntype: tdd\nfiles_modified:\n  - src/a.py (new)\n  - src/b.py\n"))
    assert (plan.wave, plan.type, plan.files_modified) == (0, "tdd", ("src/a.py", "src/b.py"))


def test_without_front_matter_nothing_is_said() -> None:
    plan = read(task())
    assert (plan.wave, plan.type, plan.depends_on, plan.files_modified) == (None, "", (), ())


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("wave: soon", "`wave` is `soon`, not a whole number; it is left out"),
        ("wave: [1]", "`wave` is a list, not a whole number; it is left out"),
        ("wave: true", "`wave` is true, not a whole number; it is left out"),
        ("depends_on: {a: b}", "`depends_on` is a mapping, not a list; it is left out"),
        ("depends_on: [01, [02]]", "an entry of `depends_on` is a list, not text; it is left out"),
        ("files_modified: true", "`files_modified` is true, not a list; it is left out"),
    ],
)
def test_an_odd_value_is_warned_of_and_left_out(front: str, message: str) -> None:
    assert warnings(plan_text(task(), front=f"phase: 8\n{front}\n")) == [f"08-02-PLAN.md:3:1: {message}"]
