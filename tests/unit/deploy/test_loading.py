"""What each process loads before it does its work: no more than that needs."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version

import pytest
import typer
from alembic.script import ScriptDirectory
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from activities.store.migrations import NEWEST
from activities.store.migrations.upgrade import config
from deploy.cli import app
from tests.folders import PROJECT

SERVER = {"activities", "api.http", "api.tasks", "fastapi", "sqlalchemy", "temporalio"}
SDKS = {"e2b", "mcp", "mcp_types", "openai"}
# For the first page, the first schema that somebody writes and the first turn.
LATER = {"jinja2", "jsonschema", "markdown_it", "tiktoken"}
# They are found and loaded as the application is made.
_ALL_ROUTES = """
from workflows.discovery import modules_of
from api.http import routes
from api.web import routes as pages
modules_of(routes), modules_of(pages)
"""


def loaded_by(statement: str) -> set[str]:
    """The modules that a process has loaded when it ends."""
    ending = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    done = subprocess.run(
        [sys.executable, "-c", f"{ending}; {statement}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def run_of(*words: str) -> str:
    return f"sys.argv[1:] = {words!r}; from deploy.cli import main; main()"


@pytest.mark.parametrize(
    ("statement", "too_much"),
    [
        (run_of("--help"), {*SERVER, *SDKS, "api.client", "asyncio", "httpx", "pydantic"}),
        (run_of("ls", "--help"), {*SERVER, *SDKS, "skills_ref", "structlog"}),
        (
            "import deploy.up, deploy.local.stack",
            {*SDKS, "alembic", "httpx", "minio", "pydantic", "sqlalchemy", "temporalio"},
        ),
        ("import api.client", {*SERVER, *SDKS, "rich", "structlog", "typer", "yaml"}),
        ("import deploy.settings", {*SDKS, "asyncpg", "minio", "sqlalchemy", "temporalio"}),
        ("import deploy.keys.keyring", {*SDKS, "alembic", "minio", "temporalio", "urllib3"}),
        ("import deploy.api", {*SDKS, *LATER, "alembic", "temporalio.worker", "typer"}),
        (_ALL_ROUTES, {*SDKS, *LATER, "alembic", "typer"}),
        ("import deploy.worker", {*SDKS, *LATER, "alembic", "fastapi", "typer"}),
    ],
    ids=["--help", "ls", "up", "client", "settings", "keys", "api", "routes", "worker"],
)
def test_nothing_waits_for_the_import_of_what_it_does_without(
    statement: str, too_much: set[str]
) -> None:
    found = loaded_by(statement)
    assert "os" in found
    assert found & too_much == set()


def test_a_program_that_has_only_the_client_needs_two_libraries() -> None:
    """And what these need themselves: as the README says."""
    needed, found = set(map(canonicalize_name, ("httpx2", "pydantic"))), set[str]()
    while needed:
        found |= needed
        asked = [Requirement(each).name for name in needed for each in requires(name) or ()]
        names = set(map(canonicalize_name, asked))
        needed = {name for name in names if _is_installed(name)} - found
    known = {
        module
        for module, names in packages_distributions().items()
        if found & {canonicalize_name(name) for name in names}
    }
    loaded = {name.partition(".")[0] for name in loaded_by("import api.client")}
    others = loaded - sys.stdlib_module_names - known - {"api", "workflows", "__main__"}
    assert others & packages_distributions().keys() == set()


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def listed() -> Sequence[str]:
    group: typer.core.TyperGroup = typer.main.get_command(app)  # type: ignore[assignment]
    return list(group.commands)


@pytest.mark.parametrize("name", listed())
def test_a_command_is_listed_with_what_its_own_help_says(name: str) -> None:
    group: typer.core.TyperGroup = typer.main.get_command(app)  # type: ignore[assignment]
    listed = group.commands[name]
    command = listed.make_context(name, [], resilient_parsing=True).command
    assert command is not listed
    assert " ".join((command.help or "").split("\n\n")[0].split()) == listed.help


@pytest.mark.parametrize("name", listed())
def test_no_paragraph_of_a_help_is_broken_where_its_source_is(name: str) -> None:
    group: typer.core.TyperGroup = typer.main.get_command(app)  # type: ignore[assignment]
    command = group.commands[name].make_context(name, [], resilient_parsing=True).command
    parts = command.commands.values() if isinstance(command, typer.core.TyperGroup) else ()
    for each in (command, *parts):
        paragraphs = (each.help or "").split("\n\n")
        assert [text for text in paragraphs if "\n" in text] == []


def test_the_newest_migration_is_known_by_the_name_of_its_file() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == NEWEST
