"""What Python programs need to be seen: interpreters behind links, and packages that lie elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.sandbox import tool_folders


def put(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With an interpreter of its own, a virtual environment of that, and two packages that are edited in place."""
    home = tmp_path / "home"
    real = put(home / "python/3.12.1/bin/python3.12")
    put(home / "python/3.12.1/lib/python3.12/os.py")
    (home / "python/3.12.1/bin/python3").symlink_to("python3.12")
    (home / "venv/bin").mkdir(parents=True)
    (home / "venv/bin/python3").symlink_to(real.with_name("python3"))
    (home / "venv/bin/python").symlink_to("python3")
    put(home / "venv/pyvenv.cfg", f"home = {real.parent}\nversion = 3.12.1\n")
    site = home / "venv/lib/python3.12/site-packages"
    put(home / "code/first/src/first/__init__.py")
    put(home / "code/second/second/__init__.py")
    put(site / "first.pth", f"# a comment\nimport sys\n{home}/code/first/src\n{home}/nowhere\n{home}\nnear\n")
    (site / "near").mkdir()
    finder = "from __future__ import annotations\nMAPPING: dict[str, str] = {'second': '%s'}\nNAMES = {}\n"
    put(site / "__editable___second_1_0_finder.py", finder % (home / "code/second/second"))
    put(site / "__editable___odd_1_0_finder.py", "MAPPING: dict[str, str] = {'x': open('/etc/passwd')}\n")
    return home


def seen(home: Path, program: Path, path: str = "/usr/bin") -> set[str]:
    found = tool_folders(str(program), {"PATH": path}, home)
    return {str(each.relative_to(home)) for each in found if each.is_relative_to(home)}


ENVIRONMENT = {"venv/bin", "venv/lib", "venv/pyvenv.cfg", "python/3.12.1/bin", "python/3.12.1/lib"}
EDITABLE = {"code/first/src", "code/second/second", "venv/lib/python3.12/site-packages/near"}


def test_an_interpreter_of_a_virtual_environment(home: Path) -> None:
    assert seen(home, home / "venv/bin/python") == ENVIRONMENT | EDITABLE


@pytest.mark.parametrize(
    "first",
    ["#!{home}/venv/bin/python\n", "#!/bin/sh\n'''exec' {home}/venv/bin/python \"$0\" \"$@\"\n' '''\n"],
)
def test_a_script_of_one(home: Path, first: str) -> None:
    script = put(home / ".local/bin/agent", first.format(home=home))
    assert seen(home, script) == ENVIRONMENT | EDITABLE | {".local/bin"}


def test_a_script_that_asks_for_the_one_on_path(home: Path) -> None:
    script = put(home / ".local/bin/agent", "#!/usr/bin/env python3\n")
    assert seen(home, script, f"/usr/bin:{home}/venv/bin") >= {"venv/bin", "python/3.12.1/lib"}


def test_an_environment_on_path_brings_its_interpreter_and_no_sources(home: Path) -> None:
    """Those may be the user's checkout, of which agents see what is committed."""
    assert seen(home, Path("/bin/sh"), f"{home}/venv/bin:/usr/bin") == ENVIRONMENT


def test_what_is_no_python_program_needs_none_of_it(home: Path) -> None:
    assert seen(home, put(home / "tools/agent", "\x7fELF")) == {"tools"}
    assert seen(home, home / "gone/agent") == set()
