"""Which dependencies `plan annotate --parallelize` infers, and the reasons that it gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bursar.plan import Task, explain_dependencies, infer_dependencies


def made(number: int, *files: str, action: str = "Write it.") -> Task:
    """A task that waits for the one before, as tasks do that say nothing."""
    before = (str(number - 1),) if number > 1 else ()
    return Task(number=str(number), name=f"Part {number}", files=files, action=action, depends_on=before)


def inferred(*tasks: Task, settled: frozenset[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    return infer_dependencies(tasks, settled)


def reasons(*tasks: Task) -> dict[str, dict[str, str]]:
    found = infer_dependencies(tasks)
    return explain_dependencies([replace(task, depends_on=found[task.number]) for task in tasks])


def test_tasks_that_have_nothing_in_common_wait_for_nothing() -> None:
    assert inferred(made(1, "a.py"), made(2, "b.py"), made(3, "c/d.py")) == {"1": (), "2": (), "3": ()}


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("src/a.py", "src/a.py", "src/a.py"),
        ("./src/a.py", "src//a.py", "src/a.py"),
        ("src\\a.py", "src/a.py", "src/a.py"),
        ("src/", "src/a.py", "src/a.py"),
        ("src/a.py", "src", "src"),
        ("src/*.py", "src/a.py", "src/a.py"),
        ("src/{a,b}.py", "src/c.py", "src/c.py"),
        ("*.py", "x/y.md", "x/y.md"),
        ("x/y.md", "**/*.py", "."),
    ],
)
def test_one_file_or_folder(first: str, second: str, shared: str) -> None:
    assert reasons(made(1, first), made(2, second)) == {"1": {}, "2": {"1": f"both write {shared}"}}


def test_brackets_of_a_web_framework_are_no_pattern() -> None:
    assert inferred(made(1, "app/[id]/page.tsx"), made(2, "app/[slug]/page.tsx"))["2"] == ()


def test_the_last_writer_of_a_file_is_waited_for() -> None:
    assert inferred(made(1, "a"), made(2, "a"), made(3, "a")) == {"1": (), "2": ("1",), "3": ("2",)}


def test_a_folder_waits_for_all_that_wrote_in_it() -> None:
    assert inferred(made(1, "s/a"), made(2, "s/b"), made(3, "s/"), made(4, "s/b"))["3"] == ("1", "2")
    assert inferred(made(1, "s/a"), made(2, "s/b"), made(3, "s/"), made(4, "s/b"))["4"] == ("2", "3")


@pytest.mark.parametrize(
    "text",
    [
        "Use src/lib/db.ts.",
        "see `src/lib/db.ts`",
        "import { x } from '@/lib/db'",
        "(src/lib/db.ts)",
        "open db.ts, then",
        "as in ./src/lib/db.ts",
        "src\\lib\\db.ts",
        "from src/lib/db",
    ],
)
@pytest.mark.parametrize("place", ["action", "verify", "done"])
def test_a_file_that_the_text_names(text: str, place: str) -> None:
    second = made(2, "other.ts")
    filled = {
        "action": replace(second, action=text),
        "verify": replace(second, verify=text),
        "done": replace(second, done=text),
    }
    found = reasons(made(1, "src/lib/db.ts"), filled[place])
    assert found["2"] == {"1": "its text names src/lib/db.ts, which task 1 writes"}


@pytest.mark.parametrize("text", ["Write the db.", "adb.ts", "src/lib/dbx.ts", "lib", "the src folder"])
def test_a_text_that_names_no_file_of_the_plan(text: str) -> None:
    assert inferred(made(1, "src/lib/db.ts"), made(2, "other.ts", action=text))["2"] == ()


def test_an_end_that_fits_two_files_names_neither() -> None:
    tasks = (made(1, "a/index.ts"), made(2, "b/index.ts"), made(3, "c.ts", action="Import index.ts and b/index.ts"))
    assert inferred(*tasks)["3"] == ("2",)


def test_a_file_at_the_top_is_named_by_its_whole_path() -> None:
    tasks = (made(1, "db.ts"), made(2, "src/db.ts"), made(3, "c.ts", action="Import db.ts"))
    assert inferred(*tasks)["3"] == ("1",)


def test_files_that_only_a_later_task_writes_are_not_waited_for() -> None:
    assert inferred(made(1, "a.py", action="b.py will call it"), made(2, "b.py"))["1"] == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("after Task 2", ("2",)),
        ("uses what task #1 made", ("1",)),
        ("Tasks 1 and 3", ("1", "3")),
        ("tasks 1-3", ("1", "2", "3")),
        ("Tasks 1–3", ("1", "2", "3")),
        ("tasks 2 to 3", ("2", "3")),
        ("tasks 1, 2, and 3", ("1", "2", "3")),
        ("Task 02.", ("2",)),
        ("TASK-3", ("3",)),
        ("task 4 is this one, task 5 comes later, task 9 is none", ()),
        ("multitask 1", ()),
        ("tasks: do it", ()),
        ("task 1-9999999", ()),
    ],
)
def test_tasks_that_the_text_names(text: str, expected: tuple[str, ...]) -> None:
    tasks = [made(n, f"{n}.py") for n in range(1, 6)]
    tasks[3] = replace(tasks[3], action=text)
    assert inferred(*tasks)["4"] == expected


@pytest.mark.parametrize(
    "text", ["All previous tasks are in.", "test every earlier task", "all tasks", "the previous task"]
)
def test_a_text_that_speaks_of_all_before(text: str) -> None:
    found = reasons(made(1, "a"), made(2, "b"), made(3, "c", action=text), made(4, "d"))
    assert found["3"] == dict.fromkeys(("1", "2"), "its text speaks of the tasks before it")
    assert found["4"] == {}


def test_a_checkpoint_keeps_its_place() -> None:
    gate = replace(made(3), type="checkpoint:human-verify")
    found = reasons(made(1, "a"), made(2, "b"), gate, made(4, "a"), made(5, "c"))
    assert found["3"] == dict.fromkeys(("1", "2"), "a checkpoint keeps its place")
    assert found["4"] == {"1": "both write a", "3": "task 3 is a checkpoint"}
    assert found["5"] == {"3": "task 3 is a checkpoint"}


def test_a_task_without_files_keeps_its_place() -> None:
    found = reasons(made(1, "a"), made(2, "b"), made(3), made(4, "c"), made(5, "c"))
    assert found["3"] == dict.fromkeys(("1", "2"), "it names no files and keeps its place")
    assert found["4"] == {"3": "task 3 names no files and keeps its place"}
    assert found["5"] == {"4": "both write c"}


def test_a_gate_waits_for_the_ends_only() -> None:
    assert inferred(made(1, "a"), made(2, "a"), made(3, "b"), made(4))["4"] == ("2", "3")
    assert inferred(made(1), made(2), made(3)) == {"1": (), "2": ("1",), "3": ("2",)}


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("src/login.py", "tests/test_login.py"),
        ("src/Login.tsx", "src/login.test.tsx"),
        ("login.go", "login_test.go"),
        ("login.ts", "e2e/login.spec.ts"),
    ],
)
def test_code_and_its_tests_keep_their_order(code: str, tests: str) -> None:
    reason = {"1": "one writes login, the other its tests"}
    assert reasons(made(1, code), made(2, tests))["2"] == reason
    assert reasons(made(1, tests), made(2, code))["2"] == reason


def test_what_the_author_wrote_is_kept() -> None:
    tasks = (made(1, "a"), replace(made(2, "a"), depends_on=()), made(3, "b"))
    assert inferred(*tasks, settled=frozenset({"2"})) == {"1": (), "2": (), "3": ()}


def test_no_cycle_with_what_the_author_wrote() -> None:
    first = replace(made(1, "a", action="Needs b.py"), depends_on=("2",))
    second = replace(made(2, "b.py", action="after task 1"), depends_on=())
    assert inferred(first, second, settled=frozenset({"1"})) == {"1": ("2",), "2": ()}


def test_reasons_that_nothing_shows_are_the_plans_own() -> None:
    assert explain_dependencies([made(1, "a"), made(2, "b")]) == {"1": {}, "2": {"1": "the plan's order"}}


def test_many_tasks_and_deep_paths_end_soon() -> None:
    """Not a timing: a search that is not linear takes minutes."""
    tasks = [
        made(n, f"src/{n}.py", "/".join("x" * 5_000), action=f"src/{n - 1}.py task {n} " * 20) for n in range(1, 500)
    ]
    found = infer_dependencies(tasks)
    assert found["400"] == ("399",)
    assert len(explain_dependencies(tasks)) == 499


def named(number: int, name: str, *files: str, action: str = "Write it.") -> Task:
    return replace(made(number, *files, action=action), name=name)


def test_a_plan_of_shared_groundwork_three_features_and_a_test_of_all() -> None:
    tasks = (
        named(1, "Lay the folder structure", "src/__init__.py"),
        named(2, "Extend the schema", "db/tables.sql"),
        named(3, "Write shared helpers", "src/answers.py"),
        named(4, "Profiles", "src/profiles.py"),
        named(5, "Messages", "src/messages.py"),
        named(6, "Numbers", "src/numbers.py"),
        named(7, "Test the three features", "tests/test_features.py"),
    )
    assert inferred(*tasks) == {
        "1": (),
        "2": ("1",),
        "3": ("2",),
        "4": ("3",),
        "5": ("3",),
        "6": ("3",),
        "7": ("4", "5", "6"),
    }
    found = reasons(*tasks)
    assert found["4"] == {"3": "task 3 is groundwork (shared)"}
    assert found["7"] == dict.fromkeys("456", "it tests what was done before")


@pytest.mark.parametrize(
    ("name", "file", "shown"),
    [
        ("Set up the project", "a", "set up"),
        ("Scaffold it", "a", "scaffold"),
        ("Create the data model", "a", "data model"),
        ("Part", "package.json", "package.json"),
        ("Part", "src/types.ts", "types.ts"),
        ("Part", "db/schema.prisma", "schema.prisma"),
    ],
)
def test_groundwork_comes_before_all_that_follow(name: str, file: str, shown: str) -> None:
    found = reasons(named(1, name, file), made(2, "b"), made(3, "c"))
    assert found["2"] == found["3"] == {"1": f"task 1 is groundwork ({shown})"}


@pytest.mark.parametrize(
    ("name", "file", "action", "shown"),
    [
        ("Wire it up", "z", "", "wire"),
        ("End-to-end run", "z", "", "end-to-end"),
        ("Part", "src/index.ts", "", "index.ts"),
        ("Part", "src/app/routes.py", "", "routes.py"),
        ("Part", "README.md", "", "README.md"),
        ("Part", "z", "Show all three pages.", "all three"),
    ],
)
def test_what_joins_comes_after_all_that_precede(name: str, file: str, action: str, shown: str) -> None:
    found = reasons(made(1, "a"), made(2, "b"), named(3, name, file, action=action), made(4, "d"))
    assert found["3"] == dict.fromkeys("12", f"it joins what was done before ({shown})")
    assert found["4"] == {}


def test_words_within_words_play_no_part() -> None:
    assert inferred(made(1, "a"), named(2, "Rewire the remodelled installation", "b"), made(3, "c"))["2"] == ()
    assert inferred(named(1, "Remodel", "src/remodels.py"), made(2, "b"))["2"] == ()


@pytest.mark.parametrize(
    ("makes", "uses", "name"),
    [
        ("Add a class LoanBook with a title.", "Show each LoanBook.", "LoanBook"),
        ("Export find_loan and more.", "Call find_loan().", "find_loan"),
        ("Create Store(path).", "Keep it in the Store.", "Store"),
        ("function openDesk does it", "use openDesk here", "openDesk"),
    ],
)
def test_a_name_of_code_that_another_task_makes(makes: str, uses: str, name: str) -> None:
    found = reasons(made(1, "a", action=makes), made(2, "b", action=uses))
    assert found["2"] == {"1": f"its text uses {name}, which task 1 makes"}
    assert inferred(made(1, "a", action=uses), made(2, "b", action=makes))["2"] == ()


@pytest.mark.parametrize("text", ["Create it in TypeScript.", "Add a page.", "See LoanBook."])
def test_names_that_no_task_makes(text: str) -> None:
    assert inferred(made(1, "a", action=text), made(2, "b", action=text))["2"] == ()
