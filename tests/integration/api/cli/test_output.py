"""``-o`` of commands that show something and write files, too."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.cli_runs import agentos
from tests.integration.cli_server import TASK_ID, Server, a_page, a_task, document, serving

BUDGET = {"tokens": None, "cost_usd": None, "seconds": None}
PLAN = {"nodes": [], "revisions": [], "estimate": BUDGET, "spent": BUDGET, "reason": "So."}
COMPILED = {
    "pipeline": {"name": "p", "steps": []},
    "inputs": {},
    "steps": [],
    "problems": [],
    "constants": [],
}
SHOWS = (
    ("plan", str(TASK_ID)),
    ("compile", str(TASK_ID)),
    ("artifacts", "get", "--task", str(TASK_ID)),
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        server.tell(f"GET /tasks/{TASK_ID}", document(a_task()))
        server.tell(f"GET /tasks/{TASK_ID}/plan", document(PLAN))
        server.tell(f"POST /tasks/{TASK_ID}/compile", document(COMPILED))
        server.tell(f"GET /tasks/{TASK_ID}/artifacts", a_page([]))
        yield server


@pytest.mark.parametrize("words", SHOWS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", ["-o", "--output"])
async def test_json_is_a_format_also_where_the_option_names_a_file(
    server: Server,
    words: tuple[str, ...],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = await agentos(server.url, *words, option, "json")
    assert printed.code == 0, printed.stderr
    assert isinstance(json.loads(printed.stdout), dict)
    assert not Path("json").exists()


@pytest.mark.parametrize("words", SHOWS[:2], ids=lambda words: words[0])
@pytest.mark.parametrize("name", ["out.yaml", "json"])
async def test_a_path_is_a_file_whatever_its_name(
    server: Server, words: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    printed = await agentos(server.url, *words, "-o", f"{tmp_path}/{name}")
    assert (printed.code, printed.stdout) == (0, ""), printed.stderr
    assert (tmp_path / name).read_text()


async def test_a_file_is_no_folder_to_write_files_to(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    printed = await agentos(server.url, *SHOWS[2], "-o", f"{tmp_path}/x")
    assert (printed.code, server.asked) == (2, [])
