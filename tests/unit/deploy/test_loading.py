"""What each process loads before it does its work: no more than that needs."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from threading import Thread

import pytest
import typer
from alembic.script import ScriptDirectory
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import JsonValue

from activities.store.migrations import NEWEST
from activities.store.migrations.upgrade import config
from deploy.cli import app
from tests.folders import PROJECT

SERVER = {"activities", "api.http", "api.tasks", "fastapi", "sqlalchemy", "temporalio"}
SDKS = {"e2b", "mcp", "mcp_types", "openai"}
# What a command that only looks at tasks, or at the stack, does without: the models of requests and
# events, the other calls of the client, the drawings, readers of YAML, and help.
HEAVY = {
    "api.cli.display.frames",
    "api.cli.kinds.table",
    "api.client.blocking",
    "api.client.client",
    "api.client.sse",
    "api.wire.requests",
    "rich.markdown",
    "rich.traceback",
    "structlog",
    "typer.rich_utils",
    "workflows.contracts",
    "workflows.definitions",
    "workflows.events",
    "yaml",
}
OURS = {"activities", "api", "deploy", "worker", "workflows"}
# For the first page, the first schema that somebody writes and the first turn.
LATER = {"jinja2", "jsonschema", "markdown_it", "tiktoken"}
# They are found and loaded as the application is made.
_ALL_ROUTES = """
from workflows.discovery import modules_of
from api.http import routes
from api.web import routes as pages
modules_of(routes), modules_of(pages)
"""


def loaded_by(statement: str, code: int = 0) -> set[str]:
    """The modules that a process has loaded when it ends."""
    program = f"""
import sys
try:
    exec({statement!r})
finally:
    print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return set(done.stderr.split())


def run_of(*words: str) -> str:
    return f"sys.argv[1:] = {words!r}; from deploy.cli import main; main()"


@pytest.mark.parametrize(
    ("statement", "too_much"),
    [
        (run_of("--version"), {*SERVER, *SDKS, "api.client", "asyncio", "pydantic", "rich"}),
        (run_of("--help"), {*SERVER, *SDKS, "api.client", "asyncio", "httpx", "pydantic"}),
        (run_of("ls", "--help"), {*SERVER, *SDKS, "skills_ref", "structlog"}),
        (
            "import deploy.commands, deploy.local.fork_process",
            {*SERVER, *SDKS, *HEAVY, "pydantic", "rich"},
        ),
        (
            "import deploy.up, deploy.local.stack",
            {*SDKS, "alembic", "httpx", "minio", "pydantic", "sqlalchemy", "temporalio"},
        ),
        (
            "from api.client import AsyncClient, Client",
            {*SERVER, *SDKS, "rich", "structlog", "typer", "yaml"},
        ),
        ("import deploy.settings", {*SDKS, "asyncpg", "minio", "sqlalchemy", "temporalio"}),
        ("import deploy.keys.keyring", {*SDKS, "alembic", "minio", "temporalio", "urllib3"}),
        ("import deploy.api", {*SDKS, *LATER, "alembic", "temporalio.worker", "typer"}),
        (_ALL_ROUTES, {*SDKS, *LATER, "alembic", "typer"}),
        ("import deploy.worker", {*SDKS, *LATER, "alembic", "fastapi", "typer"}),
    ],
    ids=[
        "--version",
        "--help",
        "ls",
        "before all else in up",
        "up",
        "client",
        "settings",
        "keys",
        "api",
        "routes",
        "worker",
    ],
)
def test_nothing_waits_for_the_import_of_what_it_does_without(
    statement: str, too_much: set[str]
) -> None:
    found = loaded_by(statement)
    assert "os" in found
    assert found & too_much == set()


_POLL_SECONDS = 0.02
_ID = "00000000-0000-0000-0000-000000000001"
_TASK: Mapping[str, JsonValue] = {
    "task_id": _ID,
    "type": "agent",
    "name": "a task",
    "status": "completed",
    "phase": None,
    "prompt": None,
    "priority": 5,
    "run": 1,
    "progress": {"done": 1, "total": 20, "percent": 100},
    "error": None,
    "created_at": "2026-11-29T12:00:00Z",
    "started_at": "2026-11-29T12:00:01Z",
    "finished_at": "2026-11-29T12:00:02Z",
    "temporal_url": None,
}
_DETAILS: Mapping[str, JsonValue] = {
    "result": {"summary": "It is done.", "files": []},
    "inputs": {},
    "definition": {},
    "sub_tasks": [],
    "artifacts": [],
    "usage": {"tokens_used": 900, "turns": 1, "attempts": 1, "duration_ms": 1_000},
}


class _Tasks(BaseHTTPRequestHandler):
    """Answers as the API does that has one task."""

    def do_GET(self) -> None:
        is_list = self.path.startswith("/api/v1/tasks?")
        body = json.dumps({"items": [_TASK]} if is_list else {**_TASK, **_DETAILS}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *of_request: object) -> None:
        pass


@pytest.fixture
def api_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Tasks) as server:
        Thread(target=server.serve_forever, args=(_POLL_SECONDS,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("words", "server", "code"),
    [
        (("ls",), SERVER, 0),
        (("show", _ID), SERVER, 0),
        # It looks at locks; and what answers here is not ready.
        (("status",), SERVER - {"activities"}, 1),
    ],
    ids=["ls", "show", "status"],
)
def test_what_is_looked_at_again_and_again_is_shown_without_waiting_for_more(
    words: Sequence[str], server: set[str], code: int, api_url: str
) -> None:
    """Modules are counted, as a new one is easily overlooked; each takes a millisecond, and more if
    it has models."""
    found = loaded_by(run_of("--api-url", api_url, *words), code)
    assert found & {*server, *SDKS, *HEAVY} == set()
    assert {"api.client.transport", "rich.table"} <= found
    assert len([name for name in found if name.partition(".")[0] in OURS]) <= 70


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
    loaded = {name.partition(".")[0] for name in loaded_by("from api.client import AsyncClient")}
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
