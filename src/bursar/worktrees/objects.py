"""Objects of a repository, read and written through running gits."""

from __future__ import annotations

import os
import time
from typing import IO

from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.repository import Repository
from bursar.worktrees.trees import (
    REPOSITORY,
    Difference,
    Entry,
    Read,
    Tree,
    Write,
    differences,
    join,
    parse_tree,
    render_tree,
    tree_of,
)

_ASK = ("cat-file", "--batch-command")


def read_tree(repository: Repository, name: str) -> Tree:
    """The tree of that id, or of the commit of that id.

    Raises:
        GitFailed: there is none.
    """
    known = repository.gits.trees
    if (tree := known.get(name)) is not None:
        return tree
    content = repository.gits.ask(*_ASK, request=f"contents {name}^{{tree}}\n".encode(), read=_read_content)
    if content is None:
        raise GitFailed(("cat-file", "tree", name), 128, "there is no such tree")
    return known.add(name, parse_tree(content, len(name) // 2))


def read_blob(repository: Repository, name: str) -> bytes | None:
    """The content of the file of that name, `COMMIT:PATH`; None where there is none."""
    request = f"contents {name}\n".encode("utf-8", "surrogateescape")
    return repository.gits.ask(*_ASK, request=request, read=_read_file)


def compare(repository: Repository, before: str, after: str) -> list[Difference]:
    """The paths in which two commits or trees differ, in git's order."""
    return sorted(differences(_reader(repository), read_tree(repository, before), read_tree(repository, after)))


def join_trees(repository: Repository, base: str, ours: str, theirs: str) -> str | None:
    """The tree of `ours` with what `theirs` has changed since `base`; None where that is for git itself to judge."""
    read, write = _reader(repository), _writer(repository)
    try:
        joined = join(read, write, *(read_tree(repository, each) for each in (base, ours, theirs)))
        return None if joined is None else write(joined).hex()
    except GitFailed:
        return None  # such as a name that git has let in once, and would not take from us


def write_files(repository: Repository, base: str, files: Tree) -> str | None:
    """The tree with these files, by path; None where that is for git itself to judge.

    What is as in the commit `base` is there already. Of all else it is asked whether the contents are.
    """
    read, write = _reader(repository), _writer(repository)
    try:
        tree = write(tree_of(read, write, files, read_tree(repository, base))).hex()
        changed = compare(repository, base, tree)
        return tree if all(_is_there(repository, each.after) for each in changed) else None
    except GitFailed:
        return None


def _is_there(repository: Repository, entry: Entry | None) -> bool:
    """Whether git has the content; that of another repository is not its own."""
    if entry is None or entry.mode == REPOSITORY:
        return True
    answer = repository.gits.ask(*_ASK, request=f"info {entry.id.hex()}\n".encode(), read=_read_line)
    return answer.split(" ")[1] == "blob"


def _reader(repository: Repository) -> Read:
    return lambda name: read_tree(repository, name.hex())


def _writer(repository: Repository) -> Write:
    def write(tree: Tree) -> bytes:
        name = _write(repository, "tree", render_tree(tree))
        repository.gits.trees.add(name, tree)
        return bytes.fromhex(name)

    return write


def write_commit(repository: Repository, tree: str, parent: str, message: str) -> str:
    """A commit of that tree on that parent, made now; nothing points to it yet.

    Raises:
        GitFailed: it could not be written, or git does not know who makes it.
    """
    try:
        commit = _write(repository, "commit", _render_commit(repository, tree, parent, message))
        repository.gits.trees.alias(commit, tree)
        return commit
    except GitFailed:  # said by the one that is made for it, or done after all
        return git(
            repository.root,
            *("commit-tree", tree, "-p", parent, "-F", "-"),
            stdin=message.encode(),
            environment=repository.identity,
        )[1].strip()


def _render_commit(repository: Repository, tree: str, parent: str, message: str) -> bytes:
    text = message if message.endswith("\n") else message + "\n"
    author, committer = _sign(repository.gits.author, "AUTHOR"), _sign(repository.gits.committer, "COMMITTER")
    commit = f"tree {tree}\nparent {parent}\nauthor {author}\ncommitter {committer}\n\n{text}"
    return commit.encode("utf-8", "surrogateescape")


def _write(repository: Repository, kind: str, content: bytes) -> str:
    """The id of an object with this content. git gets it in a file without a name, which nobody needs to remove."""
    file = os.memfd_create(kind)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(file, view) :]
        request = f"/proc/{os.getpid()}/fd/{file}\n".encode()
        arguments = ("hash-object", "-t", kind, "-w", "--no-filters", "--stdin-paths")
        return repository.gits.ask(*arguments, request=request, read=_read_line)
    finally:
        os.close(file)


def _sign(identity: str, role: str) -> str:
    """`NAME <ADDRESS> SECONDS ZONE`, with the time that it is now unless the user has said another."""
    if os.environ.get(f"GIT_{role}_DATE"):
        return identity
    who, now = identity.rsplit(" ", 2)[0], int(time.time())
    return f"{who} {now} {time.strftime('%z', time.localtime(now))}"


def _read_line(answers: IO[bytes]) -> str:
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line.decode().rstrip("\n")


def _read_file(answers: IO[bytes]) -> bytes | None:
    """The content of an object that is a file; None where there is none, or it is something else."""
    name, _, size = _read_line(answers).rpartition(" ")
    if not size.isdigit():  # `missing`, or `ambiguous`
        return None
    content = answers.read(int(size) + 1)
    if len(content) <= int(size):
        raise EOFError
    return content[:-1] if name.endswith(" blob") else None


def _read_content(answers: IO[bytes]) -> bytes | None:
    """The content of an object; None where there is none."""
    size = _read_line(answers).rpartition(" ")[2]
    if not size.isdigit():  # `missing`, or `ambiguous`
        return None
    content = answers.read(int(size) + 1)
    if len(content) <= int(size):
        raise EOFError
    return content[:-1]
