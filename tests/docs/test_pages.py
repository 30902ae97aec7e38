"""Every page can be reached, every link leads somewhere, and README knows every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bursar.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MANUAL = sorted((ROOT / "docs").glob("*.md"))
PAGES = [
    README,
    ROOT / "ARCHITECTURE.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("src/**/README.md")),
]


def without_code(page: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def links(page: Path) -> list[tuple[Path, str]]:
    """The file and the heading that each link within the project is to."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(page))
    parts = [target.partition("#") for target in targets if not re.match(r"\w+:", target)]
    return [((page.parent / path if path else page).resolve(), heading) for path, _, heading in parts]


def headings(page: Path) -> set[str]:
    """The names that headings have in links."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    words = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = [path for path, heading in links(page) if not path.exists() or (heading and heading not in headings(path))]
    assert lost == []


def test_every_page_is_linked_from_another_one() -> None:
    linked = {path for page in PAGES for path, _ in links(page) if path != page.resolve()}
    assert [page.name for page in MANUAL if page.resolve() not in linked] == []


def test_the_map_has_every_room() -> None:
    rooms = {folder.name for folder in (ROOT / "src" / "bursar").iterdir() if (folder / "__init__.py").exists()}
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^  ([a-z]+)/ ", text, re.MULTILINE)) == rooms


def test_the_map_names_only_what_is_there() -> None:
    """As `run/rerouting.py`, a file, or `run.dispatch.Dispatch`, a class in a module of that room."""
    text, source = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), ROOT / "src" / "bursar"
    files = re.findall(r"`([a-z_/]+\.(?:py|md))`", text)
    assert len(files) > 10
    assert [file for file in files if not (source / file).exists()] == []
    rooms = "|".join(folder.name for folder in source.iterdir() if folder.is_dir())
    named = re.findall(rf"`((?:{rooms})(?:\.[A-Za-z_]+)+)`", text)
    assert len(named) > 20
    assert [name for name in named if not is_there(source, name)] == []


def is_there(source: Path, name: str) -> bool:
    """Whether each part is a module of the room that the name begins with, or defined in one."""
    room, *parts = name.split(".")
    modules = list((source / room).rglob("*.py"))
    code = "\n".join(module.read_text(encoding="utf-8") for module in modules)
    stems = {module.stem for module in modules}
    return all(part in stems or re.search(rf"\b(?:def|class) {part}\b", code) for part in parts)


def test_readme_has_every_command_and_no_other() -> None:
    named = set(re.findall(r"`bursar ([a-z]+)", README.read_text(encoding="utf-8")))
    assert named == set(COMMANDS)


@pytest.mark.parametrize("page", [README, *MANUAL], ids=lambda page: page.name)
def test_every_flag_of_a_command_is_one(page: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "bursar" / "cli").glob("*.py"))
    known = set(re.findall(r'"--([a-z-]+)"', source)) | {"no-sandbox", "help"}
    commands = re.findall(r"`(bursar [^`]*)`", page.read_text(encoding="utf-8"))
    named = {flag for command in commands for flag in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", command)}
    assert named <= known
