"""The pool with servers that other people made: from PyPI, and from npm where that can be had."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from workflows.definitions.mcp_server import McpServer

TEAM = uuid4()
NPM_SECONDS = 60
VERSION = "2026.8.31"
PACKAGES = tuple(
    f"@modelcontextprotocol/server-{name}@{VERSION}"
    for name in ("filesystem", "memory", "everything")
)


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(Path.home())}
    async with McpPool(policy=McpPolicy.for_loopback(), environment=environment) as pool:
        yield pool


@pytest.fixture(scope="session")
async def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs that the npm packages bring."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node")
    folder = tmp_path_factory.mktemp("npm")
    # What npm has in its cache is not asked for; a registry that is away, only once.
    words = ("install", "--prefix", str(folder), "--prefer-offline", "--fetch-retries=0")
    quietly = ("--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts")
    process = await asyncio.create_subprocess_exec(
        *(npm, *words, *quietly, *PACKAGES), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        code = await asyncio.wait_for(process.wait(), NPM_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.skip(f"npm took more than {NPM_SECONDS} s")
    if code != 0:
        pytest.skip("npm cannot reach its registry, or does not find the packages there")
    return folder / "node_modules" / ".bin"


def program(command: str | Path, *args: str | Path, **more: Any) -> McpServer:
    words = [str(word) for word in args]
    given = {"name": "real", "transport": "stdio", "command": str(command), "args": words, **more}
    return McpServer.model_validate(given)


async def call(pool: McpPool, server: McpServer, tool: str, **arguments: Any) -> str:
    result = await pool.call(TEAM, server, tool, arguments)
    assert not result.is_error, result.text
    return result.text


async def test_the_time_server_answers_and_refuses(pool: McpPool) -> None:
    server = program("mcp-server-time", "--local-timezone", "UTC")
    listing = await pool.probe(TEAM, server)
    assert [tool.name for tool in listing.tools] == ["convert_time", "get_current_time"]
    told = json.loads(await call(pool, server, "get_current_time", timezone="Europe/Paris"))
    assert told["timezone"] == "Europe/Paris"
    refused = await pool.call(TEAM, server, "get_current_time", {"timezone": "Nowhere"})
    assert refused.is_error
    assert "Nowhere" in refused.text


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with a commit."""
    who = ("-c", "user.name=A", "-c", "user.email=a@b")
    (tmp_path / "a.txt").write_text("hello\n")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "First words")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


async def test_the_git_server_reads_its_repository_and_no_other(
    pool: McpPool, repository: Path
) -> None:
    server = program("mcp-server-git", "--repository", repository)
    assert "First words" in await call(pool, server, "git_log", repo_path=str(repository))
    outside = await pool.call(TEAM, server, "git_status", {"repo_path": "/"})
    assert outside.is_error


async def test_the_filesystem_server_works_in_its_folder_and_in_no_other(
    pool: McpPool, programs: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("héllo")
    server = program(programs / "mcp-server-filesystem", tmp_path)
    assert await call(pool, server, "read_text_file", path=str(tmp_path / "a.txt")) == "héllo"
    await call(pool, server, "write_file", path=str(tmp_path / "b.txt"), content="made")
    assert (tmp_path / "b.txt").read_text() == "made"
    refused = await pool.call(TEAM, server, "read_text_file", {"path": "/etc/passwd"})
    assert refused.is_error


async def test_the_filesystem_server_gives_pictures_as_files(
    pool: McpPool, programs: Path, tmp_path: Path
) -> None:
    (tmp_path / "dot.png").write_bytes(b"\x89PNG")
    server = program(programs / "mcp-server-filesystem", tmp_path)
    arguments = {"path": str(tmp_path / "dot.png")}
    [file] = (await pool.call(TEAM, server, "read_media_file", arguments)).files
    assert (file.name, file.mime_type, file.data) == ("image.png", "image/png", b"\x89PNG")


async def test_the_memory_server_remembers(pool: McpPool, programs: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.jsonl"
    server = program(programs / "mcp-server-memory", env={"MEMORY_FILE_PATH": str(memory)})
    entity = {"name": "Ada", "entityType": "person", "observations": ["writes programs"]}
    await call(pool, server, "create_entities", entities=[entity])
    assert "writes programs" in await call(pool, server, "read_graph")
    assert "Ada" in memory.read_text()


async def test_the_everything_server_gives_texts_pictures_and_signs_of_progress(
    pool: McpPool, programs: Path
) -> None:
    server = program(programs / "mcp-server-everything")
    names = [tool.name for tool in (await pool.probe(TEAM, server)).tools]
    assert "echo" in names
    assert "hello" in await call(pool, server, "echo", message="hello")
    pictured = await pool.call(TEAM, server, "get-tiny-image", {})
    assert [file.name for file in pictured.files] == ["image.png"]
    assert pictured.files[0].data.startswith(b"\x89PNG")
    long = {"duration": 1, "steps": 5}
    result = await pool.call(
        TEAM, server, "trigger-long-running-operation", long, timeout_seconds=0.9
    )
    assert "completed" in result.text
