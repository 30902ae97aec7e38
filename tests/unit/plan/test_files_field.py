"""What `<files>` is read as."""

from __future__ import annotations

import pytest

from bursar.plan.files import leaves_checkout, parse_files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src/a.py", ["src/a.py"]),
        ("src/a.py, src/b.py", ["src/a.py", "src/b.py"]),
        ("\n  src/a.py\n  src/b.py\n", ["src/a.py", "src/b.py"]),
        ("- src/a.py\n* `src/b.py`\n1. src/c.py\n- [ ] src/d.py", ["src/a.py", "src/b.py", "src/c.py", "src/d.py"]),
        ("src/a.py,\nsrc/b.py,", ["src/a.py", "src/b.py"]),
        ("`src/a.py`, \"src/b.py\", 'src/c d.py'", ["src/a.py", "src/b.py", "src/c d.py"]),
        ("src/a.py (new), src/b.py (if it exists, else skip)", ["src/a.py", "src/b.py"]),
        ("src/a.py（删除，旧）、src/b.py", ["src/a.py", "src/b.py"]),
        ("src/a.ts(new)", ["src/a.ts"]),
        ("app/[...nextauth]/route.ts", ["app/[...nextauth]/route.ts"]),
        ("(auth)/page.tsx, app/(auth)/$id.tsx (new)", ["(auth)/page.tsx", "app/(auth)/$id.tsx"]),
        ("src/{a,b}/index.ts", ["src/{a,b}/index.ts"]),
        ("tests/*/x.html (all 50)", ["tests/*/x.html"]),
        ("src/a.py — add the route", ["src/a.py"]),
        ("src/a.py - add the route", ["src/a.py"]),
        ("src/a.py: add the route", ["src/a.py"]),
        ("src/old.py -> src/new.py", ["src/old.py", "src/new.py"]),
        ("src/a.py and src/b.py", ["src/a.py", "src/b.py"]),
        ("src/a.py to be written", ["src/a.py"]),
        (r"C:\My Files\a.txt", [r"C:\My Files\a.txt"]),
        ("Makefile, Dockerfile", ["Makefile", "Dockerfile"]),
        ("src/a.py, src/a.py", ["src/a.py"]),
        ("src/&lt;id&gt;.py", ["src/<id>.py"]),
        ("~/notes.md", ["~/notes.md"]),
        ("src/lib/", ["src/lib/"]),
        ("none.py", ["none.py"]),
        ("", []),
        (" \n ", []),
        ("None", []),
        ("none (verification only)", []),
        ("None - the work is done by hand", []),
        ("n/a", []),
        ("N/A — nothing changes", []),
        ("(no file modification, commands only)", []),
        ("（无）", []),
        ("无", []),
        ("No files", []),
        ("no new files, only tests", []),
        ("-", []),
        ("Whatever the agent thinks is best", []),
        ("As found in task one", []),
    ],
)
def test_files(text: str, expected: list[str]) -> None:
    assert parse_files(text) == tuple(expected)


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../../b", "~/a", r"C:\a", r"..\a", "./../a"])
def test_paths_that_leave_the_project(path: str) -> None:
    assert leaves_checkout(path)


@pytest.mark.parametrize("path", ["a", "./a", "a/../b", "a/b/../../c", "..a/b", "a..b", "[...x]/a", "~a/b"])
def test_paths_that_stay_within(path: str) -> None:
    assert not leaves_checkout(path)
