"""Which verify texts are commands. Refusals outnumber: prose that is run does harm, a command that is read does not."""

from __future__ import annotations

import pytest

from bursar.plan import classify_verify
from bursar.plan.shell_text import join_lines

COMMANDS = [
    "pytest tests/test_x.py -q",
    "pytest",
    "pytest -k lending",
    "python -m pytest -q",
    "python3 -m unittest discover -s tests",
    'python -c "import lending; print(lending.VERSION)"',
    "npm test",
    "npm run typecheck",
    "npm run test:unit -- --run",
    "pnpm --filter @shop/web test",
    "npx tsc --noEmit",
    "npx prisma validate",
    "make check",
    "make lint test",
    "test -f a.txt",
    "test -s Makefile && test ! -e old.py",
    "[ -f a.txt ]",
    "grep -q foo a.txt",
    "grep -q 'def lend' src/lend.py && ! grep -rn TODO src/",
    "./run.sh --x",
    "scripts/check.sh",
    "bash scripts/check.sh",
    "node -e \"require('./dist')\" && echo ok",
    'bash -n x.sh && echo "ok"',
    "cd web && npm run build",
    "CI=1 npm test",
    "uv run pytest tests -q",
    "poetry run mypy src",
    "cargo test --workspace",
    "go test ./...",
    "git diff --exit-code",
    "ruff check .",
    "cat out.txt | grep -c finis",
    "python manage.py test 2>&1 | tail -20",
    "timeout 60 pytest -x",
    "ls src/lending/lend.py",
    "terraform validate",
    "curl -sf http://127.0.0.1:8000/health",
    "diff expected.txt actual.txt",
]

PROSE = [
    "npm run typecheck passes, imports resolve",
    "npx prisma validate passes without errors",
    "ls -la src/ and check route.ts files exist",
    "ls -la src/app/{users,news}/ and check route.ts files exist with proper exports",
    "GET returns paginated list with count",
    "npm test passes all integration tests",
    "npm test passes",
    "npm test green",
    "npm test works.",
    "pytest passes",
    "pytest is green",
    "pytest everything",
    "pytest tests/test_x.py shows 15 tests",
    "All tests pass",
    "tests pass",
    "make sure it works",
    "make sure the tests pass",
    "make it build",
    "make works",
    "Make check",
    "test the login page",
    "test login",
    "test hello = world",
    "find all usages of lend()",
    "grep finds two matches in src/a.py",
    "grep for TODO in src/",
    "cat out.txt shows the report",
    "ls",
    "ls shows it",
    "node version is 20",
    "node works",
    "python works",
    "git status clean",
    "git log shows the commit",
    "go to the page and look",
    "cargo build works without warnings",
    "docker builds successfully",
    "curl -X GET /api/users returns 200 with the profile; POST returns 201",
    "curl localhost returns 200",
    "npm run build succeeds",
    "npm run dev and open the page",
    "npm run",
    "./run.sh exits cleanly",
    "bash",
    "echo hello",
    "true",
    "src/a.py",
    "Lending works",
    "Run pytest tests/ -q",
    "Run `pytest tests/ -q`",
    "`npm test` passes",
    "`src/a.py`",
    "`User`",
    "`lend()`",
    "The query executes in <200ms even with 100k events",
    "for all users the page loads",
    "if it fails, look at the log",
    "npm test (all of it)",
    "npm test … and so on",
    "npm test — green",
    "npm test && all good",
    "npm test; then look at the page",
    "npm test 'unclosed",
    "npm test\nnpm run build",
    "- [ ] npm test\n- [ ] npm run build",
    "None",
    "MISSING",
    "TODO: write a test",
    "Manual check",
    "open http://localhost:3000 in a browser",
    "rm -rf build",
    "sudo make install",
    "mytool --check",
    "npm run typecheck, then npm test",
    "pytest -q, no failures",
    "测试通过",
    "npm test 通过",
    "",
    "   ",
]


@pytest.mark.parametrize("text", COMMANDS)
def test_commands(text: str) -> None:
    found = classify_verify(f"\n  {text}\n")
    assert (found.commands, found.instructions, found.reason) == ((text,), "", "single command")


@pytest.mark.parametrize("text", PROSE)
def test_prose(text: str) -> None:
    found = classify_verify(text)
    assert (found.commands, found.instructions) == ((), text.strip())
    assert found.reason.startswith("prose: ")


def test_refusals_outnumber() -> None:
    assert len(PROSE) > len(COMMANDS)
    assert len(PROSE) + len(COMMANDS) >= 60


@pytest.mark.parametrize(
    ("text", "commands", "instructions"),
    [
        ("<automated>npm test</automated>", ["npm test"], ""),
        ("<automated>mytool --check</automated>", ["mytool --check"], ""),
        ("<automated>\n  npm test\n  # then\n\n  $ npm run build\n</automated>", ["npm test", "npm run build"], ""),
        ("<automated>npm test &amp;&amp; make &gt; out.txt</automated>", ["npm test && make > out.txt"], ""),
        ('<automated>grep -c "&lt;b&gt;" a.html</automated>', ['grep -c "&lt;b&gt;" a.html'], ""),
        ("<automated>`npm test`</automated>\nLook at the page.", ["npm test"], "Look at the page."),
        ("<automated>npm test</automated><automated>make</automated>", ["npm test", "make"], ""),
        ("<automated>npm test \\\n  -- --run</automated>", ["npm test -- --run"], ""),
        ("<automated>a.sh &&\n  b.sh</automated>", ["a.sh && b.sh"], ""),
        (
            "<automated>for f in *.sh; do\n  bash -n $f\ndone</automated>",
            ["for f in *.sh; do\n  bash -n $f\ndone"],
            "",
        ),
        ("<automated>MISSING: a test comes later</automated>", [], "MISSING: a test comes later"),
        ("<automated>Missing</automated>", [], "Missing"),
        ("<automated>N/A</automated>", [], "N/A"),
        ("<automated>Check the page</automated>", [], "Check the page"),
        ("<automated>cd <path to it> && make</automated>", [], "cd <path to it> && make"),
        ("<automated></automated>", [], ""),
        ("<automated>npm test", [], "<automated>npm test"),
        ("```bash\nnpm test\nmytool --check\n```", ["npm test", "mytool --check"], ""),
        ("Run this:\n\n```sh\nnpm test\n```\n\nIt prints ok.", ["npm test"], "Run this:\n\n\n\nIt prints ok."),
        ("```\nnpm test\n```", ["npm test"], ""),
        ("```\nmytool --check\n```", [], "```\nmytool --check\n```"),
        ("```python\nimport a\n```", [], "```python\nimport a\n```"),
        ("```json\n{}\n```", [], "```json\n{}\n```"),
        ("```bash\n```", [], "```bash\n```"),
        ("```bash\nnpm test\n```\n```bash\nmake\n```", [], "```bash\nnpm test\n```\n```bash\nmake\n```"),
        ("```bash\nnpm test\nIt prints ok\n```", [], "```bash\nnpm test\nIt prints ok\n```"),
        ("```bash\nnpm test", [], "```bash\nnpm test"),
        ("`npm test`", ["npm test"], ""),
        ("`cargo test parser`", ["cargo test parser"], ""),
        ("``npm test``", ["npm test"], ""),
        ("`npm test` `make`", [], "`npm test` `make`"),
        ("pytest -q \\\n  tests/test_a.py", ["pytest -q tests/test_a.py"], ""),
    ],
)
def test_marked_text(text: str, commands: list[str], instructions: str) -> None:
    found = classify_verify(text)
    assert (found.commands, found.instructions) == (tuple(commands), instructions)


def test_the_reason_names_the_word_that_made_it_prose() -> None:
    assert classify_verify("npm test passes").reason == "prose: `passes` is a word of a sentence"
    assert classify_verify("mytool").reason == "prose: `mytool` is no program that is known here"
    assert classify_verify("make a\nmake b").reason == "prose: there are several lines"


def test_a_here_document_is_one_command() -> None:
    script = "cat > a.txt <<'EOF'\n# kept\nEOF\ntest -f a.txt"
    assert join_lines(script) == [script]
