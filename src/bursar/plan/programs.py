"""Programs that verify work, and what may follow their names in a line that is surely a command.

A table, so that adding a program is adding a row. It errs towards prose: a command taken for prose is read by the agent
as an instruction, prose taken for a command would be run.
"""

from __future__ import annotations

from dataclasses import dataclass

_TARGETS = """
    all build check ci compile coverage demo docs fmt format integration lint test tests typecheck types unit verify
"""
_FOLDERS = "src lib tests test app docs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What may follow a program's name without making the line a sentence.

    Attributes:
        subcommands: bare words that may come first.
        names: bare words that may come anywhere: folders or targets that every project has.
        bare: how many other bare words may follow an option or a path.
        takes_pattern: the bare words may also come before that (`grep foo src/`).
        needs_operand: the name alone, or followed by bare words only, is too little to be run.
    """

    subcommands: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset(_FOLDERS.split())
    bare: int = 0
    takes_pattern: bool = False
    needs_operand: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _runs(subcommands: str) -> Program:
    return Program(subcommands=_words(subcommands))


_MAKE = Program(names=_words(_TARGETS))
_CHECKER = Program(subcommands=_words("run lint"))
_INTERPRETER = Program(bare=1, needs_operand=True)
_SEARCH = Program(bare=2, takes_pattern=True, needs_operand=True)
_FILES = Program(needs_operand=True)
_FILE_TEST = Program(bare=2, needs_operand=True)
LOCAL_SCRIPT = Program(bare=1)

# Names that share a row, and what may follow any of them.
_ROWS = (
    ("npm pnpm yarn bun", _runs("test t ci install audit build lint typecheck check ls pack")),
    ("make gmake just task rake ninja", _MAKE),
    ("pytest py.test tox nox mypy pyright pylint flake8 lint-imports", _CHECKER),
    ("vitest jest mocha tsc vue-tsc eslint stylelint markdownlint", _CHECKER),
    ("rspec phpunit phpstan golangci-lint shellcheck bats ctest", _CHECKER),
    ("black isort prettier hadolint yamllint actionlint gofmt rustfmt", _FILES),
    ("ruff", _runs("check format")),
    ("biome", _runs("check lint format ci")),
    ("pre-commit cypress", _runs("run")),
    ("playwright", _runs("test")),
    ("prisma", _runs("validate generate format")),
    ("next vite astro", _runs("build lint check")),
    ("turbo nx", Program(subcommands=_words("run build test lint"), bare=1)),
    ("cargo", _runs("build check clippy doc fmt test nextest bench")),
    ("go", _runs("build fmt generate mod run test vet")),
    ("dotnet swift mvn gradle gradlew", _runs("build test restore verify package compile check assemble")),
    ("mix", _runs("test compile format credo")),
    ("bundle composer", _runs("install check validate test")),
    ("terraform helm", _runs("validate fmt plan init lint template")),
    ("docker", _runs("build compose")),
    ("git", _runs("diff status log show grep ls-files rev-parse")),
    ("python python3 node deno ruby php perl tsx ts-node bash sh zsh", _INTERPRETER),
    ("test [", _FILE_TEST),
    ("grep egrep fgrep rg ag jq yq awk sed", _SEARCH),
    ("ls cat head tail wc stat file find diff cmp sha256sum tree", _FILES),
    ("cmake curl wget xmllint sqlite3 psql kubectl gh", _FILES),
)
PROGRAMS = {name: program for names, program in _ROWS for name in names.split()}

# Programs that run the one named after them, by how many words they take themselves.
WRAPPERS = {
    **dict.fromkeys(("npx", "bunx", "uvx", "time"), 1),
    **dict.fromkeys(("uv run", "poetry run", "pipenv run", "pdm run", "hatch run"), 2),
    **dict.fromkeys(("npm exec", "pnpm exec", "pnpm dlx", "yarn exec", "yarn dlx", "bundle exec"), 2),
}

# `npm run NAME`: any one word is a name.
SCRIPT_RUNNERS = frozenset(
    {"npm run", "npm run-script", "pnpm run", "yarn run", "bun run", "composer run", "deno task"}
)

# They verify nothing themselves, but may follow a command that does.
CHAINED = frozenset({"echo", "printf", "true", "false", "exit"})

# Words of sentences about commands; nobody needs one of them as an argument without quotes.
_SENTENCE = """
    a an the this that these those it its is are was be been being and or but then when if while until after before
    with without within via from into in on at to of for by as per than no not none still only also both each every
    any must should shall can could may might will would has have had having do does did done
    pass passes passed passing succeed succeeds succeeded fail fails failed failing work works worked working
    return returns returned exit exits exited exist exists existing show shows shown display displays print prints
    output outputs contain contains containing include includes report reports compile compiles compiled
    builds runs ran starts started finishes completes completed loads loaded renders rendered responds
    creates created produces produced confirm confirms confirmed matches matched gives yields executes executed
    generates generated finds found lists listed reads writes accepts accepted rejects rejected resolves resolved
    error errors warning warnings failure failures issues problems green clean success successful ok okay
    expect expects expected sure correct valid manual all new checks verify verifies ensure ensures see sees
"""
SENTENCE_WORDS = _words(_SENTENCE)
