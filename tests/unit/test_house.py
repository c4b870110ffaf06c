"""Rules of the house that no type checker sees."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.folders import PROJECT
from workflows.events import MODELS, EventType, names_of

LOCKS = PROJECT / "deploy" / "locks"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PACKAGES = ("workflows", "activities", "api", "worker", "deploy")
FOR_WORKFLOWS = {"pydantic", "pydantic_core", "temporalio", "workflows"}
# Of the standard library: what reaches outside, or differs from one replay to the next.
NOT_FOR_WORKFLOWS = {
    *("asyncio.subprocess", "ctypes", "glob", "http", "io", "multiprocessing", "os", "pathlib"),
    *("random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess"),
    *("sys", "tempfile", "threading", "time", "urllib.request"),
}
NOT_IN_WORKFLOWS = {"datetime.now", "datetime.utcnow", "date.today", "uuid.uuid1", "uuid.uuid4"}
# Of a group; of a single character it is sound. ``(?>(?:...)*)`` says the same.
POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{[0-9,]+\})\+")
READERS_OF_THE_ENVIRONMENT = {
    *(Path("deploy/settings.py"), Path("deploy/variables.py")),
    Path("api/client/connected.py"),  # In programs of others, which have no settings of ours.
    Path("api/cli/surroundings.py"),  # What every program of a terminal goes by.
    Path("activities/sandbox/boot.py"),  # In a sandbox, for which it sets that of the job.
}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def pinned(lock: str) -> dict[str, str]:
    """The versions of a lock, by name; a name may be pinned more than once, for other platforms."""
    text = (LOCKS / lock).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (PROJECT / package).rglob("*.py"))


def syntax(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), str(path)))


def imports(path: Path) -> Iterator[str]:
    for node in syntax(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_our_top_level_names_are_those_of_no_installed_distribution() -> None:
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    owners = metadata.packages_distributions()
    others = {name: set(owners.get(name, ())) - {"agentos"} for name in packages}
    assert others == {name: set() for name in packages}


@pytest.mark.parametrize("lock", ["bootstrap.txt", "requirements.txt", "requirements-dev.txt"])
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: str) -> None:
    text = (LOCKS / lock).read_text()
    assert "://" not in text
    entries = text.replace("\\\n", "").splitlines()
    assert entries
    for entry in entries:
        assert re.fullmatch(
            r"[a-z0-9._-]+==[^\s;]+( ;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+", entry
        )


def test_the_locks_fit_what_the_project_asks_for() -> None:
    runtime, dev = pinned("requirements.txt"), pinned("requirements-dev.txt")
    wanted = project()["project"]["dependencies"]
    for lock, requirements in (
        (runtime, wanted),
        (dev, [*wanted, *project()["dependency-groups"]["dev"]]),
    ):
        for requirement in map(Requirement, requirements):
            assert requirement.name in lock, f"{requirement}: run `make lock`"
            assert lock[requirement.name] in requirement.specifier, (
                f"{requirement}: run `make lock`"
            )


def test_all_locks_agree_on_versions() -> None:
    dev = pinned("requirements-dev.txt")
    for lock in ("bootstrap.txt", "requirements.txt"):
        assert pinned(lock).items() <= dev.items()


def test_imports_run_one_way() -> None:
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sources("workflows"), ids=lambda path: path.name)
def test_workflows_import_nothing_that_reaches_outside_or_varies(path: Path) -> None:
    allowed = FOR_WORKFLOWS | sys.stdlib_module_names
    for name in imports(path):
        assert name.partition(".")[0] in allowed, name
        assert NOT_FOR_WORKFLOWS.isdisjoint({name, name.partition(".")[0]}), name


@pytest.mark.parametrize("path", sources("workflows"), ids=lambda path: path.name)
def test_workflows_ask_only_temporal_for_the_time_and_for_new_ids(path: Path) -> None:
    for node in syntax(path):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not any(called.endswith(banned) for banned in NOT_IN_WORKFLOWS), called


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(PROJECT)
        for path in sources(*PACKAGES)
        for node in syntax(path)
        if isinstance(node, ast.Attribute | ast.Name)
        and ast.unparse(node) in {"os.environ", "os.getenv", "environ", "getenv"}
    }
    assert readers == READERS_OF_THE_ENVIRONMENT


def test_no_pattern_repeats_a_group_possessively_which_is_unsound_in_the_oldest_python() -> None:
    """3.11.2, which is Debian's, goes on behind what a group did not match."""
    found = [path for path in sources(*PACKAGES) if POSSESSIVE_GROUP.search(path.read_text())]
    assert found == []


def test_only_the_events_know_their_names() -> None:
    """``usage`` is a word of its own right: of it only what stands in quotes within SQL."""
    names = "|".join(re.escape(kind) for kind in EventType if "." in kind)
    named = re.compile(rf"(?<![\w.])({names})(?![\w.])|'{EventType.USAGE}'")
    versions = PROJECT / "activities" / "store" / "migrations" / "versions"
    found = {
        f"{path.relative_to(PROJECT)}: {node.value}"
        for path in sources(*PACKAGES)
        if path != PROJECT / "workflows" / "events.py" and path.parent != versions
        for node in syntax(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if named.search(node.value)
    }
    assert found == set()


def test_the_readme_has_every_event_with_its_fields() -> None:
    lines = (PROJECT / "README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = {row[0].strip("`"): row for row in cells if len(row) == 3}
    for kind, model in MODELS.items():
        _, when, fields = rows[kind]
        assert when
        assert set(re.findall(r"`(\w+)`", fields)) == names_of(model), kind


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_line_of_a_document_breaks_what_is_to_be_typed(name: str) -> None:
    """It would be copied with the break, and is not found by a search for it."""
    text = re.sub(r"^```.*?^```$", "", (PROJECT / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in text.splitlines() if line.count("`") % 2] == []
